// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
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

	batch   *batch.Batch // being filled, nil while there is nothing to deliver
	buffer  *room        // of a plan that has one, else nil
	counted counted
	way     way    // "" before the first plan
	ended   ending // why the goroutine ended
	// unreadableLogged is set once it has been logged that the log cannot be read.
	unreadableLogged bool
}

// captureState is what a capture is doing, as a metric names it.
type captureState string

const (
	stateNone       captureState = ""
	stateOpening    captureState = "opening"
	stateReading    captureState = "reading"
	stateFollowing  captureState = "following"
	stateWaiting    captureState = "waiting"
	stateUnreadable captureState = "unreadable"
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

// errExcluded ends a read of a container that is not selected any more.
var errExcluded = errors.New("the container is not selected any more")

func newCapture(r *dockerLogs, id, name string, frontier *position.Frontier) *capture {
	c := &capture{
		r: r, link: link{wake: make(chan struct{}, 1)}, target: target{r: r, id: id},
		source: source.New(r.source, id, frontier),
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
	case len(c.link.wake) == 0: // its files have changed
		end, _ = c.read(ctx, strategy.Plan{File: true})
	}
	for end == endNone {
		end = c.step(ctx)
	}
	c.ended = end
	switch c.ended {
	case endUnreadable:
	case endResting:
		c.setState(stateWaiting)
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
		}
		return end
	}
	plan := c.plan(event)
	c.link.busy.Store(plan.Fallback == strategy.FallbackBusy)
	c.noteWay(plan)
	switch {
	case plan.Rest && c.source.FilesOpen():
		return endResting
	case !c.pause(ctx, plan.Wait):
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
	plan := c.planner.next(time.Now(), event, c.link.hasStream.Load(), c.r.pressure.Load(), c.target.files())
	c.link.budgeted.Store(c.target.strategy == StrategyAdaptive && !plan.File)
	return plan
}

// catchUp reads what is new, without following.
func (c *capture) catchUp(ctx context.Context) (end ending, ok bool) {
	return c.read(ctx, strategy.Plan{Buffer: c.planner.plan.Buffer, File: c.planner.plan.File})
}

// read reads once, and reacts to how that ended. ok is false where it did not come to the
// end of the log.
func (c *capture) read(ctx context.Context, plan strategy.Plan) (end ending, ok bool) {
	c.useBuffer(plan.Buffer)
	state, reading := stateReading, ctx
	if plan.Follow {
		state = stateFollowing
		var done func()
		reading, done = c.link.following(ctx)
		defer done()
	}
	c.setState(state)
	result := c.source.Read(reading, &c.target.details, plan, c)
	c.report(result)
	if result.End == source.NoFile {
		c.filesUnread(result.Err)
	}
	react := c.planner.observe(time.Now(), plan.Follow, result)
	switch {
	case errors.Is(result.Err, errExcluded):
		return endExcluded, false
	case ctx.Err() != nil:
		return endCanceled, false
	case result.End == source.Removed:
		return c.removed(ctx), false
	case result.End == source.Unreadable:
		return c.unreadable(ctx, result.Err), false
	case react.look:
		c.target.inspectDue = true
	}
	if react.pause && !c.pause(ctx, c.planner.backoff.NextBackOff()) {
		return endCanceled, false
	}
	return endNone, result.End == source.Complete
}

// inspect looks at the container, for which a slot to read is needed too.
func (c *capture) inspect(ctx context.Context) (end ending, ok bool) {
	if !c.r.source.Acquire(ctx) {
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
		if !c.pause(ctx, c.planner.backoff.NextBackOff()) {
			return endCanceled, false
		}
		return endNone, false
	}
	c.link.wanted.Store(true)
	c.useStrategy()
	return endNone, true
}

// useStrategy makes the target's strategy the planner's.
func (c *capture) useStrategy() {
	c.planner.use(c.target.strategy, c.r.cfg.strategySettings(), c.target.files())
	c.setState(c.counted.state) // it is counted by strategy
}

// removed ends the capture of a container that is gone.
func (c *capture) removed(ctx context.Context) ending {
	if c.planner.plan.File {
		// A file that is open can be read to its end, whatever runs there were.
		c.link.newRun.Store(false)
		c.target.details.Running = false
		c.report(c.source.Read(ctx, &c.target.details, c.planner.plan, c))
	}
	if err := c.source.FlushUnterminated(ctx, c); err != nil {
		c.target.logger().Debug("the last line is not delivered", zap.Error(err))
	}
	c.countUnread()
	return endRemoved
}

// countUnread counts and logs a gap if a container that is gone has not been read to its end.
func (c *capture) countUnread() {
	c.beginRun()
	inspected := c.target.strategy != ""
	if !c.source.FullyRead() && (inspected || c.link.wanted.Load()) {
		c.r.countGap(gapRemoved)
		c.target.logger().Warn("this container was removed before its last lines could be read", zap.String("remedy", remedyRemoved))
	}
}

// unreadable ends the capture of a container whose log cannot be read.
func (c *capture) unreadable(ctx context.Context, err error) ending {
	if !c.unreadableLogged {
		if c.target.details.Unseen {
			c.target.refresh(ctx) // for the driver's name
		}
		c.unreadableLogged = true
		c.r.countGap(gapUnreadable)
		c.target.logger().Warn("the log of this container cannot be read over the engine's API, it is left out until the container is started again",
			zap.String("driver", c.target.details.Driver), zap.Error(err), zap.String("remedy", remedyUnreadable))
	}
	c.setState(stateUnreadable)
	return endUnreadable
}

// Add implements source.Output.
func (c *capture) Add(rec source.Record) (full bool) {
	if c.batch == nil {
		c.batch = c.r.outbox.batch()
	}
	c.batch.Add(rec.Record, rec.Delivered, batch.UIDOf(c.target.id, rec.ID, rec.Ordinal))
	return c.batch.Full()
}

// Flush implements source.Output.
func (c *capture) Flush(ctx context.Context) error {
	b := c.batch
	c.batch = nil
	if b == nil {
		return nil
	}
	selected := (!c.link.Woken() && c.target.origin != nil) || c.target.refresh(ctx)
	c.link.records.Add(int64(b.Len()))
	b.Origin = c.target.origin
	err := c.r.outbox.put(ctx, b, c.source, c.buffer)
	if err == nil && !selected {
		err = errExcluded // what has been read already is of before
	}
	return err
}

// useBuffer makes the capture use a buffer of that many bytes, or none.
func (c *capture) useBuffer(size int) {
	switch {
	case size == 0:
		c.buffer = nil
	case c.buffer == nil || c.buffer.size != int64(size):
		c.buffer = newRoom(int64(size))
	}
}

// pause waits, and returns at once when something happens to the container. It reports
// false when the receiver stops.
func (c *capture) pause(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	c.setState(stateWaiting)
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
}
