// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"encoding/binary"
	"io"

	"github.com/cespare/xxhash/v2"
)

// Mark is where a record begins.
type Mark struct {
	file   *file
	offset int64
}

// place is a mark that outlives the process: which file it is, and the offset. A file is
// known by its head. Device and inode
// would not do: they are used again as soon as a file has been removed.
type place struct {
	headSize int // bytes
	head     uint64
	offset   int64 // bytes
}

// placeSize is that of an encoded place: 2 + 8 + 8 bytes, big-endian.
const placeSize = 18

// Place encodes the mark for Reader.Resume; nil if it is none.
func (m Mark) Place() []byte {
	if m.file == nil || m.file.head.size == 0 {
		return nil
	}
	b := binary.BigEndian.AppendUint16(make([]byte, 0, placeSize), uint16(m.file.head.size))
	b = binary.BigEndian.AppendUint64(b, m.file.head.hash.Sum64())
	return binary.BigEndian.AppendUint64(b, uint64(m.offset))
}

func decodePlace(b []byte) (p place, ok bool) {
	if len(b) != placeSize {
		return p, false
	}
	p.headSize = int(binary.BigEndian.Uint16(b))
	p.head = binary.BigEndian.Uint64(b[2:])
	p.offset = int64(binary.BigEndian.Uint64(b[10:]))
	return p, p.headSize > 0 && p.offset >= 0
}

// seek goes to a place in a file that has not been read, if it is one of this file.
func (f *file) seek(p place) bool {
	head := make([]byte, p.headSize)
	if _, err := io.ReadFull(f, head); err != nil || xxhash.Sum64(head) != p.head {
		return false
	}
	if !f.compressed {
		size, err := f.size()
		f.offset = p.offset
		return err == nil && size >= p.offset
	}
	// What has been unpacked cannot be read again, and the place may be in it.
	if _, err := f.plain.Seek(0, io.SeekStart); err != nil {
		return false
	}
	f.unpacked, f.offset = nil, 0
	_, err := io.CopyN(io.Discard, f, p.offset)
	return err == nil
}
