// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/multiline"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
)

// joined joins the lines of a capture. The capture's goroutine adds them, and ends entries
// when it knows that no more lines of them come. While it waits for a follow it cannot; then
// the outbox's goroutine ends those to which nothing has come for force_flush_period. That
// uses the capture's rate limit too, which the capture leaves alone meanwhile.
type joined struct {
	c      *capture
	rules  multiline.Rules
	mu     sync.Mutex // guards what is below
	joiner *multiline.Joiner
	into   func() *batch.Batch // what the joiner's entries go to

	added     time.Time // when the last line was
	following bool
	origin    *batch.Origin
	due       time.Time // when what is pending is to leave, zero while more may have been read
	held      bool      // the outbox will ask
	complete  time.Time // when the read began whose last entries are pending; zero where there is none
}

func newJoined(c *capture, rules multiline.Rules) *joined {
	j := &joined{c: c, rules: rules}
	j.joiner = multiline.NewJoiner(rules.Grammar, rules.Limits, j.emit)
	return j
}

func (j *joined) emit(e multiline.Entry) {
	j.c.addTo(j.into(), e.Record, e.ID, e.Ordinal, e.Lines...)
}

// with calls f, whose entries go to the batch that the capture is filling. The capture's
// goroutine calls it.
func (j *joined) with(f func(*multiline.Joiner)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.due = time.Time{}
	j.into = j.c.filling
	f(j.joiner)
}

func (j *joined) add(rec source.Record) {
	j.with(func(joiner *multiline.Joiner) {
		joiner.Add(rec)
		j.added = time.Now()
	})
}

// pending reports whether an entry may get more lines. j may be nil.
func (j *joined) pending() bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.joiner.Pending()
}

// holdsBack reports whether the last entries of a read to the end of the log are pending. That
// the read is complete is said once they have left. j may be nil.
func (j *joined) holdsBack(began time.Time) bool {
	if j == nil {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.complete = time.Time{}
	if j.joiner.Pending() {
		j.complete = began
	}
	return !j.complete.IsZero()
}

// settled returns how long to wait before a read shows that what is pending has no more lines.
func (j *joined) settled() time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	// The engine's clock may have been ahead.
	return min(time.Until(j.joiner.Settled()), time.Until(j.added.Add(j.rules.Period))) + time.Millisecond
}

// follow says that a follow begins, which may bring nothing.
func (j *joined) follow() {
	if j != nil {
		j.setFollowing(true)
		j.wait(j.c.target.origin, followOpens)
	}
}

// followOpens is how long a follow may take to bring what the log holds already.
const followOpens = time.Second

// read says that the read is over.
func (j *joined) read() {
	if j != nil {
		j.setFollowing(false)
	}
}

func (j *joined) setFollowing(on bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.following, j.due = on, time.Time{}
}

// wait makes the outbox end what is pending in a while, if the capture follows and nothing is
// added meanwhile.
func (j *joined) wait(origin *batch.Origin, more time.Duration) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.following || origin == nil || !j.joiner.Pending() {
		return
	}
	j.origin, j.due = origin, time.Now().Add(j.rules.Period+more)
	if !j.held {
		j.held = true
		j.c.r.outbox.hold(j, j.due)
	}
}

// releaseAgain is when the outbox asks again after it has found the capture joining lines.
const releaseAgain = 10 * time.Millisecond

// releaseHeld implements holder. It does not wait for the capture, which may have a slow pattern
// and a long line: the goroutine that calls it delivers the records of all containers.
func (j *joined) releaseHeld(now time.Time) time.Time {
	if !j.mu.TryLock() {
		return now.Add(releaseAgain)
	}
	defer j.mu.Unlock()
	if j.due.After(now) {
		return j.due
	}
	j.held = false
	if j.due.IsZero() {
		return time.Time{}
	}
	j.due = time.Time{}
	b := j.c.r.outbox.batch()
	b.Origin = j.origin
	j.into = func() *batch.Batch { return b }
	j.joiner.EndAll()
	j.c.limit.take(b.Len()) // the next read waits for it
	j.c.r.countRateLimited(b.Skipped)
	// While nothing can be added to it, so that the order is that of the log.
	j.c.handing(b, false)
	j.c.r.outbox.offer(b, j.c.source, j.c.r.outbox.room, true)
	j.c.link.status.Handed()
	if !j.complete.IsZero() {
		j.c.link.completeRead.Store(j.complete.UnixNano())
		j.complete = time.Time{}
	}
	return time.Time{}
}

// useMultiline makes the target's rules those of its lines from now on.
func (c *capture) useMultiline() {
	rules := c.target.chosen.Multiline
	if c.joined != nil && !c.joined.rules.Equal(rules) {
		c.joined.with((*multiline.Joiner).EndAll)
		c.joined = nil
	}
	if c.joined == nil && rules.Grammar != nil {
		c.joined = newJoined(c, rules)
	}
	if now := &c.target.details; c.joined != nil && !now.FinishedAt.IsZero() && !now.StartedAt.Before(now.FinishedAt) {
		// The engine notes both times late, or early: the lines of a run may lie around them.
		between := now.FinishedAt.Add(now.StartedAt.Sub(now.FinishedAt) / 2)
		c.joined.with(func(joiner *multiline.Joiner) { joiner.RunEnded(between.UnixNano()) })
	}
}

// settleEntries ends the entries that get no more lines, after a read to the end of the log
// that began at a time of ours: those to which nothing was added that the engine stamped
// before until, and all where nothing was for as long before the read, or the container does
// not run.
func (c *capture) settleEntries(ctx context.Context, began, until time.Time) error {
	if !c.joined.pending() {
		if c.batch == nil {
			return nil
		}
		return c.Flush(ctx) // what a gap ended
	}
	c.joined.with(func(joiner *multiline.Joiner) {
		switch {
		case !c.target.details.Running, began.Sub(c.joined.added) > c.joined.rules.Period:
			joiner.EndAll()
		case !until.IsZero():
			joiner.EndBefore(until)
		}
	})
	return c.Flush(ctx)
}

// endEntries delivers what is pending when the capture ends. Where the receiver stops and has
// a storage it does not: the next process reads it again, and what is written meanwhile may
// go on with it.
func (c *capture) endEntries(ctx context.Context) {
	if !c.joined.pending() || c.ended == endResting || (c.ended == endCanceled && c.r.store != nil) {
		return
	}
	c.joined.with((*multiline.Joiner).EndAll)
	if err := c.Flush(ctx); err != nil {
		c.target.logger().Debug("the last record is on its way", zap.Error(err))
	}
}
