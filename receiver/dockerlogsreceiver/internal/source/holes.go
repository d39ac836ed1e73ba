// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"slices"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// fillHoles looks for what the engine left out of an answer. Engine 20.10 reads ahead in a
// json-file, throws that away where it cannot decode a record, and goes on behind it
// without a word. Such an answer has fewer records than were asked for, as that of a short
// log has. What tells them apart is to ask for as many as came: of a short log the same
// come again. Engine 28 ends such an answer at the bad record, also without a word. An answer
// may have more records than were asked for, too: a journal is read to its end, and what is
// written meanwhile comes at the end.
//
// Where there is a hole, all that is behind the bad record is read once more. What is
// found so comes late.
func (r *reading) fillHoles(ctx context.Context, tail int, got answered) error {
	whole := r.length
	r.length = 0
	switch {
	case r.pos.Blank():
		return nil // nothing would prove that the second answer begins where the first did
	case r.asksForAll(), got.frames == 0, got.reaches(tail), got.frames > position.MaxRecords:
		return nil
	case got.frames == whole && got.newest == 0:
		r.length = whole
		return nil
	}
	ask := got.frames
	for range asksAgain {
		again, err := r.read(ctx, engine.LogsQuery{Tail: ask}, strategy.Plan{}, r.pos.Begin(ask, false))
		if err != nil && (endOf(err) == Removed || endOf(err) == Failed) {
			return nil // what came has been delivered
		}
		if err != nil && endOf(err) != EngineError {
			return err
		}
		if err == nil && got.frames < overlap && again.outcome == position.Short {
			return nil // as many have been written meanwhile, the next read asks for more
		}
		if err != nil || again.outcome != position.Complete || !again.sameAs(got, ask) {
			break
		}
		ask += again.newest
		if again.first == got.first {
			r.length = ask
			return nil
		}
		// It begins later by what was written between the two, and perhaps behind the hole.
	}
	// Or it has rotated between the two.
	if readable, err := r.readable(ctx, cmp.Or(tail, maxTail)); readable || err != nil {
		return err
	}
	last := r.bad
	behind, err := r.findBadRecord(ctx)
	switch {
	case err != nil || !r.bad.found:
		return err
	case behind.frames == 0: // nothing yet
		r.bad, r.length = last, got.frames
		return nil
	case behind.isNew && !behind.seen():
		r.out.Gap(GapUnreadableRecord)
	}
	if behind.oldest {
		return nil // some of them may have been delivered and forgotten
	}
	_, err = r.read(ctx, engine.LogsQuery{Tail: r.bad.after}, strategy.Plan{}, r.pos.BeginBehind(r.bad.after))
	return err
}

// asksAgain is how often an answer is compared with a later one that begins where it does.
const asksAgain = 3

// hidesKnown reports whether an answer that holds nothing known has a hole, in which that may
// be. Later reads then begin behind the bad record.
func (r *reading) hidesKnown(ctx context.Context, tail int, got answered) (bool, error) {
	if r.asksForAll() || r.bad.found || got.frames == 0 || got.reaches(tail) {
		return false, nil
	}
	readable, err := r.readable(ctx, cmp.Or(tail, got.frames+overlap))
	if readable || err != nil {
		return false, err
	}
	err = r.skipBadRecord(ctx, nil)
	return r.bad.found, err
}

// reaches reports whether an answer has as many records as a tail asked for; 0 asks for all.
func (got answered) reaches(tail int) bool { return tail > 0 && got.frames >= tail }

// sameAs reports whether an answer, to the question for as many records as were in an
// earlier one and have come since, has the same records, and those that have been written since.
func (got answered) sameAs(earlier answered, asked int) bool {
	more := got.frames - asked // written while it was read
	return more >= 0 && got.late == 0 && got.passed == max(0, earlier.passed-(got.newest-more))
}

// readable reports whether the engine leaves out nothing of the last n records, or of all
// if there are fewer. The log may be written to, or rotate, between two requests; hardly
// so often.
func (r *reading) readable(ctx context.Context, n int) (bool, error) {
	for range 3 {
		all, err := r.probe(ctx, n)
		switch {
		case err != nil || all.failed != nil || all.frames == 0:
			return false, err
		case all.frames >= n:
			return true, nil
		}
		again, err := r.probe(ctx, all.frames)
		switch {
		case err != nil:
			return false, err
		case again.failed == nil && again.frames >= all.frames && again.continues(all):
			return true, nil
		}
	}
	return false, nil
}

// continues reports whether a probe of as many records as an earlier one had goes on with
// it: what it lacks at the beginning it has more at the end.
func (p *probe) continues(earlier probe) bool {
	if len(p.ids) == 0 {
		return false
	}
	first := slices.Index(earlier.ids, p.ids[0])
	if first < 0 {
		return false
	}
	same := earlier.ids[first:]
	return len(p.ids) >= len(same) && slices.Equal(same, p.ids[:len(same)])
}
