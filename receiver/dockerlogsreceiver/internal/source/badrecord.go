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
	return r.skipBadRecord(ctx)
}

// skipBadRecord finds how far back the log can be read, and lets later reads go on from
// there.
func (r *reading) skipBadRecord(ctx context.Context) error {
	r.bad.stops = 0
	good, reached := 0, false // a tail that can be read, and whether it reaches what is known
	bad := 0                  // one that cannot
	var newest int64
	whole := false // the last answer was the whole log
	try := func(n int) error {
		p, err := r.probe(ctx, n)
		if err != nil {
			return err
		}
		if n == 1 {
			newest = p.newest
		}
		// An answer that ends before the newest record ends early.
		if p.failed == nil && p.frames > 0 && p.newest >= newest {
			good, reached, whole = n, p.known, p.frames < n
		} else {
			bad = n
		}
		return nil
	}
	for n := 1; bad == 0 && !whole && n <= maxTail; n *= 2 {
		if err := try(n); err != nil {
			return err
		}
	}
	for bad-good > 1 {
		if err := try((good + bad) / 2); err != nil {
			return err
		}
	}
	if bad == 0 {
		r.bad = badRecord{} // it is gone
		return nil
	}
	again := r.bad.found && good <= r.bad.after
	r.bad.found, r.bad.after = true, good
	if !again && !reached {
		r.gap(GapUnreadableRecord)
	}
	return nil
}

// probe is what the last records of a log are.
type probe struct {
	frames  int   // as tail counts
	records int   // lines that are whole
	known   bool  // one of them is known
	newest  int64 // the latest time, nanoseconds since the epoch
	failed  error // of the engine, in place of a record
}

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
	}()
	for {
		rec, err := records.Next()
		var fromEngine *stream.EngineError
		switch {
		case err == nil:
			p.records++
			p.newest = max(p.newest, rec.Time)
			p.known = judge.Find(position.IDOf(rec), rec.Coarse) || p.known
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
