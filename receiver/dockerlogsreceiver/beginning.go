// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// beginning is where to begin with a container that has not been seen before.
type beginning struct {
	frontier *position.Frontier
	backlog  bool // what its log holds is of before we knew of it: the bounds of backfill are for that
	passed   bool // all that its log holds is left alone
}

// beginningOf decides where to begin with a container that this process has not seen before.
// What is known of it may come from a list, or only from an event.
func (o *owner) beginningOf(s engine.Summary) beginning {
	whole, fromNow := beginning{frontier: position.Start(0)}, beginning{frontier: position.Start(o.floor)}
	damaged := false
	if o.r.store != nil {
		var frontier *position.Frontier
		frontier, damaged = o.r.store.take(s.ID)
		if frontier != nil {
			return beginning{frontier: frontier}
		}
	}
	atBeginning := o.r.cfg.StartAt == StartAtBeginning
	switch {
	case damaged && !atBeginning:
		return fromNow
	case damaged:
		return o.backlog()
	case o.listed && o.isNew(s):
		return whole
	case o.listed:
		return o.backlog() // it has not been selected before
	case atBeginning && (s.Running || s.EndedThisHour):
		if o.isNew(s) {
			return whole
		}
		return o.backlog()
	}
	fromNow.passed = !s.Running && !o.outageLogged // else it may have ended since we were started
	return fromNow
}

// isNew reports whether a container has been made since the containers were last listed, or
// we were started: all that its log holds is of after that. An event is of one that has just
// been made.
func (o *owner) isNew(s engine.Summary) bool {
	return s.Created.IsZero() || !s.Created.Before(o.looked)
}

// backlog is the beginning of a log, as far as backfill allows.
func (o *owner) backlog() beginning {
	bounds := o.r.cfg.Backfill
	floor := int64(0)
	if bounds.MaxAge > 0 {
		now := o.floor // what has been written since we were started is read in any case
		if clock := o.r.engine.Now(); o.listed && !clock.IsZero() {
			now = clock.UnixNano()
		}
		floor = now - bounds.MaxAge.Nanoseconds()
	}
	return beginning{frontier: position.Start(floor), backlog: bounds != BackfillConfig{}}
}
