// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// answered is what one logs request came to.
type answered struct {
	outcome position.Outcome
	frames  int // that the engine sent, as tail counts
	passed  int // of those, how many were before the first one that was known
	newest  int // of those, how many were behind the last one that was known
	late    int // records that were new, and before one that was known
	first   position.ID
	last    position.ID
}

// read makes one logs request: it decodes the answer, leaves out what is known and hands
// what is new to the Output.
//
//	engine.Logs ─> stream.Reader ─> position.Judge ─> Output.Add ─> Output.Flush
func (r *reading) read(ctx context.Context, query engine.LogsQuery, plan strategy.Plan, judge *position.Reading) (got answered, err error) {
	request, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := watch(query.Follow, r.silence.wait, plan.Life, cancel)
	defer w.stop()
	defer func() {
		if query.Tail > 0 && !query.Follow && got.frames == 0 && errors.Is(err, errStuck) {
			r.hang.seen = true
		}
	}()
	r.asked = time.Now()
	body, err := r.open(request, query)
	if err != nil {
		if cause := context.Cause(request); cause != nil {
			return got, cause
		}
		return got, &openError{err}
	}
	defer func() { _ = body.Close() }()
	r.opened = r.engine.Client.Now()
	r.unterminated = nil

	var src io.Reader = body
	if !query.Follow {
		src = &coalescingReader{src: body}
	}
	records := r.engine.reader(src, r.container.TTY, query.Follow)
	defer r.engine.recycle(records, query.Follow)
	a := &answer{reading: r, judge: judge, watchdog: w, follow: query.Follow, records: records}
	if r.container.Unseen {
		records.Detect()
	}
	defer func() {
		got.frames, got.passed, got.newest, got.late = a.records.Frames(), a.framesPassed, a.records.Frames()-a.framesKnown, a.late
		got.first, got.last = a.first, a.last
		r.bad.passed(a.records.Frames(), a.framesKnown)
	}()
	rate := meter{limit: plan.MaxRate}

	for {
		rec, err := records.Next()
		clear := err != nil || a.admit(rec)
		w.alive()
		// A follow may be silent from now on; any other read goes on, or ends.
		more := err == nil && clear && (!query.Follow || records.Ready())
		if !more || a.full {
			n := a.pending
			if failed := a.flush(ctx); failed != nil {
				return got, failed
			}
			if rate.exceeds(time.Now(), n) && err == nil && clear && !more {
				r.End = Busy
				return got, nil
			}
		}
		switch {
		case !clear:
			got.outcome = position.Short
			return got, nil
		case err == io.EOF:
			if query.Until == 0 { // else the end of a line may be behind
				if err := a.finish(ctx, query.Follow); err != nil {
					return got, err
				}
			}
			got.outcome = a.judge.End(a.records.Frames())
			if got.outcome == position.Early && a.records.Pending() {
				got.outcome = position.Complete // the newest known record may be the line without an end
			}
			if got.outcome == position.Complete && a.judge.Proven() {
				r.pos.ClearFloor()
			}
			return got, nil
		case err != nil && context.Cause(request) != nil:
			return got, context.Cause(request)
		case err != nil:
			return got, err
		}
	}
}

// answer is the body of one logs request.
type answer struct {
	*reading
	*watchdog
	judge   *position.Reading
	records lines
	follow  bool
	// As stream.Reader counts: up to the last record before one that is known, and up to
	// the last that was not new.
	framesPassed int
	framesKnown  int
	added        int  // records that were new
	late         int  // of those, up to the last record that was not
	pending      int  // records added and not flushed
	full         bool // the Output wants to flush
	first        position.ID
	last         position.ID
}

// lines is where an answer's lines come from.
type lines interface {
	Frames() int // records of the engine so far, in the unit of tail
	Begun() [2]int64
	Pending() bool
	Flush(before int64) (stream.Record, bool)
}

// admit hands a record that is new to the Output. It reports false when the request did
// not reach far enough back to decide whether lines before the record are missing.
func (a *answer) admit(rec stream.Record) bool {
	id := position.IDOf(rec)
	if a.last = id; a.first == (position.ID{}) {
		a.first = id
	}
	switch a.judge.Judge(rec, id) {
	case position.Unclear:
		return false
	case position.Fresh:
		a.add(rec, id)
	case position.Ahead:
		a.pos.Meet(id)
		a.overlapping++
	case position.Repeat:
		a.repeated++
	case position.BeforeFloor:
		a.LeftOut = a.LeftOut || a.backfill.bounded
		a.pos.PassFloor(id)
		a.overlaps()
	case position.Passed:
		a.overlaps()
		a.framesPassed = a.framesKnown
	case position.Known:
		if a.added > 0 {
			a.pos.Renew(a.judge.LastKnown(), id)
		}
		a.overlaps()
	}
	return true
}

func (a *answer) overlaps() {
	a.framesKnown, a.late = a.records.Frames(), a.added
	a.overlapping++
}

func (a *answer) add(rec stream.Record, id position.ID) {
	ordinal := a.pos.Ordinal(id, rec.Coarse)
	d := position.Delivered{Seq: a.pos.Admit(id), ID: id}
	a.full = a.out.Add(Record{Record: rec, Delivered: d, Ordinal: ordinal})
	a.added++
	a.pending++
}

// flush lets what was added go on to the pipeline, for which it may have to wait.
func (a *answer) flush(ctx context.Context) error {
	a.suppressed()
	if a.judge.Proven() {
		a.judge.NotePartials(a.records.Begun())
	}
	if a.pending == 0 {
		return nil
	}
	a.New += a.pending
	a.Full = a.Full || a.full
	a.pending, a.full = 0, false
	a.pipeline(true)
	defer a.pipeline(false)
	if a.holdsSlot {
		// The engine rests while the pipeline works: others may read meanwhile. The wait
		// for the slot is not the engine's silence either.
		a.engine.Release()
		defer func() { a.holdsSlot = a.engine.Acquire(ctx, a.WaitsForSlot) }()
	}
	if err := a.out.Flush(ctx); err != nil {
		return cmp.Or(context.Cause(ctx), error(&outputError{err}))
	}
	if a.follow {
		a.pos.Trim()
	} else {
		a.pos.Bound()
	}
	return nil
}
