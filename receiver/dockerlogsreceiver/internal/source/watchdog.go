// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

const (
	// StallGrace is how long the pipeline may hold a follow up. A follow that is not read
	// makes the engine skip whole files; closed, what it would have sent stays on the
	// engine's disk.
	StallGrace = time.Second
	// StuckAfter is how long an engine may send nothing of what it has.
	StuckAfter = 30 * time.Second
	// A silence this long is verified. The time doubles while the container proves to be
	// silent.
	minSilence = time.Minute
	maxSilence = 16 * time.Minute
	// never is for timers that are made now and set later.
	never = 1 << 62
)

// watchdog ends a logs request that gives no sign of life, that the pipeline holds up, or
// that has lived its time. Its timers only cancel: the capture's goroutine, which then
// finds its read ended, does the rest.
type watchdog struct {
	signs      atomic.Int64 // of life
	delivering atomic.Bool  // the pipeline's silence, not the engine's
	silent     *time.Timer
	stall      *time.Timer // of a follow, else nil
	life       *time.Timer // of a follow that has one, else nil
}

func watch(follow bool, silence, life time.Duration, cancel context.CancelCauseFunc) *watchdog {
	w := &watchdog{}
	patience, cause := StuckAfter, errStuck
	if follow {
		patience, cause = strategy.Jitter(silence), errSilent
		w.stall = time.AfterFunc(never, func() { cancel(errStalled) })
		if life > 0 {
			w.life = time.AfterFunc(life, func() { cancel(errExpired) })
		}
	}
	var last int64
	w.silent = time.AfterFunc(never, func() {
		delivering := w.delivering.Load() // before the signs: the end of a delivery is one of them
		if signs := w.signs.Load(); signs != last || delivering {
			last = signs
			w.silent.Reset(patience)
			return
		}
		cancel(cause)
	})
	w.silent.Reset(patience)
	return w
}

// alive is called when something has been read.
func (w *watchdog) alive() { w.signs.Add(1) }

// pipeline is called before and after a wait for the pipeline.
func (w *watchdog) pipeline(busy bool) {
	if w == nil {
		return // of a read that waits for no engine
	}
	w.alive()
	w.delivering.Store(busy)
	switch {
	case w.stall == nil:
	case busy:
		w.stall.Reset(StallGrace)
	default:
		w.stall.Stop()
	}
}

func (w *watchdog) stop() {
	for _, timer := range []*time.Timer{w.silent, w.stall, w.life} {
		if timer != nil {
			timer.Stop()
		}
	}
}

// silence is how long a container may be silent before that is verified.
type silence struct {
	wait  time.Duration
	since time.Time // of the newest record, or the last verification
}

func (s *silence) reset() { s.wait, s.since = minSilence, time.Now() }

// expire makes the verification due, unless it has been done since the newest record.
func (s *silence) expire() {
	if s.wait == minSilence {
		s.since = time.Time{}
	}
}

func (s *silence) due(now time.Time) bool { return now.Sub(s.since) >= s.wait }

func (s *silence) double(now time.Time) { s.wait, s.since = min(2*s.wait, maxSilence), now }
