// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"sync/atomic"
	"time"
)

// never is for timers that are made now and set later.
const never = 1 << 62

// watch ends a request for logs that gives no sign of life, that the pipeline holds up,
// or that has lived its time. Its timers only cancel: the capture's goroutine, which
// then finds its read ended, does the rest.
type watch struct {
	signs      atomic.Int64 // of life
	delivering atomic.Bool  // the pipeline's silence, not the engine's
	silence    *time.Timer
	stall      *time.Timer // of a follow, else nil
	life       *time.Timer // of a follow that has one, else nil
}

func (c *capture) watch(follow bool, life time.Duration, cancel context.CancelCauseFunc) *watch {
	w := &watch{}
	patience, cause := stuckAfter, errStuck
	if follow {
		patience, cause = jitter(c.silence), errSilent
		w.stall = time.AfterFunc(never, func() { cancel(errStalled) })
		if life > 0 {
			w.life = time.AfterFunc(life, func() { cancel(errExpired) })
		}
		c.recall.Store(&cancel)
	}
	var last int64
	w.silence = time.AfterFunc(never, func() {
		if signs := w.signs.Load(); signs != last || w.delivering.Load() {
			last = signs
			w.silence.Reset(patience)
			return
		}
		cancel(cause)
	})
	w.silence.Reset(patience)
	return w
}

// alive is called when something has been read.
func (w *watch) alive() { w.signs.Add(1) }

// pipeline tells that the pipeline has been given something, or is done with it.
func (w *watch) pipeline(busy bool) {
	w.delivering.Store(busy)
	w.alive()
	switch {
	case w.stall == nil:
	case busy:
		w.stall.Reset(stallGrace)
	default:
		w.stall.Stop()
	}
}

func (c *capture) unwatch(w *watch) {
	c.recall.Store(nil)
	for _, timer := range []*time.Timer{w.silence, w.stall, w.life} {
		if timer != nil {
			timer.Stop()
		}
	}
}
