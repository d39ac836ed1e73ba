// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// follow reads the log as it is written.
func (r *reading) follow(ctx context.Context, plan strategy.Plan) error {
	if r.hang.active(time.Now()) {
		return errTailHangs
	}
	tail := r.tail()
	if r.pos.AtFloor() {
		tail = 0 // nothing in the log proves where the floor is: begin before it
	}
	tail, ok := r.bad.limit(tail)
	if !ok {
		return errBadNewest
	}
	began := time.Now()
	r.fullyRead = false
	r.length = 0
	got, err := r.read(ctx, engine.LogsQuery{Tail: tail, Since: r.since(), Follow: true}, plan, r.pos.Begin(tail, true))
	r.rate.observe(time.Now(), got.newest)
	r.Lived = time.Since(began)
	r.minTail = 0
	if r.New > 0 {
		r.silence.reset()
		r.clock.note(r.pos.Last(), r.engine.Client.Now())
	} else {
		r.pos.Shrink()
	}
	switch {
	case errors.Is(err, errSilent):
		return r.verifySilence(ctx)
	case errors.Is(err, errExpired) && got.frames == 0 && tail > 0 && !r.pos.Empty():
		// What is known should have come. Either the log was emptied, or the engine hangs.
		if err := r.verifySilence(ctx); err != nil {
			return err
		}
		if r.End == Silent {
			r.End = Expired
		}
	case err != nil || r.End != "":
		return err
	case got.outcome == position.Short:
		r.End = Behind
		r.minTail = min(tailGrowth*tail, maxTail)
	default:
		r.End = Ended
		r.fullyRead = true
		r.silence.expire() // whether that was the end of the log is verified by the next read
	}
	return nil
}

// verifySilence asks the engine whether the container has really been as silent as the
// follow that has just been closed.
func (r *reading) verifySilence(ctx context.Context) error {
	r.silence.double(time.Now())
	known, err := r.knowsNewest(ctx)
	if err != nil {
		return err
	}
	before := r.New
	if !known || r.engine.BySeconds() {
		if err := r.catchUp(ctx); err != nil {
			return err
		}
	}
	if r.End = Silent; r.New > before {
		r.End = Dead
	}
	return nil
}

// busyFor is how long a follow may bring twice its plan's MaxRate: a burst of a few lines, or
// a small backlog, is not reason enough to end it.
const busyFor = 10 * time.Second

// meter finds out whether a follow brings more than limit records a second. It is a bucket
// that holds what comes in busyFor at that rate, and drains at it.
type meter struct {
	limit float64 // 0 = none
	level float64
	at    time.Time
}

// exceeds counts n records and reports whether the bucket overflows.
func (m *meter) exceeds(now time.Time, n int) bool {
	if m.limit == 0 {
		return false
	}
	m.level = max(0, m.level-now.Sub(m.at).Seconds()*m.limit) + float64(n)
	m.at = now
	return m.level > m.limit*busyFor.Seconds()
}
