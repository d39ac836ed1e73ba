// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"io"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// read makes one logs request: it decodes the answer, leaves out what is known and hands
// what is new to the Output.
//
//	engine.Logs ─> stream.Reader ─> position.Judge ─> Output.Add ─> Output.Flush
func (r *reading) read(ctx context.Context, query engine.LogsQuery, plan strategy.Plan) (position.Outcome, error) {
	request, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := watch(query.Follow, r.silence.wait, plan.Life, cancel)
	defer w.stop()
	body, err := r.open(request, query)
	if err != nil {
		if cause := context.Cause(request); cause != nil {
			return 0, cause
		}
		return 0, &openError{err}
	}
	defer func() { _ = body.Close() }()
	r.opened = r.engine.Client.Now()
	r.unterminated = nil

	var src io.Reader = body
	if !query.Follow {
		src = &coalescingReader{src: body}
	}
	a := &answer{
		reading: r, judge: r.pos.Begin(query.Tail, query.Follow), watchdog: w,
		records: r.engine.reader(src, r.container.TTY, query.Follow),
	}
	defer r.engine.recycle(a.records, query.Follow)
	if r.container.Unseen {
		a.records.Detect()
	}
	defer func() {
		r.rate.observe(time.Now(), a.records.Frames()-a.framesKnown)
		r.bad.passed(a.records.Frames(), a.framesKnown)
	}()
	rate := meter{limit: plan.MaxRate}

	for {
		rec, err := a.records.Next()
		clear := err != nil || a.admit(rec)
		w.alive()
		// A follow may be silent from now on; any other read goes on, or ends.
		more := err == nil && clear && (!query.Follow || a.records.Ready())
		if !more || a.full {
			n := a.pending
			if failed := a.flush(ctx); failed != nil {
				return 0, failed
			}
			if rate.exceeds(time.Now(), n) && err == nil && clear && !more {
				r.End = Busy
				return 0, nil
			}
		}
		switch {
		case !clear:
			return position.Short, nil
		case err == io.EOF:
			if err := a.finish(ctx, query.Follow); err != nil {
				return 0, err
			}
			outcome := a.judge.End(a.records.Frames())
			if outcome == position.Early && a.records.Pending() {
				outcome = position.Complete // the newest known record may be the line without an end
			}
			if outcome == position.Complete && a.judge.Proven() {
				r.pos.ClearFloor()
			}
			return outcome, nil
		case err != nil && context.Cause(request) != nil:
			return 0, context.Cause(request)
		case err != nil:
			return 0, err
		}
	}
}

// answer is the body of one logs request.
type answer struct {
	*reading
	*watchdog
	judge       *position.Reading
	records     *stream.Reader
	framesKnown int  // up to the last record that was not new, as stream.Reader counts
	pending     int  // records added and not flushed
	full        bool // the Output wants to flush
}

// admit hands a record that is new to the Output. It reports false when the request did
// not reach far enough back to decide whether lines before the record are missing.
func (a *answer) admit(rec stream.Record) bool {
	id := position.IDOf(rec)
	switch a.judge.Judge(rec, id) {
	case position.Unclear:
		return false
	case position.Fresh:
		a.add(rec, id)
	case position.Repeat:
		a.repeated++
	case position.BeforeFloor:
		a.pos.PassFloor(id)
		a.overlaps()
	case position.Known, position.Passed:
		a.overlaps()
	}
	return true
}

func (a *answer) overlaps() {
	a.framesKnown = a.records.Frames()
	a.overlapping++
}

func (a *answer) add(rec stream.Record, id position.ID) {
	ordinal := a.pos.Ordinal(id, rec.Coarse)
	d := position.Delivered{Seq: a.pos.Admit(id), ID: id}
	a.full = a.out.Add(Record{Record: rec, Delivered: d, Ordinal: ordinal})
	a.pending++
}

// flush lets what was added go on to the pipeline, for which it may have to wait.
func (a *answer) flush(ctx context.Context) error {
	if a.overlapping+a.repeated > 0 {
		a.engine.Suppressed(a.overlapping, a.repeated)
		a.overlapping, a.repeated = 0, 0
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
		defer func() { a.holdsSlot = a.engine.Acquire(ctx) }()
	}
	if err := a.out.Flush(ctx); err != nil {
		return cmp.Or(context.Cause(ctx), error(&outputError{err}))
	}
	a.pos.Trim()
	a.pos.NotePartials(a.records.Begun())
	return nil
}
