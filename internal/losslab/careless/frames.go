// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package careless // import "github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/careless"

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"time"
)

// line is a line of a log. The body is good until the next one is read.
type line struct {
	stamp  time.Time
	stderr bool
	body   []byte
}

// frames reads the lines of a log that has time stamps, of a container without a terminal. Each is one frame, as the
// laboratory's lines are shorter than the engine's chunks.
type frames struct {
	r   *bufio.Reader
	buf []byte
}

// newFrames reads by 8 KB, as the analysis does.
func newFrames(r io.Reader) *frames { return &frames{r: bufio.NewReaderSize(r, 8<<10)} }

func (f *frames) next() (line, error) {
	var header [8]byte
	if _, err := io.ReadFull(f.r, header[:]); err != nil {
		return line{}, err
	}
	size := int(binary.BigEndian.Uint32(header[4:]))
	if cap(f.buf) < size {
		f.buf = make([]byte, size)
	}
	f.buf = f.buf[:size]
	if _, err := io.ReadFull(f.r, f.buf); err != nil {
		return line{}, err
	}
	stamp, body, _ := bytes.Cut(f.buf, []byte{' '})
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil {
		return line{}, err
	}
	const stderr = 2
	return line{stamp: at, stderr: header[0] == stderr, body: bytes.TrimSuffix(body, []byte{'\n'})}, nil
}
