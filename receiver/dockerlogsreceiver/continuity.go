// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// verdict is what a read does with a record.
type verdict uint8

const (
	fresh   verdict = iota // deliver it
	known                  // accepted before; the read went back far enough to see it
	repeat                 // accepted before, and the engine sent it a second time
	passed                 // older than all that is remembered
	unclear                // the read did not go back far enough to tell
)

// continuity tells which records of one logs request are new. A request asks for
// the last records of the log, and the first that it returns must be no newer
// than what is known, else lines between were missed. That is proven by the
// first known record; until then nothing is delivered.
type continuity struct {
	pos    *position
	tail   int  // how many records were asked for, in the reader's frames; 0 = all
	follow bool // no end will come to judge by
	proven bool

	start, last int64               // times of the first record and of the one read last
	first       [stream.Stderr]bool // a record of that stream has been seen
	seen        int                 // records so far
	framesKnown int                 // up to the last record that was not new, as stream.Reader counts
	news        bool                // a fresh one has been seen
	hint        int                 // the last known one, counted from where position.dropped counts
	open        int                 // marks before this, counted so, were there when the read began
	counted     map[int]struct{}    // those of them that have been met; used where time stamps are coarse
}

func (p *position) read(tail int, follow bool) *continuity {
	return &continuity{pos: p, tail: tail, follow: follow, proven: p.blank(), hint: -1, open: p.dropped + len(p.marks)}
}

// judge decides on the next record of the read.
func (c *continuity) judge(rec stream.Record, m mark) verdict {
	c.seen++
	if c.seen == 1 {
		c.start = rec.Time
	}
	c.last = rec.Time
	firstOfStream := !c.first[rec.Kind-1]
	c.first[rec.Kind-1] = true
	if c.pos.floor != 0 {
		return c.judgeByFloor(rec, m)
	}
	if c.find(m, rec.Coarse) {
		c.proven = true
		if c.news {
			return repeat
		}
		return known
	}
	if !c.proven {
		if c.follow && rec.Time >= c.pos.marks[0].time && !(firstOfStream && c.pos.holds(rec.Time)) {
			return unclear
		}
		return passed // the end of a line that is known, it may be, whose first chunks were left out
	}
	if firstOfStream && c.seen > 1 && c.tail > 0 && c.pos.cut(rec, c.start) {
		return unclear
	}
	c.news = true
	return fresh
}

// judgeByFloor: what is older than the floor is remembered as if it had been
// accepted, so that the log is recognised from now on.
func (c *continuity) judgeByFloor(rec stream.Record, m mark) verdict {
	floor := c.pos.floor
	if rec.Coarse {
		floor -= floor % 1e9 // what is written later in that second bears the same time
	}
	if rec.Time < floor {
		c.proven = true
		c.pos.admit(m)
		c.pos.send()
		c.pos.commit(1)
		c.open = c.pos.dropped + len(c.pos.marks)
		return passed
	}
	if c.tail > 0 && !c.proven {
		return passed
	}
	c.pos.floor = 0
	c.proven, c.news = true, true
	return fresh
}

// outcome of a read that came to the end of the log, having read that many frames.
type outcome uint8

const (
	complete outcome = iota // all that is new has been seen
	short                   // the tail was too short to tell
	gap                     // the log no longer holds any record that we know
)

func (c *continuity) end(frames int) outcome {
	switch {
	case c.proven, frames == 0:
		c.pos.floor = 0
		return complete
	case c.tail > 0 && frames >= c.tail:
		return short
	case c.tail > 0 && len(c.pos.marks) > 0 && c.last < c.pos.marks[0].time:
		// The body ended before the log did: what it held is older than what we
		// know, so that has not been rotated away.
		return short
	case c.pos.floor != 0:
		c.pos.floor = 0 // the whole log is newer: now it is blank
		return short
	default:
		return gap
	}
}

// find looks a record up among those remembered and leaves where it is in hint.
func (c *continuity) find(m mark, coarse bool) bool {
	p := c.pos
	if m.time > p.newest || len(p.marks) == 0 {
		return false
	}
	// A read returns records in the order in which they were accepted.
	if next := c.hint + 1 - p.dropped; next >= 0 && next < len(p.marks) && c.matches(next, m, coarse) {
		return c.met(next, coarse)
	}
	candidates := len(p.marks)
	if coarse {
		candidates = max(0, c.open-p.dropped)
	}
	for i := range candidates {
		if c.matches(i, m, coarse) {
			return c.met(i, coarse)
		}
	}
	return false
}

func (c *continuity) matches(i int, m mark, coarse bool) bool {
	if c.pos.marks[i] != m {
		return false
	}
	if !coarse {
		return true
	}
	// Equal records may be honest ones: each accepted one excuses one.
	_, met := c.counted[c.pos.dropped+i]
	return !met && c.pos.dropped+i < c.open
}

func (c *continuity) met(i int, coarse bool) bool {
	c.hint = c.pos.dropped + i
	if coarse {
		if c.counted == nil {
			c.counted = make(map[int]struct{})
		}
		c.counted[c.hint] = struct{}{}
	}
	return true
}
