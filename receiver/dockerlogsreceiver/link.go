// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
)

// link is what the owner and the capture of one container share. All of it is safe for
// concurrent use.
type link struct {
	// status is what is shown of the container; nil where nothing is.
	status *status.Record
	// wake asks the capture to look at the container again: something happened to it. One
	// that is left when the capture ends makes the owner start it anew.
	wake chan struct{}
	// newRun is set when the container has been started since the capture last inspected it.
	newRun atomic.Bool
	// wanted is set while the container is selected, as far as is known.
	wanted atomic.Bool
	// What the budget of follows is dealt out by: whether the strategy keeps to it, what
	// the container writes, whether it has a stream and could use one.
	budgeted  atomic.Bool
	busy      atomic.Bool
	hasStream atomic.Bool
	records   atomic.Int64
	// origin is what the container was when it was last inspected; nil before the first time.
	origin atomic.Pointer[batch.Origin]
	// completeRead is when the last read began that came to the end of the log, and of which
	// all is in the outbox, in nanoseconds since the epoch.
	completeRead atomic.Int64
	// cancelFollow ends the follow that is open, if any.
	cancelFollow atomic.Pointer[context.CancelCauseFunc]
}

// Wake asks the capture to look again. It does not block.
func (l *link) Wake() { notify(l.wake) }

// notify leaves a notification in a channel that holds one, if there is none yet.
func notify(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Woken reports whether Wake has been called since the last time, and takes that.
func (l *link) Woken() bool {
	select {
	case <-l.wake:
		return true
	default:
		return false
	}
}

// Replan ends the follow that is open, and makes the capture ask its strategy again.
func (l *link) Replan() {
	if cancel := l.cancelFollow.Load(); cancel != nil {
		(*cancel)(source.ErrPreempted)
	}
	l.Wake()
}

// readSince reports whether the log has been read to its end, and put into the outbox, by a
// read that began later.
func (l *link) readSince(t time.Time) bool { return l.completeRead.Load() > t.UnixNano() }

// follows reports whether a follow is open.
func (l *link) follows() bool { return l.cancelFollow.Load() != nil }

// following returns a context that Replan ends, and a function to call when the read is
// over.
func (l *link) following(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	l.cancelFollow.Store(&cancel)
	return ctx, func() {
		l.cancelFollow.Store(nil)
		cancel(nil)
	}
}
