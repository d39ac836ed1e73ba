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

// adaptives are the captures that may be adaptive.
func (o *owner) adaptives() (list []*capture) {
	for _, t := range o.known {
		if t.active && t.capture.adaptive.Load() {
			list = append(list, t.capture)
		}
	}
	return list
}

// reconcile starts captures for containers that should have one and do not. after
// tells that the engine's events before this may have been missed.
func (o *owner) reconcile(ctx context.Context, after bool) error {
	list, err := o.r.engine.List(ctx)
	if err != nil {
		return err
	}
	for _, t := range o.known {
		t.missing = true
	}
	for _, c := range list {
		t := o.known[c.ID]
		if t == nil {
			pos, stored := o.firstPosition(ctx, c.ID, c.Running)
			t = &tracked{capture: newCapture(o.r, c.ID, pos), name: c.Name}
			t.capture.details.Name = c.Name // till it is inspected
			t.capture.wanted.Store(o.mayBeSelected(c))
			o.known[c.ID] = t
			if !c.Running && !o.listed && !o.down && !stored {
				continue // its log is of a time before ours
			}
			o.launchSelected(ctx, t, c)
			continue
		}
		t.missing = false
		switch {
		case t.active:
			if after || t.name != c.Name || !c.Running {
				t.capture.notify()
			}
		case t.capture.ended == endUnreadable && !after:
			// until it is started again, which is an event
		case c.Running || c.Ended || after:
			// One that has ended lately may have been started and have ended since
			// the list before, and its events may be lost.
			o.launchSelected(ctx, t, c)
		}
		t.name = c.Name
	}
	for id, t := range o.known {
		if t.missing && !t.active {
			o.forget(id, t)
		}
	}
	if o.r.store != nil {
		o.r.store.reconcile(list, time.Now())
		// Not a second later: after a crash before that, what is known now would not
		// be known to have been there.
		o.r.store.flush(ctx, time.Now(), o.known)
	}
	o.listed = true
	return nil
}

func (o *owner) launchSelected(ctx context.Context, t *tracked, c engine.Summary) {
	if o.mayBeSelected(c) {
		o.launch(ctx, t)
	}
}

// mayBeSelected tells whether a capture is to look at the container. Where a list does
// not tell the image, because its tag has moved to another, the capture finds out.
func (o *owner) mayBeSelected(c engine.Summary) bool {
	return o.r.selected(c) || strings.HasPrefix(c.Image, "sha256:")
}

// firstPosition is where to begin with a container that has not been seen before;
// stored tells that it had been seen before a restart.
func (o *owner) firstPosition(ctx context.Context, id string, running bool) (pos position, stored bool) {
	if o.r.store != nil {
		pos, stored, damaged := o.r.store.position(ctx, id)
		switch {
		case stored:
			return pos, true
		case damaged && o.r.cfg.StartAt == StartAtEnd:
			return position{floor: o.floor}, false
		}
	}
	if o.listed || (running && o.r.cfg.StartAt == StartAtBeginning) {
		return position{}, false
	}
	return position{floor: o.floor}, false
}

// happened looks at a container because of an event, which may be older than what
// is known.
func (o *owner) happened(ctx context.Context, event engine.Event) {
	id := event.Container.ID
	t := o.known[id]
	switch {
	case t == nil && event.Removed:
	case t == nil:
		pos, _ := o.firstPosition(ctx, id, true)
		t = &tracked{capture: newCapture(o.r, id, pos)}
		t.capture.details.Name = event.Container.Name // till it is inspected
		t.capture.wanted.Store(o.r.selected(event.Container))
		o.known[id] = t
		o.launch(ctx, t)
	case t.active:
		t.capture.notify()
	case event.Removed:
		o.forget(id, t)
	default:
		o.launch(ctx, t)
	}
}

// launch starts the goroutine of a capture. It ends by itself or with ctx, and then
// waits for the owner to take note in captureEnded.
func (o *owner) launch(ctx context.Context, t *tracked) {
	t.capture.granted.Store(o.active < o.streams.limit) // till the next deal
	t.active = true
	o.active++
	go pprof.Do(ctx, o.r.labels(t.capture.id, "capture"), func(ctx context.Context) {
		t.capture.run(ctx)
		o.finished <- t
	})
}

func (o *owner) captureEnded(ctx context.Context, t *tracked) {
	t.active = false
	o.active--
	switch {
	case t.capture.ended == endRemoved || t.missing:
		o.forget(t.capture.id, t)
	case t.capture.poked():
		// Something happened while the capture was on its way out.
		o.launch(ctx, t)
	}
}

func (o *owner) forget(id string, t *tracked) {
	t.capture.setState(stateNone)
	delete(o.known, id)
}
