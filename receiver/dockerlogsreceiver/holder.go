// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import "time"

// holder has records that wait for others, and leave at some time also where none come.
type holder interface {
	// releaseHeld puts into the outbox what is to leave by now, or returns when that will be; zero where
	// there is nothing left.
	releaseHeld(now time.Time) time.Time
}

// hold makes run ask a holder for what it holds at a time.
func (o *outbox) hold(h holder, until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.held[h] = until
	notify(o.wake)
}

// releaseHeld asks the holders whose time has come, and returns how long to wait for the next.
func (o *outbox) releaseHeld(now time.Time) (wait time.Duration) {
	var due []holder
	wait = never
	o.mu.Lock()
	for h, until := range o.held {
		if until.After(now) {
			wait = min(wait, until.Sub(now))
			continue
		}
		due = append(due, h)
		delete(o.held, h)
	}
	o.mu.Unlock()
	for _, h := range due { // they lock, and then the outbox
		if until := h.releaseHeld(now); !until.IsZero() {
			o.hold(h, until)
			wait = min(wait, until.Sub(now))
		}
	}
	return wait
}
