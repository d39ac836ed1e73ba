// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	// sentBehindErrors is how many records Engine 26 may have ready when it meets one that it
	// cannot read. Before each of them it tosses a coin whether to send that or the error, and
	// behind the error it sends nothing.
	sentBehindErrors = 4096
	// lastTries is how often the last record is asked for, which comes every other time.
	lastTries = 16
)

// readBefore reads what the log holds between what is known and a bad record, where answers
// end with an error that came ahead of records. An answer that ends before the bad record,
// because of its Until, has all that is before that time. When the last of them was written
// nobody knows: it is found by halving, with some 35 answers, and 62 at most.
func (r *reading) readBefore(ctx context.Context, behind behindBad) error {
	if r.engine.BySeconds() {
		return nil
	}
	defer func(bad badRecord) { r.bad = bad }(r.bad)
	r.bad = badRecord{} // none of these records is behind it
	// No record of them is later than to; all up to from have come, and later says that others
	// have not.
	from, to, later := int64(0), r.engine.Client.Now().UnixNano(), false
	if len(behind.ids) > 0 {
		to = behind.ids[0].Time + int64(stream.Overtaking)
	}
	query, further := engine.LogsQuery{}, false
	for {
		if !r.pos.Blank() {
			query.Tail = 2 * (behind.frames + sentBehindErrors)
		}
		if !r.pos.Empty() {
			// That record is sent again, which proves that nothing is left out.
			newest := r.pos.Newest()
			if newest > from {
				from, later = newest, false
			}
			if query.Since = newest; further {
				query.Since = r.pos.Since()
			}
		}
		if to-from < 2 {
			break
		}
		query.Until = from + (to-from)/2
		got, err := r.read(ctx, query, strategy.Plan{}, r.pos.Begin(query.Tail, false))
		switch {
		case endsAtBadRecord(err):
			to = query.Until
		case err != nil:
			return err
		case got.outcome == position.Complete, got.outcome == position.Early:
			from, later = query.Until, true
		case got.outcome == position.Short && !further:
			further = true // a line may have begun before the newest record
		default:
			return nil // the log has changed meanwhile, or what is known is too far back
		}
	}
	// An answer without an error ends before one that is later. That one was written at to.
	query.Since, query.Until = to, to
	for range lastTries {
		if !later || r.pos.Holds(to) {
			break
		}
		if _, err := r.read(ctx, query, strategy.Plan{}, r.pos.BeginBehind(query.Tail)); err != nil && !endsAtBadRecord(err) {
			return err
		}
	}
	return nil
}

// endsAtBadRecord reports whether the engine ended an answer with an error.
func endsAtBadRecord(err error) bool {
	var fromEngine *stream.EngineError
	return errors.As(err, &fromEngine)
}
