// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
)

// backfill bounds what is read of a log that is seen for the first time. Both bounds are a
// floor of the position: that is what the engine's API and its files have in common, and what
// is stored.
type backfill struct {
	bounded bool // what is before the floor is left out because of this
	records int  // from the end of the log that are read; 0 = all, or that they are found
	tail    int  // what the first read asks for
}

// backfillTail is what a first read asks for at least, in records. Where that does not reach
// back to the floor the next asks for eight times as much.
const backfillTail = 4096

// Backfill says that the log is seen for the first time, and that no more than so many records
// of it are to be read, 0 being all, and none before the floor of its frontier.
func (s *Source) Backfill(records int) {
	s.backfill = backfill{bounded: true, records: records, tail: max(records+overlap, backfillTail)}
	s.frontier.Undecided(records > 0)
}

// boundBacklog makes the time of the first record that is to be read the floor.
func (r *reading) boundBacklog(ctx context.Context) error {
	if r.backfill.records == 0 {
		return nil
	}
	if !r.engine.Acquire(ctx, r.WaitsForSlot) {
		return context.Cause(ctx)
	}
	defer r.engine.Release()
	oldest, found, err := r.firstOf(ctx, r.backfill.records)
	switch {
	case endsAtBadRecord(err):
		// Fewer records than that can be read, see badRecord.
	case errors.Is(err, errTailHangs):
		// The log has been emptied by hand, see hang: there is not much in it.
	case err != nil:
		return err
	case found:
		r.pos.RaiseFloor(oldest.Time)
	}
	r.backfill.records = 0
	r.frontier.Undecided(false)
	return nil
}
