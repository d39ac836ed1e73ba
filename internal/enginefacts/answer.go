// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// kindError is the kind of a frame that holds an error of the engine's in place of a record.
const kindError = 3

// maxFrame bounds what a header may claim, in bytes.
const maxFrame = 1 << 24

// record is one frame of an answer: a line, or a chunk of one.
type record struct {
	kind  byte
	stamp string // as it stands in front of the text
	at    time.Time
	text  []byte // with its line end, if it has one
}

// errEngine is what the engine says in an error frame.
var errEngine = errors.New("error frame")

// answer is the body of a logs request, of a container without a terminal.
type answer struct {
	io.Closer
	r *bufio.Reader
}

func newAnswer(body io.ReadCloser) *answer {
	return &answer{Closer: body, r: bufio.NewReaderSize(body, 64<<10)}
}

// next returns the next record. The error is io.EOF where the answer ends between two frames.
func (a *answer) next() (rec record, err error) {
	var header [8]byte
	if _, err := io.ReadFull(a.r, header[:]); err != nil {
		return rec, err
	}
	size := binary.BigEndian.Uint32(header[4:])
	if size > maxFrame {
		return rec, fmt.Errorf("a frame claims %d bytes", size)
	}
	frame := make([]byte, size)
	if _, err := io.ReadFull(a.r, frame); err == io.EOF {
		return rec, io.ErrUnexpectedEOF
	} else if err != nil {
		return rec, err
	}
	if header[0] == kindError {
		return rec, fmt.Errorf("%w: %s", errEngine, bytes.TrimSpace(frame))
	}
	stamp, text, _ := bytes.Cut(frame, []byte{' '})
	rec = record{kind: header[0], stamp: string(stamp), text: text}
	rec.at, err = time.Parse(time.RFC3339Nano, rec.stamp)
	return rec, err
}

// all returns the records up to the end of the answer.
func (a *answer) all() (records []record, err error) {
	for {
		rec, err := a.next()
		if err == io.EOF {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		records = append(records, rec)
	}
}
