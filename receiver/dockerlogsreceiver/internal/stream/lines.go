// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package stream

import "bytes"

const (
	// leastChunk is the size of the smallest chunk, before the last, that a log driver
	// of the Docker Engine makes of a line; some have larger ones. A smaller one is the
	// last of its line also without a line end: it did not fill the engine's buffer. It
	// is what a container wrote before it ended, or what the local driver of Engine 20.10
	// makes of every long line. Podman, whose buffer is smaller, marks the last.
	leastChunk = 16 << 10
	// keepSize is how much memory the joining of long lines keeps for the next.
	keepSize = 16 << 10
)

// lines makes lines of the engine's records, each of which is a line or a chunk of one.
type lines struct {
	limit   int        // bytes, at which lines are cut
	last    int64      // time of the newest line, for records that bear none
	partial [2]partial // lines that are not whole yet, by stream
	spent   *partial   // gave its buffer to the record last returned
}

// add takes a record whose line has no other time, see partial.continues, and returns the
// line that it ends.
func (l *lines) add(kind Kind, ns int64, coarse bool, text []byte, ended bool) (rec Record, whole bool) {
	p := &l.partial[kind-1]
	if ended && !p.active {
		l.last = ns
		rec = Record{Time: ns, Kind: kind, Coarse: coarse, Body: text}
		if len(text) > l.limit {
			rec.Body, rec.Dropped = text[:l.limit], len(text)-l.limit
		}
		return rec, true
	}
	p.begin(kind, ns, coarse)
	p.newest = ns
	p.add(text, l.limit)
	if ended {
		return l.take(p), true
	}
	return Record{}, false
}

// Lines makes lines of the records that the engine keeps in its files, as a Reader makes
// them of an answer. The zero value is for lines without a limit.
type Lines struct {
	lines
	tty    bool
	frames int
}

// NewLines makes lines that are cut at limit bytes. tty is set where the container has a
// terminal, which makes a line end of two characters.
func NewLines(tty bool, limit int) *Lines { return &Lines{lines: lines{limit: limit}, tty: tty} }

// Add takes the next record: its text without a line end, and whether the line ends with it.
// It returns the line that the record ends. taken is false where the record is not of the
// line that had begun, which will get no end: that is returned, and the record is to be added
// again. A line's body is valid until the next call, and not longer than text is.
func (l *Lines) Add(kind Kind, ns int64, text []byte, ended bool) (rec Record, whole, taken bool) {
	l.release()
	if l.tty {
		kind = Stdout
	}
	p := &l.partial[kind-1]
	if p.active && !p.continues(ns, false) {
		return l.take(p), true, false
	}
	switch {
	case !l.tty:
		ended = ended || len(text) < leastChunk
	case ended && len(text) > 0:
		text = bytes.TrimSuffix(text, carriageReturn)
	case ended && p.active:
		p.dropReturn()
	}
	rec, whole = l.add(kind, ns, false, text, ended)
	l.frames++
	return rec, whole, true
}

// Frames counts the records so far.
func (l *Lines) Frames() int { return l.frames }

// take ends a line.
func (l *lines) take(p *partial) Record {
	p.active = false
	l.last, l.spent = p.time, p
	return Record{Time: p.time, Kind: p.kind, Coarse: p.coarse, Body: p.body, Dropped: p.dropped}
}

// release drops the buffer of a long line once its record is no longer in use.
func (l *lines) release() {
	if l.spent != nil && cap(l.spent.body) > keepSize {
		l.spent.body = nil
	}
	l.spent = nil
}

// Pending reports whether a line has begun whose end has not been read.
func (l *lines) Pending() bool { return l.partial[0].active || l.partial[1].active }

// Begun returns the time of the line that has begun and not ended on each stream, stdout
// first, in nanoseconds since the Unix epoch, 0 where there is none.
func (l *lines) Begun() (times [2]int64) {
	for i := range l.partial {
		if l.partial[i].active {
			times[i] = l.partial[i].time
		}
	}
	return times
}

// Flush returns, one a call, the lines older than before (nanoseconds since the epoch)
// whose end never came.
func (l *lines) Flush(before int64) (Record, bool) {
	l.release()
	for i := range l.partial {
		if p := &l.partial[i]; p.active && p.time < before {
			return l.take(p), true
		}
	}
	return Record{}, false
}

// partial is a line that is not whole yet.
type partial struct {
	active  bool
	kind    Kind
	coarse  bool
	time    int64 // of the first chunk
	newest  int64 // that of the last one
	body    []byte
	dropped int
	// TTY only: the time stamp as it stood before the line, and how many bytes
	// of text came since.
	stamp []byte
	n     int
	end   byte // the last byte of the text so far
}

func (p *partial) begin(kind Kind, ns int64, coarse bool) {
	if !p.active {
		p.active, p.kind, p.time, p.coarse, p.dropped, p.n, p.end = true, kind, ns, coarse, 0, 0, 0
		p.body = p.body[:0]
	}
}

// continues reports whether a frame of that time goes on with the line. The Docker Engine
// gives all chunks of a line one time. Podman gives each its own, perhaps in whole seconds.
func (p *partial) continues(ns int64, coarse bool) bool {
	if coarse && p.coarse {
		return p.newest <= ns && ns <= p.newest+1e9
	}
	return ns == p.time
}

func (p *partial) add(b []byte, limit int) {
	if len(b) > 0 {
		p.end = b[len(b)-1]
	}
	keep := min(len(b), limit-len(p.body))
	p.body = append(p.body, b[:keep]...)
	p.dropped += len(b) - keep
}

var carriageReturn = []byte{'\r'}

// dropReturn drops the "\r" that the terminal made of the end of the line; the program did
// not write it.
func (p *partial) dropReturn() {
	switch {
	case p.end != '\r':
	case p.dropped > 0:
		p.dropped--
	default:
		p.body = p.body[:len(p.body)-1]
	}
}
