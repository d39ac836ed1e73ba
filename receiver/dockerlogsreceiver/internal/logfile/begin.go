// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import "io"

// Open opens the oldest file. Next does it if need be.
func (r *Reader) Open() (err error) {
	r.file, err = r.names.oldest()
	return err
}

// Tail goes near the end of the file that the engine writes, some bytes before it at most,
// and reports whether it could. It is for a reader that has not read yet. The first record
// may then be none, with ErrTorn.
func (r *Reader) Tail(bytes int64) bool {
	f, err := r.names.open(0)
	if err != nil {
		return false
	}
	r.file = f
	if _, err := io.CopyN(io.Discard, f, minHead); err != nil && err != io.EOF {
		return false
	}
	size, err := f.size()
	if err != nil {
		return false
	}
	first := max(0, size-bytes)
	if r.format != Local {
		f.offset = first
		return true
	}
	for f.offset = size; f.offset > first; { // of half a record no beginning can be found
		start, ok, err := recordBefore(f.plain, f.offset)
		if err != nil || !ok {
			return false
		}
		f.offset = start
	}
	return true
}

// Resume goes to where a record begins, as Mark.Place encodes it, and reports whether the log
// still has that file. It is for a reader that has not read yet.
func (r *Reader) Resume(encoded []byte) bool {
	p, ok := decodePlace(encoded)
	if !ok {
		return false
	}
	for i := range max(r.names.files, 2) {
		f, err := r.names.open(i)
		if err != nil {
			continue
		}
		if f.seek(p) {
			r.file = f
			return true
		}
		_ = f.Close()
	}
	return false
}

// SeekBefore goes to a record that is older than a time, in nanoseconds since the epoch, near
// the end of the file that the engine writes, and reports whether it could. It is for a reader
// that has not read yet, and that is still so where it could not.
func (r *Reader) SeekBefore(time int64) bool {
	for bytes := int64(bufferSize); r.Tail(bytes); bytes *= 8 {
		whole := r.file.offset == 0
		chunk, err := r.Next()
		if err == ErrTorn && !whole { // the rest of a record
			chunk, err = r.Next()
		}
		if err == nil && chunk.Time < time {
			r.file.offset, r.r, r.w = r.start, 0, 0 // that record comes again
			return true
		}
		_ = r.reset() // opened for reading only
		if whole {
			return false
		}
	}
	_ = r.reset()
	return false
}

// reset makes the reader one that has not read yet.
func (r *Reader) reset() error {
	err := r.Close()
	r.file, r.superseded, r.damaged = nil, false, false
	return err
}
