// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"io"
	"math"

	"github.com/cespare/xxhash/v2"
)

// A head is as long as the file's first line, and at least minHead bytes; maxHead bounds it, as a
// place encodes it in two bytes. In a json-file the time stamp is at the end of the record.
const (
	minHead = 256
	maxHead = math.MaxUint16
)

// head is what a file is recognised by once it has been compressed, and by a later process: how
// many of its first bytes are known, and their hash. With the first record's time stamp in it no
// other file has it. The zero value knows nothing.
type head struct {
	size int // bytes
	line int // bytes of the first line, with its end; 0 while that is not known
	hash xxhash.Digest
}

// add takes what is behind the bytes that are known.
func (h *head) add(b []byte) {
	if h.size == 0 {
		h.hash.Reset()
	}
	if h.line == 0 {
		if end := bytes.IndexByte(b, '\n'); end >= 0 {
			h.line = h.size + end + 1
		}
	}
	size := maxHead
	if h.line > 0 {
		size = min(max(h.line, minHead), maxHead)
	}
	n := max(0, min(size-h.size, len(b)))
	_, _ = h.hash.Write(b[:n])
	h.size += n
}

// isOf reports whether a log begins with it.
func (h *head) isOf(log io.Reader) (bool, error) {
	other := xxhash.New()
	n, err := io.CopyN(other, log, int64(h.size))
	if err == io.EOF { // it is shorter
		err = nil
	}
	return n == int64(h.size) && other.Sum64() == h.hash.Sum64(), err
}
