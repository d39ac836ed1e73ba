// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
)

// checkpoint is the part of a position that is stored: enough marks to recognise the
// log by. Whoever delivers a batch adds to it, the owner loop takes it to storage.
type checkpoint struct {
	mu    sync.Mutex
	floor int64
	marks []mark // newest accepted, oldest first
	dirty bool   // there is more than has been stored
}

// reset makes it that of a position at which a capture begins.
func (c *checkpoint) reset(p *position) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.floor, c.dirty = p.floor, true
	accepted := p.marks[:p.accepted]
	c.marks = slices.Clone(accepted[wholeInstant(accepted, len(accepted)-minMarks):])
}

// add learns of records that the pipeline has accepted.
func (c *checkpoint) add(marks []mark) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.floor, c.dirty = 0, true
	if len(marks) >= minMarks {
		c.marks = append(c.marks[:0], marks[wholeInstant(marks, len(marks)-minMarks):]...)
		return
	}
	c.marks = append(c.marks, marks...)
	if n := wholeInstant(c.marks, len(c.marks)-minMarks); n > minMarks {
		c.marks = slices.Delete(c.marks, 0, n)
	}
}

// take gives the encoded checkpoint if it has changed since it was last taken.
func (c *checkpoint) take() ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dirty {
		return nil, false
	}
	c.dirty = false
	return encodePosition(c.floor, c.marks), true
}

// spoil makes the checkpoint due again, after what was taken could not be stored.
func (c *checkpoint) spoil() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dirty = true
}

// The encoding of a position, all integers big-endian:
//
//	version 1  1 byte
//	floor      8 bytes, nanoseconds since the epoch
//	number     4 bytes
//	marks      16 bytes each: time in nanoseconds since the epoch, hash
//
// It is a promise to the versions that come: a change gets a new version, and the old
// one stays readable.
const (
	positionVersion  = 1
	positionOverhead = 1 + 8 + 4
	markSize         = 16
)

func encodePosition(floor int64, marks []mark) []byte {
	b := make([]byte, 0, positionOverhead+markSize*len(marks))
	b = append(b, positionVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(floor))
	b = binary.BigEndian.AppendUint32(b, uint32(len(marks)))
	for _, m := range marks {
		b = binary.BigEndian.AppendUint64(b, uint64(m.time))
		b = binary.BigEndian.AppendUint64(b, m.hash)
	}
	return b
}

func decodePosition(b []byte) (position, error) {
	if len(b) == 0 || b[0] != positionVersion {
		return position{}, fmt.Errorf("not a position of version %d", positionVersion)
	}
	if len(b) < positionOverhead {
		return position{}, fmt.Errorf("a position of %d bytes is cut off", len(b))
	}
	p := position{floor: int64(binary.BigEndian.Uint64(b[1:]))}
	n := int(binary.BigEndian.Uint32(b[9:]))
	if b = b[positionOverhead:]; len(b) != n*markSize || n > 8*maxMarks {
		return position{}, fmt.Errorf("a position of %d marks has %d bytes of them", n, len(b))
	}
	for ; len(b) > 0; b = b[markSize:] {
		p.admit(mark{time: int64(binary.BigEndian.Uint64(b)), hash: binary.BigEndian.Uint64(b[8:])})
	}
	p.accepted, p.sent = len(p.marks), len(p.marks)
	return p, nil
}
