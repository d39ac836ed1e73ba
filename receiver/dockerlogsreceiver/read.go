// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	// overlap is how many records before the new ones a read asks for. The
	// position remembers at least as many.
	overlap = minMarks / 2
	// tailGrowth is the factor by which a tail that proved too short grows;
	// beyond maxTail the whole log is read.
	tailGrowth = 8
	maxTail    = 1 << 20
	// stallGrace is how long the pipeline may hold a follow up. A follow that is
	// not read makes the engine skip whole files; closed, what it would have sent
	// stays on the engine's disk.
	stallGrace = time.Second
	// stuckAfter is how long an engine may send nothing of what it has.
	stuckAfter = 30 * time.Second
	// A follow that is silent this long is checked. The time doubles while the
	// container proves to be silent indeed.
	minSilence = time.Minute
	maxSilence = 16 * time.Minute
)

// read makes one logs request: it decodes the answer, leaves out what is known and
// delivers what is new. The position moves with every batch that the pipeline
// has accepted.
func (c *capture) read(ctx context.Context, query engine.LogsQuery, life time.Duration) (outcome, error) {
	reading, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := c.watch(query.Follow, life, cancel)
	defer c.unwatch(w)
	if c.buffer != nil {
		c.collect()
	}
	body, err := c.r.engine.Logs(reading, c.id, query)
	if err != nil {
		if cause := context.Cause(reading); cause != nil {
			return complete, cause
		}
		return complete, c.opened(ctx, err)
	}
	defer func() { _ = body.Close() }()
	c.parting = nil

	var src io.Reader = body
	if !query.Follow {
		src = &gatherer{src: body}
	}
	records := c.r.getReader(src, c.details.TTY, query.Follow)
	defer c.r.putReader(records, query.Follow)
	seen := c.pos.read(query.Tail, query.Follow)
	defer c.discard()
	if c.poison.found {
		defer func() { c.poison.after += records.Frames() - seen.framesKnown }()
	}
	defer func() { c.rate.observe(time.Now(), records.Frames()-seen.framesKnown) }()

	for {
		rec, err := records.Next()
		clear := true
		if err == nil {
			clear = c.admit(seen, rec, records.Frames())
		}
		w.alive()
		// A follow may be silent from now on; any other read goes on, or ends.
		more := err == nil && clear && (!query.Follow || records.Ready())
		if c.batch != nil && (!more || c.batch.full()) {
			if failed := c.deliver(ctx, w); failed != nil {
				return complete, failed
			}
			c.pos.began(records.Begun())
		}
		switch {
		case !clear:
			return short, nil
		case err == io.EOF:
			if err := c.finish(ctx, records, seen, w, query.Follow); err != nil {
				return complete, err
			}
			return seen.end(records.Frames()), nil
		case err != nil && context.Cause(reading) != nil:
			return complete, context.Cause(reading)
		case err != nil:
			return complete, err
		}
	}
}

// opened makes sense of a request for logs that the engine did not grant.
func (c *capture) opened(ctx context.Context, err error) error {
	switch {
	case engine.IsNotFound(err):
		c.removed(ctx)
		return ended{endRemoved}
	case engine.IsUnreadable(err):
		if !c.warned {
			c.warned = true
			c.r.countGap("unreadable")
			c.log().Warn("the log of this container cannot be read over the engine's API, it is left out until the container is started again; "+
				"use the log driver local, json-file or journald, or enable dual logging", zap.String("driver", c.details.Driver), zap.Error(err))
		}
		c.setState(stateUnreadable)
		return ended{endUnreadable}
	default:
		return &openError{err}
	}
}

// removed takes note that the container is gone, with what had not been read of it.
func (c *capture) removed(ctx context.Context) {
	c.lastWords(ctx)
	if c.atEnd || (c.strategy == nil && !c.wanted.Load()) { // or it has never been looked at
		return
	}
	c.atEnd = true
	c.r.countGap("removed")
	c.log().Warn("this container was removed before its last lines could be read; " +
		"read it with the strategy streaming, or do not start it with --rm")
}

// admit puts a record that is new into the batch. It is false when the request did
// not reach far enough back to tell whether lines before the record are missing.
func (c *capture) admit(seen *continuity, rec stream.Record, frames int) bool {
	m := markOf(rec)
	switch seen.judge(rec, m) {
	case unclear:
		return false
	case fresh:
		c.take(rec, m)
	case repeat:
		c.r.tel.DockerLogsDuplicatesSuppressed.Add(context.Background(), 1, repeated)
	case known, passed:
		seen.framesKnown = frames
		c.r.tel.DockerLogsDuplicatesSuppressed.Add(context.Background(), 1, overlapping)
	}
	return true
}

// take puts a record into the batch.
func (c *capture) take(rec stream.Record, m mark) {
	if c.batch == nil {
		c.batch = c.r.getBatch()
	}
	c.batch.add(rec, m, uidOf(c.id, m, c.pos.ordinal(m, rec.Coarse)))
	c.pos.admit(m)
}

// deliver hands the batch downstream, or to the buffer, and moves the position behind it.
func (c *capture) deliver(ctx context.Context, w *watch) error {
	if err := c.refresh(ctx); err != nil {
		return err
	}
	b := c.batch
	b.resource = c.resource
	n := len(b.records)
	c.seen.full = c.seen.full || b.full()
	if c.slot {
		// The engine rests while the pipeline works: others may read meanwhile.
		c.r.release()
		defer func() { c.slot = c.r.acquire(ctx) }()
	}
	w.pipeline(true)
	defer w.pipeline(false)
	if c.buffer != nil {
		if err := c.buffer.put(ctx, b); err != nil {
			return err
		}
		c.batch = nil // it is the buffer's now
		c.pos.send()
		c.collect()
	} else {
		if err := c.r.deliver(c.r.delivering, ctx.Done(), b); err != nil {
			return err
		}
		c.save(b.marks)
		c.pos.send()
		c.pos.commit(n)
		c.discard()
	}
	c.wait.Reset() // what is new comes: the engine is well
	c.seen.records += n
	c.delivered.Add(int64(n))
	return nil
}

// save takes note for the storage, if there is one, of what the pipeline has accepted.
func (c *capture) save(marks []mark) {
	if c.r.store != nil {
		c.saved.add(marks)
	}
}

// discard lets go of the batch that is being filled. Its memory may be large, and this
// container silent for long.
func (c *capture) discard() {
	if c.batch != nil {
		c.r.putBatch(c.batch)
		c.batch = nil
	}
	c.pos.rollback()
}
