// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"io"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// badRecord is a record that the engine cannot read, and at which every stream that comes
// to it ends, with an error or without. What is behind it can be read, with a tail that
// does not reach so far back.
type badRecord struct {
	stops int  // streams in a row that ended so before anything new
	found bool // there is one
	after int  // how many records, as tail counts, are certainly behind it
}

// badRecordStops is how many streams have to end so before the record is given up.
const badRecordStops = 3

// limit shortens a tail so that it does not reach a bad record. It reports false where
// nothing is behind that.
func (b *badRecord) limit(tail int) (int, bool) {
	if !b.found {
		return tail, true
	}
	if tail == 0 || tail > b.after {
		tail = b.after
	}
	return tail, tail > 0
}

// passed counts the records of a read that did not come to the bad one: so many frames, of
// which those up to known had been read before.
func (b *badRecord) passed(frames, known int) {
	switch {
	case !b.found:
	case known > 0:
		b.after += frames - known
	default:
		b.after = max(b.after, frames)
	}
}

// retryOrSkip returns the error with which a stream ended at a record that the engine
// cannot read, so that it is opened again; or, the third time, passes over the record.
func (r *reading) retryOrSkip(ctx context.Context, err error) error {
	if r.bad.stops++; r.bad.stops < badRecordStops {
		return err
	}
	return r.skipBadRecord(ctx, err)
}

// skipBadRecord finds how far back the log can be read, and lets later reads go on from
// there. why is the error with which a stream ended at the bad record, nil if none did.
func (r *reading) skipBadRecord(ctx context.Context, why error) error {
	r.bad.stops = 0
	last := r.bad
	found, err := r.findBadRecord(ctx)
	if err != nil || !found.isNew || found.known {
		return err
	}
	if endsAtBadRecord(why) {
		err := r.readBefore(ctx, found)
		if err == nil { // that took its time, and more has been written behind the bad record
			_, err = r.findBadRecord(ctx)
		}
		if err != nil {
			r.bad = last // to be found again
			return err
		}
	}
	if !last.found || !r.pos.Blank() { // else nothing has been read since the last gap
		r.gap(GapUnreadableRecord)
	}
	return nil
}

// behindBad are the records behind a bad one.
type behindBad struct {
	probe
	isNew bool // the bad record was not known
}

// seen reports whether an earlier read has met the bad record: what stands directly behind it is
// known, or may have been and be forgotten. Else that read had a hole there which it could not notice,
// as more was written meanwhile.
func (b *behindBad) seen() bool { return b.known && (b.first || b.oldest) }

// findBadRecord finds how many records can be read behind the bad one, if there is one.
func (r *reading) findBadRecord(ctx context.Context) (found behindBad, err error) {
	good, bad := 0, 0 // tails that can and cannot be read
	var newest int64
	try := func(n int) error {
		p, err := r.probe(ctx, n)
		if err != nil {
			return err
		}
		if n == 1 {
			newest = p.newest
		}
		// One that ends before the newest record ends early. One that has fewer records
		// than were asked for has a hole, or all of the log.
		if p.failed == nil && p.frames > 0 && p.newest >= newest && p.frames >= n {
			good, found.probe = n, p
		} else {
			bad = n
		}
		return nil
	}
	for n := 1; bad == 0 && n <= maxTail; n *= 2 {
		if err := try(n); err != nil {
			return found, err
		}
	}
	for bad-good > 1 {
		if err := try((good + bad) / 2); err != nil {
			return found, err
		}
	}
	gone := bad == 0
	if !gone {
		if gone, err = r.readable(ctx, 2*bad+overlap); err != nil {
			return found, err
		}
	}
	if gone {
		r.bad = badRecord{}
		return found, nil
	}
	found.isNew = !r.bad.found || good > r.bad.after
	r.bad.found, r.bad.after = true, good
	return found, nil
}

// probe is what the last records of a log are.
type probe struct {
	frames  int           // as tail counts
	records int           // lines that are whole
	known   bool          // one of them was known before this Read
	first   bool          // the first of them was
	oldest  bool          // the oldest that is remembered is among them
	newest  int64         // the latest time, nanoseconds since the epoch
	failed  error         // of the engine, in place of a record
	ids     []position.ID // the oldest, maxProbed at most
}

// maxProbed bounds the memory of a probe: twice what is looked at for holes, and some.
const maxProbed = 4 * position.MaxRecords

// probe reads the last tail records and hands none of them on.
func (r *reading) probe(ctx context.Context, tail int) (p probe, err error) {
	ctx, cancel := context.WithTimeout(ctx, StuckAfter)
	defer cancel()
	body, err := r.engine.Client.Logs(ctx, r.id, engine.LogsQuery{Tail: tail})
	if err != nil {
		return p, &openError{err}
	}
	defer func() { _ = body.Close() }()
	records := r.engine.reader(body, r.container.TTY, false)
	defer r.engine.recycle(records, false)
	judge := r.pos.Begin(tail, false)
	defer func() {
		p.frames = records.Frames()
		for _, begun := range records.Begun() {
			p.newest = max(p.newest, begun)
		}
		if err == nil {
			r.hang.answeredTail()
		} else if p.frames == 0 && errors.Is(err, context.DeadlineExceeded) {
			r.hang.seen = true
		}
	}()
	for {
		rec, err := records.Next()
		var fromEngine *stream.EngineError
		switch {
		case err == nil:
			p.records++
			p.newest = max(p.newest, rec.Time)
			id := position.IDOf(rec)
			if len(p.ids) < maxProbed {
				p.ids = append(p.ids, id)
			}
			seq, found := judge.Find(id, rec.Coarse)
			p.known = p.known || found && seq < r.began
			p.first = p.first || p.records == 1 && found && seq < r.began
			p.oldest = p.oldest || found && seq == r.pos.Oldest()
		case err == io.EOF:
			return p, nil
		case errors.As(err, &fromEngine):
			p.failed = err
			return p, nil
		default:
			return p, err
		}
	}
}
