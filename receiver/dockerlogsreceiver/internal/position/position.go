// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package position knows which records of a container's log have been delivered. A
// position does not point into the log, since the engine offers nothing that stays put:
// time stamps run backwards between the two streams and when the clock is set, and
// rotation removes what was before. It remembers the identities of the newest records and
// recognises them when a later read returns them again.
package position

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	// dedupWindow is how far back, in nanoseconds of log time, records are remembered:
	// Engine 20.10 repeats records at a rotation, to a slow reader several seconds of them.
	dedupWindow = int64(10e9)
	// MinRecords is how many records are remembered at least, however silent the
	// container is: enough to recognise the log by. MaxRecords bounds it, however loud.
	MinRecords = 64
	MaxRecords = 16384
	// HashedSize bounds what of a long line is hashed, in bytes. The least max_log_size
	// must not be below it: a position outlives a change of that setting.
	HashedSize = 1 << 10
)

// ID is the identity of a record. No two records of a container have the same, but where
// records may share a time: equal ones are told apart by counting there.
type ID struct {
	Time int64  // nanoseconds since the epoch
	Hash uint64 // of the stream, the length and the beginning of the text
}

// IDOf returns the identity of a record.
func IDOf(rec stream.Record) ID {
	var h xxhash.Digest
	var head [9]byte
	head[0] = byte(rec.Kind)
	binary.LittleEndian.PutUint64(head[1:], uint64(len(rec.Body)+rec.Dropped))
	h.ResetWithSeed(0)
	_, _ = h.Write(head[:])
	_, _ = h.Write(rec.Body[:min(len(rec.Body), HashedSize)])
	return ID{Time: rec.Time, Hash: h.Sum64()}
}

// Position is where we are in one container's log. Its owner is the source that reads the
// log, and only the source's goroutine touches it; what the pipeline accepts reaches it
// through its Frontier.
type Position struct {
	frontier *Frontier
	// floor makes every record before this time (nanoseconds since the epoch) a known
	// one, as long as nothing newer is. It is how a capture starts at the end of a log.
	floor int64
	// ids are the newest records, oldest first; first is the sequence number of ids[0].
	ids    []ID
	first  uint64
	newest int64 // no record of ids has a later time
	// ahead is the time behind which no record is that an earlier process has delivered
	// before an older one; 0 where there is none.
	ahead int64
	// partialSince are the times of the lines, by stream, that had begun before the
	// newest record and not ended, see stream.Reader.Begun. A read that begins behind
	// their first chunks must not take their last ones for lines. They are not stored:
	// partialKnown is false until this process has read something.
	partialSince [stream.Stderr]int64
	partialKnown bool
}

// New returns the position at which a frontier stands.
func New(f *Frontier) *Position {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &Position{frontier: f, floor: f.floor, ids: slices.Clone(f.ids), first: f.next - uint64(len(f.ids)), ahead: newest(f.restored)}
	p.newest = newest(p.ids)
	return p
}

// Blank reports whether nothing of the log is known: then all of it is new.
func (p *Position) Blank() bool { return p.floor == 0 && len(p.ids) == 0 }

// AtFloor reports whether the log was empty at the floor, as far as is known.
func (p *Position) AtFloor() bool { return p.floor != 0 && len(p.ids) == 0 }

// Empty reports whether no record is remembered.
func (p *Position) Empty() bool { return len(p.ids) == 0 }

// Oldest is the sequence number of the oldest record that is remembered.
func (p *Position) Oldest() uint64 { return p.first }

// Admit remembers a record that is on its way to the pipeline and returns its sequence
// number, for Frontier.Commit.
func (p *Position) Admit(id ID) uint64 {
	p.floor = 0
	return p.remember(id)
}

// PassFloor remembers a record before the floor as if it had been accepted, so that the
// log is recognised from now on.
func (p *Position) PassFloor(id ID) { p.frontier.pass(p.remember(id)) }

// Renew remembers a known record, which has been remembered as seq, again, behind those that the
// log has before it and that came later: what is forgotten first must be what is first in the log.
// It is accepted with the one before.
func (p *Position) Renew(seq uint64, id ID) {
	p.frontier.renew(seq, Delivered{Seq: p.remember(id), ID: id})
}

// RaiseFloor moves the floor of a log of which nothing is known to a later time.
func (p *Position) RaiseFloor(floor int64) {
	p.floor = max(p.floor, floor)
	p.frontier.raise(p.floor)
}

// isAhead reports whether an earlier process has delivered a record before an older one.
func (p *Position) isAhead(id ID) bool { return id.Time <= p.ahead && p.frontier.isRestored(id) }

// Meet remembers a record that an earlier process has delivered before an older one.
func (p *Position) Meet(id ID) {
	p.floor = 0
	p.frontier.meet(Delivered{Seq: p.remember(id), ID: id})
}

// ClearFloor ends the floor: what is remembered takes its place, or nothing does.
func (p *Position) ClearFloor() { p.floor = 0 }

func (p *Position) remember(id ID) uint64 {
	p.ids = append(p.ids, id)
	p.newest = max(p.newest, id.Time)
	return p.End() - 1
}

// Mark remembers a place behind which nothing has been admitted yet, to be stored with what
// has been once that is accepted. What it means is the caller's; a nil one is none.
func (p *Position) Mark(place []byte) { p.frontier.mark(p.End(), place) }

