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
// logfile.Place.
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
	tagPlace    = 1
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
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, uint64(id.Time))
		b = binary.BigEndian.AppendUint64(b, id.Hash)
	}
	return append(b, sections...)
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
	for range n {
		f.ids = append(f.ids, ID{Time: int64(binary.BigEndian.Uint64(rest)), Hash: binary.BigEndian.Uint64(rest[8:])})
		rest = rest[idSize:]
	}
	f.next = uint64(n)
	if b[0] == versionPlain && len(rest) > 0 {
		return nil, fmt.Errorf("a position of version %d has %d bytes behind its records", versionPlain, len(rest))
	}
	var err error
	f.place, f.sections, err = decodeSections(rest)
	return f, err
}

// appendSections encodes a place, if there is one, before sections that are not known.
func appendSections(place, unknown []byte) []byte {
	if place == nil {
		return unknown
	}
	b := append(make([]byte, 0, sectionHeader+len(place)+len(unknown)), tagPlace)
	b = binary.BigEndian.AppendUint32(b, uint32(len(place)))
	b = append(b, place...)
	return append(b, unknown...)
}

// decodeSections returns the place that the sections of a stored position hold, and those
// that are not known.
func decodeSections(b []byte) (place, unknown []byte, err error) {
	if len(b) > maxSections {
		return nil, nil, fmt.Errorf("the sections of a position have %d bytes", len(b))
	}
	for len(b) > 0 {
		if len(b) < sectionHeader {
			return nil, nil, fmt.Errorf("a section of a position is cut off after %d bytes", len(b))
		}
		tag, size := b[0], int(binary.BigEndian.Uint32(b[1:]))
		if size > len(b)-sectionHeader {
			return nil, nil, fmt.Errorf("a section of a position has %d of its %d bytes", len(b)-sectionHeader, size)
		}
		section := b[:sectionHeader+size]
		if b = b[len(section):]; tag == tagPlace {
			place = bytes.Clone(section[sectionHeader:])
		} else {
			unknown = append(unknown, section...)
		}
	}
	return place, unknown, nil
}
