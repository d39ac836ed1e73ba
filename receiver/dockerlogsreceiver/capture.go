// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// capture reads the log of one container. Its goroutine is started by the owner loop,
// runs the line from the socket to the outbox, and ends when the container has ended and
// been read, is not selected, or the receiver stops.
//
//	planner ─plan─> source.Read ─record─> batch ─> outbox ─> ConsumeLogs
//	   ^──────────── Result ──┘  <──────── Commit ────┘
//
// Its goroutine alone touches it, and the owner before that starts and after it has
// ended; but for the link, and the source's Frontier.
type capture struct {
	r       *dockerLogs
	link    link
	target  target
	planner planner
	source  *source.Source
	limit   *limiter // nil without one

	batch   *batch.Batch // being filled, nil while there is nothing to deliver
	joined  *joined      // nil where each line is a record
	buffer  *room        // of a plan that has one, else nil
	counted counted
	way     way    // "" before the first plan
	ended   ending // why the goroutine ended
	// unreadableLogged is set once it has been logged that the log cannot be read.
	unreadableLogged bool
}

// captureState is what a capture is doing, as a metric names it.
type captureState = status.State

const (
	stateNone       captureState = ""
	stateOpening                 = status.Opening
	stateReading                 = status.Reading
	stateDelayed                 = status.Delayed
	stateFollowing               = status.Following
	stateWaiting                 = status.Waiting
	stateUnreadable              = status.Unreadable
)

// ending is why a capture's goroutine ended.
type ending uint8

const (
	endNone       ending = iota // it goes on
	endStopped                  // the container does not run, and all of its log has been read
	endRemoved                  // the engine no longer knows it
	endExcluded                 // it is not selected
	endUnreadable               // its log driver cannot be read
	endCanceled                 // the receiver stops
	endResting                  // nothing is to be read before its files change, or there is an event
)

func newCapture(r *dockerLogs, id, name string, frontier *position.Frontier) *capture {
	shown := r.board.Register(id)
	c := &capture{
		r: r, link: link{status: shown, wake: make(chan struct{}, 1)}, target: target{r: r, id: id, status: shown},
		source: source.New(r.source, id, frontier),
	}
	if shown != nil {
		c.source.WaitsForSlot = shown.WaitForSlot
	}
	c.target.details.Name = name // till it is inspected
	c.link.budgeted.Store(r.cfg.Strategy == StrategyAdaptive)
	return c
}

// run captures until there is nothing more to capture, or the capture is to rest.
func (c *capture) run(ctx context.Context) {
	end := endNone
	switch {
	case c.ended != endResting:
		c.planner.restart()
		c.source.Restart()
		c.target.inspectDue = true
		c.setState(stateOpening)
		c.link.status.Note(status.KindOpened, "the capture of its log begins")
	case len(c.link.wake) == 0: // its files have changed
		end, _ = c.read(ctx, strategy.Plan{File: true})
	}
	for end == endNone {
		end = c.step(ctx)
	}
	c.ended = end
	c.endEntries(ctx)
	c.reportDrops(ctx, true) // those of the last entries too
	switch c.ended {
	case endUnreadable:
	case endResting:
		c.setState(stateWaiting)
		c.link.status.Wait(status.NeedFileChange, time.Time{})
	default:
		c.setState(stateNone)
		c.source.CloseFiles()
	}
}

// step does what the strategy wants next.
func (c *capture) step(ctx context.Context) ending {
	if c.target.details.Unseen {
		return c.begin(ctx)
	}
	event := c.link.Woken()
	if event && !c.planner.plan.Follow && c.planner.strategy != nil {
		// The container may have ended: what it wrote last, before it is removed.
		c.target.inspectDue = true
		if end, ok := c.catchUp(ctx); !ok {
			return end
		}
	}
	event = event || c.target.inspectDue
	if event {
		if end, ok := c.inspect(ctx); !ok {
			return end
		}
	}
	if now := &c.target.details; !now.Running {
		// To open the log of a container that is being removed makes the engine create its
		// file again, and then fail to remove its directory.
		end, ok := endNone, now.AutoRemove && c.source.Settled()
		if !ok {
			end, ok = c.catchUp(ctx)
		}
		if ok && !c.target.inspectDue && len(c.link.wake) == 0 { // else it may have been started meanwhile
			end = endStopped
			c.link.status.Note(status.KindRead, "its log has been read to the end")
		}
		return end
	}
	c.reportDrops(ctx, false)
	plan := c.plan(event)
	if plan.File && c.joined.pending() {
		plan.Wait, plan.Rest = max(plan.Wait, c.joined.settled()), false
	}
	c.link.busy.Store(plan.Fallback == strategy.FallbackBusy)
	c.noteWay(plan)
	switch {
	case plan.Rest && c.source.FilesOpen():
		return endResting
	case !c.pause(ctx, status.NeedPoll, plan.Wait):
		return endCanceled
	case len(c.link.wake) > 0:
		return endNone // something happened: look first
	case plan.Follow && c.planner.catchUpDue:
		if end, ok := c.catchUp(ctx); !ok {
			return end
		}
	}
	end, _ := c.read(ctx, plan)
	return end
}

