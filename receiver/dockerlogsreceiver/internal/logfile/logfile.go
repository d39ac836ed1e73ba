// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package logfile reads the files in which the Docker Engine keeps a container's log: those
// of the log drivers json-file and local, and the cache of dual logging, which has the
// format of local. It opens files for reading only, and never locks one.
package logfile

import (
	"errors"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Chunk is one record of the engine: a line, or a part of a long one.
type Chunk struct {
	Time  int64 // nanoseconds since the Unix epoch
	Kind  stream.Kind
	Text  []byte // without line end; valid until the next call
	Ended bool   // the line ends with it
}

// What a file may hold in place of a record. Reading goes on behind it.
var (
	// ErrTorn: what stands here is no record, or only a part of one: the engine was killed,
	// or its disk was full, while it wrote.
	ErrTorn = errors.New("the log file has a record that is not whole")
	// ErrHole: NULs stand here, as in a file that was emptied under its writer, or after the
	// machine went down.
	ErrHole = errors.New("the log file has a hole")
	// ErrTruncated: the file has become shorter than what has been read of it.
	ErrTruncated = errors.New("the log file was truncated")
	// ErrRotated: what has been read last is in none of the files any more, so that there
	// may have been others meanwhile.
	ErrRotated = errors.New("the log files were rotated away")
)

// errShort is a decoder's: the record has not been written to its end yet, or never will be.
var errShort = errors.New("the record is not whole yet")

// maxRecord is the size, in bytes, of the longest record that the engine reads itself: 1 MB
// of the driver local. Of json-file none is longer: a chunk has 16 KiB of text, each byte of
// which takes six at most.
const maxRecord = 1_000_000

var newline = []byte{'\n'}

// decoder decodes the record at the start of b and returns how many bytes it takes. The
// error is errShort where b ends before the record does, ErrTorn or ErrHole where there is
// none; n is then where to go on, 0 where the decoder cannot know.
type decoder interface {
	decode(b []byte) (c Chunk, n int, err error)
}
