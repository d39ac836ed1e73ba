// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package position

import (
	"slices"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Verdict is what a read is to do with a record.
type Verdict uint8

const (
	Fresh       Verdict = iota // admit and deliver it
	Known                      // admitted before; the read went back far enough to see it
	Repeat                     // admitted before, and the engine sent it a second time
	Passed                     // older than all that is remembered
	BeforeFloor                // before the floor: pass the floor with it
	Unclear                    // the read did not go back far enough to decide
	Ahead                      // delivered by an earlier process before an older record: meet it
)

// Reading judges which records of one logs request are new. A request asks for the last
// records of the log, and the first that it returns must be no newer than what is known,
// else lines between were missed. The first known record proves that; until then nothing
// is new. A Reading does not alter its position: its caller does, as the verdicts say.
type Reading struct {
	pos    *Position
	tail   int  // how many records were asked for, in the reader's frames; 0 = all
	follow bool // no end will come to judge by
	proven bool
	coarse bool // records may share a time

	start, last int64               // times of the first record and of the one read last
	first       [stream.Stderr]bool // a record of that stream has been seen
	seen        int                 // records so far
	news        bool                // a fresh one has been seen
	// Sequence numbers: lastMatch is that of the last known record plus one, matchedTo of
	// the newest known one plus one, knownAtStart the position's end when the read began.
	lastMatch    uint64
	matchedTo    uint64
	knownAtStart uint64
	matched      map[uint64]struct{} // those before knownAtStart that have been met; used where records may share a time
}

// Begin returns the judge of a read of the last tail records; 0 is all.
func (p *Position) Begin(tail int, follow bool) *Reading {
	return &Reading{pos: p, tail: tail, follow: follow, proven: p.Blank(), knownAtStart: p.End()}
}

// BeginBehind returns the judge of a read of the last tail records that begins right behind
// one which cannot be read. What is not known of them is new, also where nothing known is
// before it: the position must remember as many records.
func (p *Position) BeginBehind(tail int) *Reading {
	r := p.Begin(tail, false)
	r.proven = true
	return r
}

// Proven reports whether the read went back far enough.
func (r *Reading) Proven() bool { return r.proven }

// PastKnown reports whether the read has passed all that was known when it began, as far as it
// is known whether it will: then the position may forget what is no longer needed.
func (r *Reading) PastKnown() bool { return !r.proven || r.news || r.matchedTo >= r.knownAtStart }

// LastKnown returns the sequence number of the record that was judged Known last.
func (r *Reading) LastKnown() uint64 { return r.lastMatch - 1 }

// Judge decides on the next record of the read.
func (r *Reading) Judge(rec stream.Record, id ID) Verdict {
	r.seen++
	if r.seen == 1 {
		r.start = rec.Time
	}
	r.last, r.coarse = rec.Time, rec.Coarse
	firstOfStream := !r.first[rec.Kind-1]
	r.first[rec.Kind-1] = true
	if r.pos.floor != 0 {
		return r.judgeByFloor(rec, id)
	}
	if seq, found := r.Find(id, rec.Coarse); found {
		r.proven = true
		// What a read that does not follow finds before a known record had been left out
		// by an earlier one: the known one is no repeat.
		if r.news && (r.follow || seq >= r.knownAtStart) {
			return Repeat
		}
		return Known
	}
	if !r.proven {
		if r.follow && rec.Time >= r.pos.ids[0].Time && !(firstOfStream && r.pos.Holds(rec.Time)) {
			return Unclear
		}
		if r.follow && r.tail > 0 && r.seen > r.tail {
			return Unclear // the records that were asked for are over: nothing will prove it any more
		}
		return Passed // the end of a line that is known, it may be, whose first chunks were left out
	}
	if firstOfStream && r.seen > 1 && r.tail > 0 && r.pos.endsPartial(rec, r.start) {
		return Unclear
	}
	if r.pos.isAhead(id) {
		return Ahead
	}
	r.news = true
	return Fresh
}

func (r *Reading) judgeByFloor(rec stream.Record, id ID) Verdict {
	floor := r.pos.floor
	if rec.Coarse && rec.Time%1e9 == 0 {
		floor -= floor % 1e9 // the stamps have whole seconds: what is written later in that second bears the same
	}
	if rec.Time < floor {
		r.proven = true
		r.knownAtStart++ // the caller remembers it
		r.matchedTo = r.knownAtStart
		return BeforeFloor
	}
	if r.tail > 0 && !r.proven {
		return Passed
	}
	r.proven = true
	if r.pos.isAhead(id) {
		return Ahead
	}
	r.news = true
	return Fresh
}

// NotePartials remembers the lines, by the times at which they begin and by stream, that had
// begun and not ended when the newest record was read; 0 is none. Of a stream that the read
// has not met, what had begun before it is as it was.
func (r *Reading) NotePartials(times [stream.Stderr]int64) {
	p := r.pos
	for i, time := range times {
		if time != 0 || r.first[i] || r.tail == 0 {
			p.partialSince[i] = time
		}
	}
	p.partialKnown = true
}

// Outcome is what the end of a read means.
type Outcome uint8

const (
	// Complete: the end of the log was reached, and all that is new was seen.
	Complete Outcome = iota
	// Short: the tail was too short to decide, a longer one is needed.
	Short
	// AllNew: the whole log is newer than the floor, which is to be cleared.
	AllNew
	// Gap: the log no longer holds any record that is known.
	Gap
	// Early: the body ended before the newest record that is known, so it was not the
	// end of the log.
	Early
)

// End judges a read that came to its end, having read that many frames.
func (r *Reading) End(frames int) Outcome {
	switch {
	case r.proven && r.endedEarly():
		return Early
	case r.proven, frames == 0:
		return Complete
	case r.tail > 0 && frames >= r.tail:
		return Short
	case len(r.pos.ids) > 0 && r.last < r.pos.ids[0].Time:
		// What the body held is older than what is known, so that has not been rotated
		// away.
		if r.tail == 0 {
			return Early
		}
		return Short
	case r.pos.floor != 0:
		return AllNew
	default:
		return Gap
	}
}

// endedEarly reports whether a read met older known records and not the newest one. The
// log has it behind them: an engine ends an answer without an error where it meets a torn
// record, and so does a proxy that loses its connection. Records that share a time cannot be
// told apart well enough.
func (r *Reading) endedEarly() bool {
	return !r.follow && !r.coarse && !r.news && r.matchedTo > 0 && r.matchedTo < r.knownAtStart
}

// Find reports whether a record is known, and by which sequence number.
func (r *Reading) Find(id ID, coarse bool) (seq uint64, found bool) {
	p := r.pos
	if id.Time > p.newest || len(p.ids) == 0 {
		return 0, false
	}
	// A read returns records in the order in which they were admitted.
	if next := int(int64(r.lastMatch) - int64(p.first)); next >= 0 && next < len(p.ids) && r.matches(next, id, coarse) {
		return r.match(next, coarse), true
	}
	if !coarse {
		// From the newest on: one that was renewed is there twice.
		for i := range slices.Backward(p.ids) {
			if r.matches(i, id, coarse) {
				return r.match(i, coarse), true
			}
		}
		return 0, false
	}
	candidates := int(max(r.knownAtStart, p.first) - p.first)
	for i := range min(candidates, len(p.ids)) {
		if r.matches(i, id, coarse) {
			return r.match(i, coarse), true
		}
	}
	return 0, false
}

func (r *Reading) matches(i int, id ID, coarse bool) bool {
	if r.pos.ids[i] != id {
		return false
	}
	if !coarse {
		return true
	}
	// Equal records may be honest ones: each admitted one excuses one.
	seq := r.pos.first + uint64(i)
	_, met := r.matched[seq]
	return !met && seq < r.knownAtStart
}

func (r *Reading) match(i int, coarse bool) uint64 {
	seq := r.pos.first + uint64(i)
	r.lastMatch = seq + 1
	r.matchedTo = max(r.matchedTo, seq+1)
	if coarse {
		if r.matched == nil {
			r.matched = make(map[uint64]struct{})
		}
		r.matched[seq] = struct{}{}
	}
	return seq
}
