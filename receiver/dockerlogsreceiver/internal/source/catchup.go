// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

const (
	// overlap is how many records before the new ones a read asks for. The position
	// remembers at least as many.
	overlap = position.MinRecords / 2
	// tailGrowth is the factor by which a tail that proved too short grows; beyond maxTail
	// the whole log is read.
	tailGrowth = 8
	maxTail    = 1 << 20
)

// catchUp reads what the log holds that is new, without following it. Where the container
// does not run, or has been silent for long, the engine's newest record must be known
// afterwards: an answer can end early without an error.
func (r *reading) catchUp(ctx context.Context) error {
	if !r.engine.Acquire(ctx, r.WaitsForSlot) {
		return context.Cause(ctx)
	}
	r.holdsSlot = true
	defer func() {
		if r.holdsSlot {
			r.holdsSlot = false
			r.engine.Release()
		}
	}()
	if err := r.readAll(ctx); err != nil {
		return err
	}
	if err := r.verifyEnd(ctx); err != nil {
		return err
	}
	r.bad.stops = 0
	r.fullyRead = !r.container.Running
	if !r.opened.IsZero() {
		r.Until = r.opened.Add(-time.Since(r.asked))
	}
	return nil
}

// verifyEnd makes sure that what a read took for the end of the log is the end, where the
// container does not run, or has been silent for long.
func (r *reading) verifyEnd(ctx context.Context) error {
	if r.New > 0 {
		r.silence.reset()
	}
	if r.container.StartedAt.IsZero() || r.hang.active(time.Now()) || (r.container.Running && !r.silence.due(time.Now())) {
		return nil
	}
	for range 2 {
		known, err := r.knowsNewest(ctx)
		if err != nil {
			return err
		}
		if known {
			r.silence.double(time.Now())
			return nil
		}
		before := r.New // it may have been written since
		if err := r.readAll(ctx); err != nil {
			return err
		}
		if r.New > before {
			return nil
		}
	}
	// There is something newer, and a read ends before it.
	if err := r.retryOrSkip(ctx, errEndsEarly); err != nil {
		return err
	}
	return errEndsEarly
}

// readAll reads with longer and longer tails until one reaches what is known.
func (r *reading) readAll(ctx context.Context) error {
	for tail := r.tail(); ; {
		if r.pos.Blank() {
			tail = 0 // also after a gap
		}
		limited, ok := r.bad.limit(tail)
		if !ok {
			if err := r.skipBadRecord(ctx, nil); err != nil {
				return err
			}
			if _, ok = r.bad.limit(tail); !ok {
				return errBadNewest
			}
			continue
		}
		before := r.New
		got, err := r.read(ctx, engine.LogsQuery{Tail: limited, Since: r.since()}, strategy.Plan{}, r.pos.Begin(limited, false))
		r.rate.observe(time.Now(), got.newest)
		if err == nil && got.outcome == position.Early {
			setBack, failed := r.wasSetBack(ctx, limited, got)
			switch {
			case failed != nil:
				return failed
			case setBack:
				r.gap(GapRotated)
				continue
			}
			err = errEndsEarly
		}
		if r.New > before {
			r.bad.stops = 0
		}
		if err != nil {
			if endOf(err) != EngineError {
				return err
			}
			if err := r.retryOrSkip(ctx, err); err != nil {
				return err
			}
			continue
		}
		if limited == 0 {
			r.hang.answeredAll(time.Now(), got.outcome == position.Gap)
		} else {
			r.hang.answeredTail()
		}
		switch {
		case got.outcome == position.Complete:
			r.clock.note(r.opened, r.engine.Client.Now())
			err := r.fillHoles(ctx, limited, got)
			if r.New == 0 {
				r.pos.Shrink()
			}
			return err
		case got.outcome == position.Gap:
			hidden, err := r.hidesKnown(ctx, limited, got)
			if err != nil {
				return err
			}
			if !hidden {
				r.gap(GapRotated)
			}
		case got.outcome == position.AllNew:
			r.pos.ClearFloor()
			tail = 0
		case limited != tail:
			// By now there may be more behind the bad record than we know of.
			before := r.bad.after
			if err := r.skipBadRecord(ctx, nil); err != nil {
				return err
			}
			if r.bad.found && r.bad.after <= before {
				r.gap(GapRotated)
			}
		default:
			if tail *= tailGrowth; tail > maxTail {
				tail = 0
			}
		}
	}
}

// wasSetBack reports whether an answer of all the log ends before the newest known record because
// the clock has been set back since that, and all that is known has been rotated away: then the
// engine's newest record is the answer's last.
func (r *reading) wasSetBack(ctx context.Context, tail int, got answered) (bool, error) {
	if tail > 0 || r.asksForAll() || got.frames == 0 || got.passed < got.frames {
		return false, nil
	}
	p, err := r.probe(ctx, 1)
	return p.failed == nil && p.records > 0 && p.ids[0] == got.last, err
}

// gap says that lines may be missing, and forgets what is known: the log holds nothing
// of it any more.
func (r *reading) gap(g Gap) {
	r.out.Gap(g)
	r.pos.Forget()
}

// tail is how many records from the log's end a read has to ask for: those that we know it
// by, and those that are to be expected since.
func (r *reading) tail() int {
	if r.pos.Blank() || r.asksForAll() {
		return 0
	}
	if r.backfill.bounded && r.pos.AtFloor() {
		return r.backfill.tail
	}
	return max(overlap+r.rate.expect(time.Now()), r.minTail)
}

// asksForAll reports whether a tail is of no use with this engine, or this log for now.
func (r *reading) asksForAll() bool { return r.engine.BySeconds() || r.hang.active(time.Now()) }

// knowsNewest reports whether the newest record that the engine has is known, or it has
// none that is whole. The end of a long line is known by its time.
func (r *reading) knowsNewest(ctx context.Context) (bool, error) {
	if r.engine.BySeconds() {
		return true, nil
	}
	p, err := r.probe(ctx, 1)
	if err == nil {
		err = p.failed
	}
	return p.records == 0 || r.pos.Holds(p.newest), err
}
