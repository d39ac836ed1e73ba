// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"context"
	"math"
	"time"
)

// schedule says how many lines are due when. Times are since the first line.
type schedule struct {
	rate       float64 // lines per second
	burstSize  uint64
	burstEvery time.Duration
}

func (s schedule) flatOut() bool { return s.rate == 0 && s.burstSize == 0 }

// due is how many lines should be out at a time. It never falls.
func (s schedule) due(at time.Duration) uint64 {
	switch {
	case at < 0:
		return 0
	case s.flatOut():
		return math.MaxUint64
	}
	n := uint64(0)
	if s.rate > 0 {
		n = 1 + uint64(min(at.Seconds()*s.rate, maxSeq))
	}
	if s.burstSize > 0 {
		n += s.burstSize * (1 + min(uint64(at/s.burstEvery), maxSeq/s.burstSize))
	}
	return n
}

// at is when line seq is due: the first instant at which due reaches it. By bisection, as a rate and bursts together have no simple
// inverse; it is computed once per wait.
func (s schedule) at(seq uint64) time.Duration {
	if s.flatOut() {
		return 0
	}
	early, late := time.Duration(0), time.Duration(math.MaxInt64)
	for early < late {
		middle := early + (late-early)/2
		if s.due(middle) >= seq {
			late = middle
		} else {
			early = middle + 1
		}
	}
	return late
}

// sleep is false if the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