// Place returns the place that was stored.
func (p *Position) Place() []byte {
	p.frontier.mu.Lock()
	defer p.frontier.mu.Unlock()
	return p.frontier.place
}

// End is the sequence number of the next record.
func (p *Position) End() uint64 { return p.first + uint64(len(p.ids)) }

// endsPartial reports whether a record, the first of its stream in a read that began at
// start, may be the end of a line whose first chunks are before that. Where a line had begun,
// it is that, or what follows it: a journal gives each chunk a time of its own.
func (p *Position) endsPartial(rec stream.Record, start int64) bool {
	switch {
	case rec.Time <= start, p.partialSince[rec.Kind-1] != 0, p.Holds(rec.Time):
		return true
	default:
		// The streams overtake one another.
		return !p.partialKnown && rec.Time < start+int64(stream.Overtaking)
	}
}

// Holds reports whether a record of that time is remembered.
func (p *Position) Holds(time int64) bool {
	return slices.ContainsFunc(p.ids, func(id ID) bool { return id.Time == time })
}

// Last returns the time of the record that was remembered last. It must not be Empty.
func (p *Position) Last() time.Time { return time.Unix(0, p.ids[len(p.ids)-1].Time) }

// Newest returns the latest time that a remembered record has, in nanoseconds since the
// epoch. It must not be Empty.
func (p *Position) Newest() int64 { return p.newest }

// Since returns the time from which on a read has to ask for the log: that of some of the
// newest records, and before what the streams overtake one another by. It must not be
// Empty.
func (p *Position) Since() int64 {
	newer := min(oldest(p.ids[max(0, len(p.ids)-MinRecords):]), p.newest-int64(stream.Overtaking))
	return max(oldest(p.ids), newer)
}

// SeenBefore returns the time that a record is older than if it, and all that the log has
// before it, has been delivered or is not wanted. It is 0 where that can be known of none.
func (p *Position) SeenBefore() int64 {
	switch {
	case p.floor != 0:
		return p.floor - int64(stream.Overtaking)
	case len(p.ids) > 0:
		return oldest(p.ids) - int64(stream.Overtaking)
	default:
		return 0
	}
}

// RememberedSince returns the time of the oldest record that is remembered; 0 where none is.
func (p *Position) RememberedSince() int64 {
	if len(p.ids) == 0 {
		return 0
	}
	return oldest(p.ids)
}

// accepted is how many of ids the pipeline has accepted without a hole.
func (p *Position) accepted() int {
	next := p.frontier.accepted()
	return int(min(max(next, p.first), p.End()) - p.first)
}

// Trim drops the oldest accepted records that no later read needs, a good part of them at
// a time.
func (p *Position) Trim() { p.trim(dedupWindow) }

// Bound is Trim while a read is under way that does not follow: what it has brought may
// have to be told from what the engine left out.
func (p *Position) Bound() { p.trim(math.MaxInt64) }

// trim keeps the accepted records of a window of log time, in nanoseconds.
func (p *Position) trim(window int64) {
	accepted := p.accepted()
	if accepted == 0 {
		return
	}
	last := p.ids[len(p.ids)-1].Time
	spare := func(i int) bool { return i < accepted-MinRecords && abs(last-p.ids[i].Time) > window }
	n, least := max(0, accepted-MaxRecords), len(p.ids)/4
	if n <= least && !spare(least) {
		return // this is called for every line of a follow: do not count what is too little
	}
	for spare(n) {
		n++
	}
	if n = wholeInstant(p.ids, n); n > least {
		p.drop(n)
	}
}

// Shrink drops all records but those that the log is recognised by, for a container that
// is silent: no follow is open that might repeat the others.
func (p *Position) Shrink() {
	if n := wholeInstant(p.ids, p.accepted()-MinRecords); n > 0 {
		p.drop(n)
	}
}

// drop forgets the n oldest records.
func (p *Position) drop(n int) {
	lostNewest := slices.ContainsFunc(p.ids[:n], func(id ID) bool { return id.Time == p.newest })
	p.ids = slices.Delete(p.ids, 0, n)
	p.first += uint64(n)
	if cap(p.ids) > 4*len(p.ids) {
		p.ids = slices.Clone(p.ids)
	}
	if lostNewest { // the clock was set back
		p.newest = newest(p.ids)
	}
}

// Forget makes the position blank, for a log that holds nothing of what is known.
func (p *Position) Forget() {
	*p = Position{frontier: p.frontier, first: p.End(), ahead: p.ahead}
}

// Ordinal counts the equal records before one that is about to be admitted. Where records
// do not share times there are none.
func (p *Position) Ordinal(id ID, coarse bool) int {
	n := 0
	if coarse && id.Time <= p.newest {
		for _, have := range p.ids {
			if have == id {
				n++
			}
		}
	}
	return n
}

// wholeInstant moves a cut at n back, so that records of one instant, which may be equal
// and are then told apart by counting, stay together.
func wholeInstant(ids []ID, n int) int {
	for n > 0 && n < len(ids) && ids[n-1].Time == ids[n].Time && len(ids)-n < 2*MaxRecords {
		n--
	}
	return max(n, 0)
}

func newest(ids []ID) (time int64) {
	for _, id := range ids {
		time = max(time, id.Time)
	}
	return time
}

func oldest(ids []ID) int64 {
	return slices.MinFunc(ids, func(a, b ID) int { return cmp.Compare(a.Time, b.Time) }).Time
}

func abs(n int64) int64 { return max(n, -n) }
