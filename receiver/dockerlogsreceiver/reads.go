// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"cmp"
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// errExcluded ends a read of a container that is not selected any more.
var errExcluded = errors.New("the container is not selected any more")

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
		c.joined.follow()
	}
	c.setState(state)
	began := time.Now()
	result := c.source.Read(reading, &c.target.details, plan, c)
	c.joined.read()
	c.link.status.Read(result.End == source.Complete, leavesMore(plan, result), c.source.Repeats())
	c.report(result)
	if result.End == source.Complete {
		if err := c.settleEntries(ctx, began, result.Until); err != nil {
			result.End, result.Err = source.Stopped, err
		} else if !c.joined.holdsBack(began) {
			c.link.completeRead.Store(began.UnixNano())
		}
	}
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
	if react.pause && !c.pause(ctx, status.NeedEngine, c.planner.backoff.NextBackOff()) {
		return endCanceled, false
	}
	return endNone, result.End == source.Complete
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

// countUnread tells of a gap if a container that is gone has not been read to its end.
func (c *capture) countUnread() {
	c.beginRun()
	inspected := c.target.chosen.Strategy != ""
	if !c.source.FullyRead() && (inspected || c.link.wanted.Load()) {
		c.tellGap(gapRemoved, "this container was removed before its last lines could be read", remedyRemoved)
	}
}

// unreadable ends the capture of a container whose log cannot be read.
func (c *capture) unreadable(ctx context.Context, err error) ending {
	if !c.unreadableLogged {
		if c.target.details.Unseen {
			c.target.refresh(ctx) // for the driver's name
		}
		c.unreadableLogged = true
		c.tellGap(gapUnreadable, "the log of this container cannot be read over the engine's API, it is left out until the container is started again",
			remedyUnreadable, zap.String("driver", c.target.details.Driver), zap.Error(err))
	}
	c.setState(stateUnreadable)
	c.link.status.Unreadable(unreadableReason(c.target.details.Driver))
	return endUnreadable
}

// leavesMore reports whether a read is known to have left something in the log.
func leavesMore(plan strategy.Plan, r source.Result) bool {
	if plan.Follow {
		return r.End == source.Behind || r.End == source.StalledPipeline
	}
	return r.End != source.Complete && r.New > 0
}

// Add implements source.Output.
func (c *capture) Add(rec source.Record) (full bool) {
	if c.joined != nil {
		c.joined.add(rec)
	} else {
		c.addTo(c.filling(), rec.Record, rec.ID, rec.Ordinal, rec.Delivered)
	}
	return c.batch != nil && (c.batch.Full() || c.limit.full(c.batch.Len(), c.link.follows()))
}

// addTo adds a record, which is made of lines, to a batch, unless the rate limit drops it.
func (c *capture) addTo(b *batch.Batch, rec stream.Record, id position.ID, ordinal int, lines ...position.Delivered) {
	if c.limit.drop(lines[len(lines)-1].ID) {
		b.Skip(lines...)
		return
	}
	b.Add(rec, batch.UIDOf(c.target.id, id, ordinal), lines...)
}

// filling returns the batch that is being filled.
func (c *capture) filling() *batch.Batch {
	if c.batch == nil {
		c.batch = c.r.outbox.batch()
	}
	return c.batch
}

// Flush implements source.Output.
func (c *capture) Flush(ctx context.Context) error {
	b := c.batch
	if b == nil && !c.joined.pending() {
		return nil
	}
	selected := (!c.link.Woken() && c.target.origin != nil) || c.target.refresh(ctx)
	var err, slowed error
	if b != nil {
		c.batch = nil
		c.link.records.Add(int64(b.Len()))
		b.Origin = c.target.origin
		c.link.origin.Store(b.Origin)
		c.r.countRateLimited(b.Skipped)
		slowed = c.slowDown(ctx, b)
		c.handing(b, !c.link.follows())
		err = c.r.outbox.put(ctx, b, c.source, c.buffer)
		c.link.status.Handed()
	}
	c.joined.wait(c.target.origin, 0)
	if err == nil && !selected {
		err = errExcluded // what has been read already is of before
	}
	return cmp.Or(err, slowed)
}

// handing shows that a batch is about to be put into the outbox; more says that the log may hold
// more.
func (c *capture) handing(b *batch.Batch, more bool) {
	c.link.status.Handing(status.Batch{
		Records: b.Len(), Bytes: b.Bytes[0] + b.Bytes[1], RateLimited: b.Skipped, Oldest: b.Oldest, Newest: b.Newest(), More: more,
	})
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
