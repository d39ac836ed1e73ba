// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	// stretch is how far back, in nanoseconds of log time, records are remembered:
	// engines repeat the last records at a rotation, and the two streams of a
	// container overtake one another, both by much less.
	stretch = int64(1e9)
	// The number of records remembered: enough to recognise the log by however
	// silent the container is, and a bound however loud.
	minMarks = 64
	maxMarks = 8192
	// hashedSize bounds what of a long line is hashed. It must not exceed the least
	// max_log_size: a position outlives a change of that setting.
	hashedSize = minLogSize
)

// position is where we are in one container's log. It does not point into the
// log, since the engine offers nothing that stays put: time stamps run backwards
// between the two streams and when the clock is set, and rotation removes what
// was before. It remembers the newest records accepted downstream, in the order
// of the log, and recognises them when a later read returns them again.
//
// Only the capture's goroutine touches it.
type position struct {
	// floor makes every record before this time (nanoseconds since the epoch) a
	// known one, as long as nothing is remembered. It is how a capture starts
	// at the end of a log.
	floor int64
	// marks are the identities of the newest records, oldest first. Those before
	// accepted have been accepted downstream, those before sent are on their way
	// there, and the rest is in the batch being filled.
	marks    []mark
	accepted int
	sent     int
	dropped  int   // marks that were before marks[0]
	newest   int64 // no mark has a later time
	// begun are the times of the lines, by stream, that had begun before the newest
	// record sent and not ended, see stream.Reader.Begun. A read that begins behind
	// their first chunks must not take their last ones for lines. It is not stored:
	// told is false until this process has read something.
	begun [stream.Stderr]int64
	told  bool
}

// mark is the identity of a record. Where time stamps are precise no two records
// of a container are equal in it; where they have whole seconds equal ones are
// told apart by counting.
type mark struct {
	time int64
	hash uint64 // of the stream, the length and the beginning of the text
}

func markOf(rec stream.Record) mark {
	var h xxhash.Digest
	var head [9]byte
	head[0] = byte(rec.Kind)
	binary.LittleEndian.PutUint64(head[1:], uint64(len(rec.Body)+rec.Dropped))
	h.ResetWithSeed(0)
	_, _ = h.Write(head[:])
	_, _ = h.Write(rec.Body[:min(len(rec.Body), hashedSize)])
	return mark{time: rec.Time, hash: h.Sum64()}
}

// blank tells that nothing of the log is known: all of it is new.
func (p *position) blank() bool { return p.floor == 0 && len(p.marks) == 0 }

// admit appends a record that is on its way downstream.
func (p *position) admit(m mark) {
	p.marks = append(p.marks, m)
	p.newest = max(p.newest, m.time)
}

// send puts what was admitted on its way: it will be committed, or the capture ends.
func (p *position) send() { p.sent = len(p.marks) }

// began takes note of the lines that had begun and not ended when what was sent was read.
func (p *position) began(times [stream.Stderr]int64) { p.begun, p.told = times, true }

// cut tells whether a record, the first of its stream in a read that began at start,
// may be the end of a line whose first chunks are before that.
func (p *position) cut(rec stream.Record, start int64) bool {
	switch {
	case rec.Time <= start, rec.Time == p.begun[rec.Kind-1], p.holds(rec.Time):
		return true
	default:
		// The streams overtake one another.
		return !p.told && rec.Time < start+stretch
	}
}

// commit makes the next n of those sent accepted: the pipeline has taken the records,
// or never will.
func (p *position) commit(n int) {
	p.accepted += n
	p.trim()
}

// rollback forgets what was admitted and not sent.
func (p *position) rollback() { p.marks = p.marks[:p.sent] }

// holds tells whether a record of that time is remembered.
func (p *position) holds(time int64) bool {
	return slices.ContainsFunc(p.marks, func(m mark) bool { return m.time == time })
}

// oldest is the earliest time that is remembered.
func (p *position) oldest() int64 {
	return slices.MinFunc(p.marks, func(a, b mark) int { return cmp.Compare(a.time, b.time) }).time
}

// trim drops the oldest accepted marks that no read needs any more, a good part of
// them at a time.
func (p *position) trim() {
	if p.accepted == 0 {
		return
	}
	last := p.marks[len(p.marks)-1].time
	n := max(0, p.accepted-maxMarks)
	for n < p.accepted-minMarks && abs(last-p.marks[n].time) > stretch {
		n++
	}
	if n = wholeInstant(p.marks, n); n > len(p.marks)/4 {
		p.drop(n)
	}
}

// relax drops all marks but those that the log is recognised by, for a container that
// is silent: no follow is open that might repeat the others.
func (p *position) relax() {
	if n := wholeInstant(p.marks, p.accepted-minMarks); n > 0 {
		p.drop(n)
	}
}

// drop drops the n oldest marks.
func (p *position) drop(n int) {
	lostNewest := slices.ContainsFunc(p.marks[:n], func(m mark) bool { return m.time == p.newest })
	p.marks = slices.Delete(p.marks, 0, n)
	p.dropped += n
	p.accepted -= n
	p.sent -= n
	if cap(p.marks) > 4*len(p.marks) {
		p.marks = slices.Clone(p.marks)
	}
	if lostNewest { // the clock was set back
		p.newest = 0
		for _, m := range p.marks {
			p.newest = max(p.newest, m.time)
		}
	}
}

// wholeInstant moves a cut at n back, so that records of one instant, which may be
// equal and are then told apart by counting, stay together.
func wholeInstant(marks []mark, n int) int {
	for n > 0 && n < len(marks) && marks[n-1].time == marks[n].time && len(marks)-n < 4*maxMarks {
		n--
	}
	return max(n, 0)
}

// forget makes the position blank, for a log that holds nothing of what we know.
func (p *position) forget() { *p = position{dropped: p.dropped + len(p.marks)} }

func abs(n int64) int64 { return max(n, -n) }

// ordinal counts the equal records before one that is about to be admitted. Where
// time stamps are precise there are none.
func (p *position) ordinal(m mark, coarse bool) int {
	n := 0
	if coarse && m.time <= p.newest {
		for _, have := range p.marks {
			if have == m {
				n++
			}
		}
	}
	return n
}
