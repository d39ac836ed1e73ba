// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package multiline joins lines of a container that belong together, such as those of a
// stack trace, into entries.
package multiline

import (
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	// MaxSpan is how many lines of a container an entry may lie among, its own and those of
	// the other stream: what of these is accepted before the entry is, is stored one by one.
	MaxSpan = 3000
	// keepSize is how much memory an entry leaves for the next one, in bytes.
	keepSize = 16 << 10
)

// Entry is one or more lines of one stream of a container.
type Entry struct {
	// Record has the time and the stream of the first line. Its body has a line feed between
	// the lines, and is valid until the function that it is given to returns.
	stream.Record
	// ID and Ordinal are those of the first line.
	ID      position.ID
	Ordinal int
	// Lines are those that the entry is made of, with the validity of the body.
	Lines []position.Delivered
}

// Limits bound an entry.
type Limits struct {
	// Period is the time between two lines, as the engine stamped them, that ends an entry.
	Period   time.Duration
	MaxLines int
	MaxBytes int // of the body; one line may have as many
}

// period returns the time between two lines that ends an entry; coarse is set where times may
// be those of whole seconds.
func (l Limits) period(coarse bool) time.Duration {
	if coarse {
		return l.Period + time.Second
	}
	return l.Period
}

// Joiner joins the lines of one container. What it makes of a log depends on the lines and
// their times alone, and not on how they were read.
type Joiner struct {
	grammar Grammar
	limits  Limits
	emit    func(Entry)
	runEnd  int64 // ns: a line after it goes on with none that is before it
	lines   int   // so far
	groups  [stream.Stderr]group
	one     [1]position.Delivered // of an entry of one line
}

// group is an entry that may get more lines, on one stream.
type group struct {
	state
	Entry
	begun int   // the number of its first line
	last  int64 // the time of its last line, nanoseconds since the epoch
}

// NewJoiner returns a Joiner that gives every entry to emit once it is over.
func NewJoiner(g Grammar, limits Limits, emit func(Entry)) *Joiner {
	return &Joiner{grammar: g, limits: limits, emit: emit}
}

// Add takes the next line of the log.
func (j *Joiner) Add(rec source.Record) {
	j.lines++
	for i := range j.groups {
		if g := &j.groups[i]; g.pending() && j.lines-g.begun >= MaxSpan {
			j.end(g)
		}
	}
	g, other := &j.groups[rec.Kind-1], &j.groups[2-rec.Kind]
	j.endBefore(other, rec.Time-int64(stream.Overtaking))
	j.endBefore(g, rec.Time)
	if g.last <= j.runEnd && j.runEnd < rec.Time {
		j.close(g)
	}
	joins, next := j.grammar.next(g.state, rec.Body)
	if g.pending() && (!joins || len(g.Body)+1+len(rec.Body) > j.limits.MaxBytes) {
		j.end(g)
	}
	g.state = next
	if next == none && !g.pending() {
		j.one[0] = rec.Delivered
		j.emit(Entry{Record: rec.Record, ID: rec.ID, Ordinal: rec.Ordinal, Lines: j.one[:]})
		return
	}
	g.add(rec, j.lines)
	if next == none || len(g.Lines) >= j.limits.MaxLines {
		j.end(g)
	}
}

func (g *group) pending() bool { return len(g.Lines) > 0 }

func (g *group) add(rec source.Record, number int) {
	if g.pending() {
		g.Body = append(g.Body, '\n')
	} else {
		body := g.Body[:0]
		g.Record, g.ID, g.Ordinal, g.begun = rec.Record, rec.ID, rec.Ordinal, number
		g.Body, g.Dropped = body, 0
	}
	g.Body = append(g.Body, rec.Body...)
	g.Dropped += rec.Dropped
	g.Lines = append(g.Lines, rec.Delivered)
	g.last = rec.Time
}

// end gives an entry away. The state stays: what follows may be more of it, where a limit
// has ended it.
func (j *Joiner) end(g *group) {
	j.emit(g.Entry)
	g.Lines, g.Body = g.Lines[:0], g.Body[:0]
	if cap(g.Body) > keepSize {
		g.Lines, g.Body = nil, nil
	}
}

// RunEnded says when a run of the container ended and, a moment later, the next began, in
// nanoseconds since the epoch: no entry goes on across that.
func (j *Joiner) RunEnded(at int64) { j.runEnd = at }

// Pending reports whether an entry may get more lines.
func (j *Joiner) Pending() bool { return j.groups[0].pending() || j.groups[1].pending() }

// Settled returns when the entries that are pending get no more lines: once all has been read
// that the engine stamped until then. It is of use only where there is one.
func (j *Joiner) Settled() (at time.Time) {
	for i := range j.groups {
		if g := &j.groups[i]; g.pending() {
			if t := time.Unix(0, g.last).Add(j.limits.period(g.Coarse)); at.IsZero() || t.Before(at) {
				at = t
			}
		}
	}
	return at
}

// EndBefore ends the entries that get no more lines, where all has been read that the engine
// stamped until then.
func (j *Joiner) EndBefore(read time.Time) {
	for i := range j.groups {
		j.endBefore(&j.groups[i], read.UnixNano())
	}
}

// endBefore ends an entry to which nothing was added for the period before a time, in
// nanoseconds since the epoch.
func (j *Joiner) endBefore(g *group, time int64) {
	if time-g.last > int64(j.limits.period(g.Coarse)) {
		j.close(g)
	}
}

// close ends an entry, if there is one, that nothing goes on with.
func (j *Joiner) close(g *group) {
	if g.pending() {
		j.end(g)
	}
	g.state = none
}

// EndAll ends all entries.
func (j *Joiner) EndAll() {
	// The older first.
	first, second := &j.groups[0], &j.groups[1]
	if second.pending() && second.begun < first.begun {
		first, second = second, first
	}
	j.close(first)
	j.close(second)
}
