// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"slices"
	"strings"
	"time"
)

// Stream is where a record comes from. Its value is the first byte of a frame.
type Stream byte

// The streams of a container, and the one that the engine reports errors on.
const (
	Stdout Stream = 1
	Stderr Stream = 2
	system Stream = 3
)

// Record is one record of a container's log: a line, or a chunk of one.
type Record struct {
	Number int // of the records written before it, since the container was added
	Time   time.Time
	Stream Stream
	Text   string // with the newline, which a chunk that is not the last of its line lacks
}

// unreadable is what happens when a read arrives at a record that cannot be decoded.
type unreadable struct {
	message string // "": the stream just ends
	once    bool
	skips   int // records left out with it, if it does not end the stream
}

// Write logs lines as if the container had just written them, one nanosecond apart while the clock stands still. A text that
// does not end in a newline ends in a partial record, which the engine writes only when the container ends. All that a
// container with a TTY writes is stdout, and its newlines become \r\n.
func (c *Container) Write(stream Stream, text string) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.write(c.stamp, stream, text)
}

// WriteAt is Write with one given time for all the lines.
func (c *Container) WriteAt(at time.Time, stream Stream, text string) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.write(func() time.Time { return at }, stream, text)
}

// WriteChunk logs one record as it is, for the chunks of long lines that two streams write at the same time; the last chunk
// of a line gets the newline.
func (c *Container) WriteChunk(at time.Time, stream Stream, chunk string, last bool) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if last {
		if c.spec.TTY {
			chunk += "\r"
		}
		chunk += "\n"
	}
	c.append(at, stream, chunk)
}

// write cuts a text into records as the engine's copier does: a chunk is full before the newline that may follow. mu is held.
func (c *Container) write(now func() time.Time, stream Stream, text string) {
	for text != "" {
		line, rest, whole := strings.Cut(text, "\n")
		text = rest
		if whole && c.spec.TTY {
			line += "\r"
		}
		at := now()
		for size := c.engine.chunk; len(line) >= size; line = line[size:] {
			c.append(at, stream, line[:size])
		}
		switch {
		case whole:
			c.append(at, stream, line+"\n")
		case line != "":
			c.append(at, stream, line)
		}
	}
}

// stamp returns the time of a record that is written now: a clock that stands still goes on by nanoseconds. mu is held.
func (c *Container) stamp() time.Time {
	now := c.engine.Now()
	if now.Equal(c.lastNow) {
		c.ticks++
	} else {
		c.lastNow, c.ticks = now, 0
	}
	return now.Add(time.Duration(c.ticks))
}

// append puts a record into the log and into the follows that are to get it. mu is held.
func (c *Container) append(at time.Time, stream Stream, text string) {
	if c.spec.TTY {
		stream = Stdout
	}
	r := Record{Number: c.written, Time: at, Stream: stream, Text: text}
	c.written++
	c.records = append(c.records, r)
	c.writeFile(r)
	if c.fault().LoseWrites {
		return
	}
	for f := range c.follows {
		if !f.stalled {
			f.push(r)
		}
	}
}

// Records returns what the log holds now.
func (c *Container) Records() []Record {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	return slices.Clone(c.records)
}

// Written is how many records have been written since the container was added: the number of the next one.
func (c *Container) Written() int {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	return c.written
}

// Rotate drops all but the newest keep records, as a log driver does with its oldest file. A follow that has fallen behind
// still gets the dropped ones, as it has the file open, unless the faults say SkipAtRotation.
func (c *Container) Rotate(keep int) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	faults := c.fault()
	repeats := c.records[len(c.records)-min(max(faults.RepeatAtRotation, 0), len(c.records)):]
	c.records = slices.Clone(c.records[len(c.records)-min(max(keep, 0), len(c.records)):])
	oldest := c.written - len(c.records)
	c.rotateFile(keep)
	for f := range c.follows {
		if f.stalled {
			continue
		}
		if faults.SkipAtRotation {
			f.items = slices.DeleteFunc(slices.Clone(f.items), func(r Record) bool { return r.Number < oldest })
		}
		f.push(repeats...)
	}
}

// Truncate empties the log, as copytruncate does.
func (c *Container) Truncate() {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.records = nil
	c.truncateFile()
}

// Poison makes the record with the number unreadable: every stream that arrives there ends, with an error frame if the
// message is not empty, which Docker26 sends ahead of up to 4,096 records before it, that then never come. A tail that begins
// after it does not arrive there.
func (c *Container) Poison(number int, message string) {
	c.setUnreadable(number, unreadable{message: message})
}

// Damage makes the record with the number unreadable as one of a damaged json-file is to Engine 20.10: every stream that
// arrives there leaves it out, and the skips records behind it too, which the engine had read ahead, and says nothing. A tail
// that begins after it has them.
func (c *Container) Damage(number, skips int) {
	c.setUnreadable(number, unreadable{skips: max(1, skips)})
}

// ErrorAt lets the next stream that arrives at the record with the number end with an error frame, and only that one.
func (c *Container) ErrorAt(number int, message string) {
	c.setUnreadable(number, unreadable{message: message, once: true})
}

func (c *Container) setUnreadable(number int, u unreadable) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.unstable[number] = u
}

// Heal undoes Poison, Damage and ErrorAt.
func (c *Container) Heal(number int) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	delete(c.unstable, number)
}

// Raw answers every later request for the container's logs with these bytes and nothing else, whatever they are; nil goes
// back to the log.
func (c *Container) Raw(b []byte) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.raw = slices.Clone(b)
}
