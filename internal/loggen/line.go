// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"math/bits"
	"math/rand/v2"
	"strconv"
)

// A body is
//
//	<source> <seq> <o|e> <len> <crc> <payload>
//
// where o and e are stdout and stderr, len is the body's own length in bytes without its line end, and crc is the CRC-32C of all of
// it but these eight lower-case hexadecimal digits. The space behind crc is there even when the payload is empty.

const (
	checksumLen = 8
	maxSource   = 128
	// maxSeq is where an endless log ends: a week at 100,000 lines a second. It bounds what a Checker may be made to allocate.
	maxSeq = 1<<36 - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Line is one line as written.
type Line struct {
	Seq    uint64 // from 1
	Stderr bool
	Body   []byte // without its line end
}

// Line computes line seq, from 1.
func (o *Options) Line(seq uint64) Line {
	body, stderr := o.AppendLine(nil, seq)
	return Line{Seq: seq, Stderr: stderr, Body: body}
}

// AppendLine appends the body of line seq, from 1, without its line end, to dst, and says which stream the line belongs to. It
// allocates nothing when dst has room. The options must be valid.
func (o *Options) AppendLine(dst []byte, seq uint64) (line []byte, stderr bool) {
	var rng rand.PCG
	rng.Seed(o.Seed^hash(o.Source), seq)
	stderr = float64(rng.Uint64()>>11)/(1<<53) < o.StderrShare
	size := o.Sizes.pick(&rng)

	start := len(dst)
	dst = append(dst, o.Source...)
	dst = append(dst, ' ')
	dst = strconv.AppendUint(dst, seq, 10)
	if stderr {
		dst = append(dst, " e "...)
	} else {
		dst = append(dst, " o "...)
	}
	dst = strconv.AppendUint(dst, uint64(size), 10)
	dst = append(dst, ' ')
	crc := len(dst)
	dst = append(dst, "00000000 "...)
	// Never negative for a line that o asks for, but a Checker computes whatever number a damaged line claims.
	payload := max(0, size-(len(dst)-start))
	dst = appendPayload(dst, o.Payload, payload, &rng)
	digits := checksum(dst[start:], crc-start)
	copy(dst[crc:], digits[:])
	return dst, stderr
}

// checksum covers a body except the checksum itself, which stands at crc.
func checksum(body []byte, crc int) (digits [checksumLen]byte) {
	sum := crc32.Update(0, castagnoli, body[:crc])
	sum = crc32.Update(sum, castagnoli, body[crc+checksumLen:])
	hex.Encode(digits[:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return digits
}

// header is what a body claims to be.
type header struct {
	source []byte // a part of the body
	seq    uint64
	stderr bool
}

// parse reads a body and proves it. On an error the header holds what could be read of it; a sequence number of 0 is unreadable.
func parse(body []byte) (h header, err error) {
	rest := body
	field := func() []byte {
		// Bounded, because a damaged body may be megabytes without a space.
		i := bytes.IndexByte(rest[:min(len(rest), maxSource+1)], ' ')
		if i < 0 {
			rest = nil
			return nil
		}
		f := rest[:i]
		rest = rest[i+1:]
		return f
	}
	source := field()
	seq, seqErr := strconv.ParseUint(string(field()), 10, 64)
	stream := field()
	size, sizeErr := strconv.Atoi(string(field()))
	crc := len(body) - len(rest)
	sum := field()

	h.source = source
	if seqErr == nil && seq <= maxSeq {
		h.seq = seq
	}
	h.stderr = string(stream) == "e"
	switch {
	case len(source) == 0 || h.seq == 0 || !h.stderr && string(stream) != "o" || sizeErr != nil || len(sum) != checksumLen:
		return h, errHeader
	case size != len(body):
		return h, fmt.Errorf("%w: says %d bytes, has %d", errLength, size, len(body))
	case checksum(body, crc) != [checksumLen]byte(sum):
		return h, errChecksum
	}
	return h, nil
}

// hash is FNV-1a, 64 bits wide.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

// below is uniform in [0, n), but for a bias of n in 2^64.
func below(rng *rand.PCG, n uint64) uint64 {
	high, _ := bits.Mul64(rng.Uint64(), n)
	return high
}
