// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"encoding/binary"
	"math"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// A record of the log driver local, and of the cache of dual logging, is a message of
// protocol buffers between two equal lengths, 4 bytes each, big-endian, which do not count
// themselves.
const localFrame = 4

// Fields of the message, and of its partial_log_metadata.
const (
	localSource  = 1 // stdout or stderr
	localTime    = 2 // nanoseconds since the epoch
	localLine    = 3 // without its line end
	localPartial = 4
	localPart    = 5
	localLast    = 1
)

// Wire types of protocol buffers.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

// localDecoder decodes the files of the log driver local.
type localDecoder struct{}

func (localDecoder) decode(b []byte) (c Chunk, n int, err error) {
	if len(b) < localFrame {
		return c, 0, errShort
	}
	size := int(binary.BigEndian.Uint32(b))
	if size == 0 || size > maxRecord {
		return c, 0, ErrTorn
	}
	n = size + 2*localFrame
	if len(b) < n {
		return c, 0, errShort
	}
	if int(binary.BigEndian.Uint32(b[localFrame+size:])) != size {
		return c, 0, ErrTorn
	}
	c, ok := localMessage(b[localFrame:][:size])
	if !ok {
		return c, 0, ErrTorn
	}
	return c, n, nil
}

func localMessage(b []byte) (c Chunk, ok bool) {
	partial, last := false, false
	for len(b) > 0 {
		f, rest, ok := nextField(b)
		if !ok {
			return c, false
		}
		b = rest
		switch f.number<<3 | f.wire {
		case localSource<<3 | wireBytes:
			switch string(f.bytes) {
			case stream.Stdout.String():
				c.Kind = stream.Stdout
			case stream.Stderr.String():
				c.Kind = stream.Stderr
			default:
				return c, false
			}
		case localTime<<3 | wireVarint:
			c.Time = int64(f.varint)
		case localLine<<3 | wireBytes:
			c.Text = f.bytes
		case localPartial<<3 | wireVarint:
			partial = f.varint != 0
		case localPart<<3 | wireBytes:
			if last, ok = isLastPart(f.bytes); !ok {
				return c, false
			}
		}
	}
	c.Ended = !partial || last
	return c, c.Kind != 0 && c.Time != 0
}

func isLastPart(b []byte) (last, ok bool) {
	for len(b) > 0 {
		f, rest, ok := nextField(b)
		if !ok {
			return false, false
		}
		b = rest
		if f.number == localLast && f.wire == wireVarint {
			last = f.varint != 0
		}
	}
	return last, true
}

// field is one of a message: its number is the tag's, its value is in varint or in bytes.
type field struct {
	number, wire uint64
	varint       uint64
	bytes        []byte
}

// nextField reads a field of any kind, so that those of later versions are passed over.
func nextField(b []byte) (f field, rest []byte, ok bool) {
	tag, n := binary.Uvarint(b)
	if n <= 0 || tag>>3 == 0 || tag>>3 > math.MaxInt32 {
		return f, nil, false
	}
	f.number, f.wire, b = tag>>3, tag&7, b[n:]
	size := 0
	switch f.wire {
	case wireVarint:
		if f.varint, n = binary.Uvarint(b); n <= 0 {
			return f, nil, false
		}
		return f, b[n:], true
	case wireBytes:
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return f, nil, false
		}
		f.bytes = b[n:][:length]
		return f, b[n+int(length):], true
	case wireFixed64:
		size = 8
	case wireFixed32:
		size = 4
	default:
		return f, nil, false
	}
	if len(b) < size {
		return f, nil, false
	}
	return f, b[size:], true
}
