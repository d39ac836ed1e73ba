// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package naive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"time"
)

// Line is a line of a log.
type Line struct {
	Stamp  time.Time
	Stderr bool
	Body   []byte // valid until the next line is read
}

// Frames reads the lines of a log with time stamps, of a container without a terminal. A line
// is one frame, because the laboratory's lines are shorter than the engine's chunks.
type Frames struct {
	r   *bufio.Reader
	buf []byte
}

// NewFrames reads 8 KB at a time.
func NewFrames(r io.Reader) *Frames { return &Frames{r: bufio.NewReaderSize(r, 8<<10)} }

// Next returns the next line.
func (f *Frames) Next() (Line, error) {
	var header [8]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		return Line{}, err
	}
	size := int(binary.BigEndian.Uint32(header[4:]))
	if cap(f.buf) < size {
		f.buf = make([]byte, size)
	}
	f.buf = f.buf[:size]
	if _, err := io.ReadFull(f.r, f.buf); err != nil {
		return Line{}, err
	}
	stamp, body, _ := bytes.Cut(f.buf, []byte{' '})
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return Line{}, err
	}
	const stderr = 2
	return Line{Stamp: at, Stderr: header[0] == stderr, Body: bytes.TrimSuffix(body, []byte{'\n'})}, nil
}