// begin reads the log of a container that has just been started before it looks at it: one
// that is removed when it ends may not be there for long, and what is open then is read to
// the end.
func (c *capture) begin(ctx context.Context) ending {
	c.beginRun()
	c.target.choose(c.target.details.Summary)
	c.useStrategy()
	plan := c.plan(false)
	end := endNone
	switch {
	case plan.File && c.source.Hold(&c.target.details): // to be read once more is known of it
	case c.r.info.Load().LogsFirst():
		if plan.File {
			plan = strategy.Plan{Follow: true, Life: time.Second} // its files are to be tried again soon
		}
		end, _ = c.read(ctx, plan)
	}
	c.target.details.Unseen = false
	return end
}

// beginRun tells the source if the container has been started.
func (c *capture) beginRun() {
	if c.link.newRun.Swap(false) {
		c.source.NewRun()
	}
}

// plan asks the strategy what to do next.
func (c *capture) plan(event bool) strategy.Plan {
	now := time.Now()
	plan := c.planner.next(now, event, c.link.hasStream.Load(), c.r.pressure.Load(), c.target.files())
	if plan.File && plan.Wait > 0 {
		plan.Wait = min(c.r.outbox.beforeNext(now, plan.Wait), c.source.BeforeRotation(&c.target.details))
	}
	plan = c.limit.adjust(plan)
	c.planner.plan = plan
	c.link.budgeted.Store(c.target.chosen.Strategy == StrategyAdaptive && !plan.File)
	return plan
}

// inspect looks at the container, for which a slot to read is needed too.
func (c *capture) inspect(ctx context.Context) (end ending, ok bool) {
	if !c.r.source.Acquire(ctx, c.source.WaitsForSlot) {
		return endCanceled, false
	}
	c.beginRun()
	end, err := c.target.inspect(ctx)
	c.r.source.Release()
	switch {
	case end == endRemoved:
		return c.removed(ctx), false
	case end != endNone:
		return end, false
	case ctx.Err() != nil:
		return endCanceled, false
	case err != nil:
		c.planner.catchUpDue = true
		c.reopens(source.Failed, err)
		if !c.pause(ctx, status.NeedEngine, c.planner.backoff.NextBackOff()) {
			return endCanceled, false
		}
		return endNone, false
	}
	c.link.wanted.Store(true)
	c.link.origin.Store(c.target.origin)
	c.useStrategy()
	return endNone, true
}

// useStrategy makes what is chosen for the target the capture's.
func (c *capture) useStrategy() {
	c.link.status.Strategy(string(c.target.chosen.Strategy), c.target.chosen.From)
	c.useLimit()
	c.planner.use(c.target.chosen.Strategy, c.r.cfg.strategySettings(), c.target.files())
	c.useMultiline()
	c.setState(c.counted.state) // it is counted by strategy
}

// pause waits for what it says, and returns at once when something happens to the container.
// It reports false when the receiver stops.
func (c *capture) pause(ctx context.Context, need status.Need, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	c.setState(stateWaiting)
	c.link.status.Wait(need, time.Now().Add(wait))
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.link.wake:
		c.link.Wake() // still unheeded
	case <-ctx.Done():
		return false
	}
	return true
}

// counted is how the metric captures counts one.
type counted struct {
	strategy Strategy // "" before it is known, which is not counted
	state    captureState
	file     bool // its source is the engine's files, and not its API
}

func (c *capture) setState(state captureState) {
	now := counted{c.planner.name, state, c.planner.plan.File}
	if now == c.counted {
		return
	}
	c.r.countCapture(c.counted, -1)
	c.r.countCapture(now, +1)
	c.counted = now
	if state == stateNone {
		c.link.status.End()
	} else {
		c.link.status.Set(state, now.file)
	}
}
