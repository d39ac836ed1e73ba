// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package position

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The encoding of a stored position, all integers big-endian:
//
//	version    1 byte, 1 or 2
//	floor      8 bytes, nanoseconds since the epoch
//	number     4 bytes
//	identities 16 bytes each: time in nanoseconds since the epoch, hash
//	sections   version 2 only, to the end: tag 1 byte, length 4 bytes, content
//
// The section with tag 1 is the place in the engine's files where the records end, see
// logfile.Place. That with tag 2 holds the identities of records that were accepted before
// an older one was: behind the newest of those above, which is first.
//
// It is a promise to later versions: a change gets a new version, and the old ones stay
// readable. A section whose tag is not known is skipped, and stored again as it is. A
// position without sections is stored as version 1, which older versions read too.
const (
	versionPlain    = 1
	versionSections = 2
	headerSize      = 1 + 8 + 4
	idSize          = 16
	sectionHeader   = 1 + 4
	// maxSections bounds the sections of one position, in bytes.
	maxSections = 64 << 10
	// maxAhead bounds the records that are stored as ahead: a position whose sections are too
	// large cannot be read. What is left out may come again.
	maxAhead = 3500
	tagPlace = 1
	tagAhead = 2
)

func encode(floor int64, ids []ID, sections []byte) []byte {
	b := make([]byte, 0, headerSize+idSize*len(ids)+len(sections))
	version := byte(versionPlain)
	if len(sections) > 0 {
		version = versionSections
	}
	b = append(b, version)
	b = binary.BigEndian.AppendUint64(b, uint64(floor))
	b = binary.BigEndian.AppendUint32(b, uint32(len(ids)))
	return append(appendIDs(b, ids...), sections...)
}

// Decode returns the frontier that was stored as b.
func Decode(b []byte) (*Frontier, error) {
	if len(b) == 0 || (b[0] != versionPlain && b[0] != versionSections) {
		return nil, fmt.Errorf("not a position of version %d or %d", versionPlain, versionSections)
	}
	if len(b) < headerSize {
		return nil, fmt.Errorf("a position of %d bytes is cut off", len(b))
	}
	f := &Frontier{floor: int64(binary.BigEndian.Uint64(b[1:])), changed: true}
	n, rest := int(binary.BigEndian.Uint32(b[9:])), b[headerSize:]
	if n > 8*MaxRecords || len(rest) < n*idSize {
		return nil, fmt.Errorf("a position of %d records has %d bytes of them", n, len(rest))
	}
	f.ids, rest = decodeIDs(rest[:n*idSize]), rest[n*idSize:]
	f.next = uint64(n)
	if b[0] == versionPlain && len(rest) > 0 {
		return nil, fmt.Errorf("a position of version %d has %d bytes behind its records", versionPlain, len(rest))
	}
	return f, f.decodeSections(rest)
}

// appendSections encodes what there is of a place and of records that are ahead, before
// sections that are not known.
func appendSections(place, ahead, unknown []byte) []byte {
	b := appendSection(nil, tagPlace, place)
	b = appendSection(b, tagAhead, ahead)
	return append(b, unknown...)
}

func appendSection(b []byte, tag byte, content []byte) []byte {
	if len(content) == 0 {
		return b
	}
	b = binary.BigEndian.AppendUint32(append(b, tag), uint32(len(content)))
	return append(b, content...)
}

// decodeSections takes the sections of a stored position.
func (f *Frontier) decodeSections(b []byte) error {
	if len(b) > maxSections {
		return fmt.Errorf("the sections of a position have %d bytes", len(b))
	}
	for len(b) > 0 {
		if len(b) < sectionHeader {
			return fmt.Errorf("a section of a position is cut off after %d bytes", len(b))
		}
		tag, size := b[0], int(binary.BigEndian.Uint32(b[1:]))
		if size > len(b)-sectionHeader {
			return fmt.Errorf("a section of a position has %d of its %d bytes", len(b)-sectionHeader, size)
		}
		section := b[:sectionHeader+size]
		content := section[sectionHeader:]
		b = b[len(section):]
		switch tag {
		case tagPlace:
			f.place = bytes.Clone(content)
		case tagAhead:
			f.restored = decodeAhead(content, lastOf(f.ids))
		default:
			f.sections = append(f.sections, section...)
		}
	}
	return nil
}

// encodeAhead encodes records that were accepted before an older one, behind the newest of
// those that were accepted without a hole.
func encodeAhead(newest ID, ahead []ID) []byte {
	if len(ahead) == 0 {
		return nil
	}
	return appendIDs(appendIDs(make([]byte, 0, idSize*(1+len(ahead))), newest), ahead...)
}

// decodeAhead returns the records of a section that belongs to the position: a version that
// does not know it stores it again as it was, however far the position has moved.
func decodeAhead(b []byte, newest ID) []ID {
	ids := decodeIDs(b)
	if len(ids) == 0 || ids[0] != newest {
		return nil
	}
	return ids[1:]
}

// lastOf returns the newest of identities, the zero value of none.
func lastOf(ids []ID) ID {
	if len(ids) == 0 {
		return ID{}
	}
	return ids[len(ids)-1]
}

func appendIDs(b []byte, ids ...ID) []byte {
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, uint64(id.Time))
		b = binary.BigEndian.AppendUint64(b, id.Hash)
	}
	return b
}

func decodeIDs(b []byte) (ids []ID) {
	for ; len(b) >= idSize; b = b[idSize:] {
		ids = append(ids, ID{Time: int64(binary.BigEndian.Uint64(b)), Hash: binary.BigEndian.Uint64(b[8:])})
	}
	return ids
}
