// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"runtime/pprof"
	"strings"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// budgeted are the links of the captures whose strategy keeps to the budget of follows.
func (o *owner) budgeted() (list []*link) {
	for _, c := range o.known {
		if c.active && c.capture.link.budgeted.Load() {
			list = append(list, &c.capture.link)
		}
	}
	return list
}

// reconcile starts captures for containers that should have one and do not. after is set
// when events before this may have been missed.
func (o *owner) reconcile(ctx context.Context, after bool) error {
	now := o.r.engine.Now()
	list, err := o.r.engine.List(ctx)
	if err != nil {
		return err
	}
	for _, c := range o.known {
		c.missing = true
	}
	for _, s := range list {
		c := o.known[s.ID]
		if c == nil {
			from := o.beginningOf(s)
			c = o.add(s, from)
			if !from.passed {
				o.launchSelected(ctx, c, s)
			}
			o.showListed(c, s)
			continue
		}
		c.missing = false
		switch {
		case c.active, c.resting:
			if after || c.name != s.Name || !s.Running {
				o.wake(ctx, c)
			}
		case c.capture.ended == endUnreadable && !after:
			// until it is started again, which is an event
		case s.Running || s.Ended || after:
			// One that has ended lately may have been started and have ended since
			// the list before, and its events may be lost.
			o.launchSelected(ctx, c, s)
		}
		c.name = s.Name
		o.showListed(c, s)
	}
	for id, c := range o.known {
		switch {
		case !c.missing, c.active:
		case c.resting:
			o.wake(ctx, c) // it reads its files to their ends
		default:
			o.forget(id, c)
		}
	}
	o.r.board.Retain(func(id string) bool { return o.known[id] != nil })
	o.looked = now.Truncate(time.Second)
	if o.r.store != nil {
		o.r.store.listed = o.looked
		o.r.store.reconcile(list, time.Now())
		// Not later: after a crash before that, what is known now would not be known to
		// have been there.
		o.storePositions(ctx)
	}
	o.listed = true
	return nil
}

// add begins to know a container.
func (o *owner) add(s engine.Summary, from beginning) *container {
	c := &container{capture: newCapture(o.r, s.ID, s.Name, from.frontier), name: s.Name}
	if from.backlog {
		c.capture.source.Backfill(o.r.cfg.Backfill.MaxRecords)
	}
	c.capture.link.wanted.Store(o.mayBeSelected(s))
	o.known[s.ID] = c
	return c
}

func (o *owner) launchSelected(ctx context.Context, c *container, s engine.Summary) {
	if o.mayBeSelected(s) {
		o.launch(ctx, c)
	}
}

// mayBeSelected reports whether a capture is to look at the container. Where a list has no
// name of the image, because its tag has moved to another, the capture finds out.
func (o *owner) mayBeSelected(s engine.Summary) bool {
	return o.r.selected(s) || strings.HasPrefix(s.Image, "sha256:")
}

// handleEvent looks at a container because of an event, which may be older than what is
// known.
func (o *owner) handleEvent(ctx context.Context, event engine.Event) {
	if event.OnlyTold() {
		return
	}
	id := event.Container.ID
	c := o.known[id]
	o.showEvent(event)
	switch {
	case c == nil && (event.Removed() || !o.mayBeSelected(event.Container)):
		return
	case c == nil:
		s := event.Container
		s.Running = true
		c = o.add(event.Container, o.beginningOf(s))
	}
	gone := !c.active && c.capture.ended == endRemoved // and this event is of before
	switch {
	case event.Started() && (c.died || (!c.active && !c.resting && !gone)):
		c.capture.link.newRun.Store(true)
		c.died = false
	case event.Died():
		c.died = true
	case event.Removed():
		c.removed = true
	}
	switch {
	case c.active, c.resting:
		o.wake(ctx, c)
	case event.Removed():
		o.forget(id, c)
	case gone && c.capture.source.FullyRead() && !c.capture.planner.plan.File:
		c.capture.countUnread() // if this is a run that nobody has seen
	case gone:
	case o.mayBeSelected(event.Container):
		if event.Started() {
			c.capture.target.started(event.Container)
		}
		o.launch(ctx, c)
	}
}

// wake has a capture look at its container.
func (o *owner) wake(ctx context.Context, c *container) {
	c.capture.link.Wake()
	if c.resting {
		o.launch(ctx, c)
	}
}

// filesChanged has a capture that rests read its files.
func (o *owner) filesChanged(ctx context.Context, id string) {
	if c := o.known[id]; c != nil && c.resting {
		o.launch(ctx, c)
	}
}

// launch starts the goroutine of a capture. It ends by itself or with ctx, and then waits
// for the owner in captureEnded.
func (o *owner) launch(ctx context.Context, c *container) {
	if c.resting {
		c.resting = false
		o.watcher.forget(c.capture.target.id)
	}
	c.capture.link.hasStream.Store(o.active < o.budget.limit) // till the next deal
	c.active = true
	o.active++
	o.r.captured.Store(c.capture.target.id, true)
	go pprof.Do(ctx, o.r.labels("capture", c.capture.target.id, c.name), func(ctx context.Context) {
		c.capture.run(ctx)
		o.finished <- c
	})
}

func (o *owner) captureEnded(ctx context.Context, c *container) {
	c.active = false
	o.active--
	o.r.captured.Delete(c.capture.target.id) // unless it is launched again
	if c.capture.ended == endRemoved && c.capture.source.FullyRead() && !c.capture.planner.plan.File {
		c.capture.countUnread() // if there was another run meanwhile
	}
	switch {
	case c.capture.ended == endResting:
		c.resting = true
		switch {
		case c.missing || c.removed || len(c.capture.link.wake) > 0:
			o.wake(ctx, c)
		case o.watcher.watch(c.capture.target.id, c.capture.source.FileEnd()):
			o.launch(ctx, c)
		}
	case c.missing || c.removed:
		o.forget(c.capture.target.id, c)
	case c.capture.ended == endRemoved:
		// Known until its last event, or a list without it: an event that comes late would
		// else find a new container.
	case c.capture.link.Woken():
		// Something happened while the capture was on its way out.
		o.launch(ctx, c)
	}
}

func (o *owner) forget(id string, c *container) {
	c.capture.setState(stateNone)
	delete(o.known, id)
	o.r.board.Forget(id)
	if c.removed && o.r.store != nil {
		o.r.store.drop(id)
	}
}
