// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package stream decodes the body of the Docker Engine's
// GET /containers/{id}/logs?timestamps=1 into records: one a line that the
// container wrote, whole, with the engine's time stamp.
package stream

import "time"

// Overtaking is more than the two streams of a container overtake one another by, in the
// order and the times that the engine gives their records.
const Overtaking = time.Second

// Kind is the stream of the container that a record was written to. The values
// are those of the engine's frame headers.
type Kind uint8

const (
	Stdout Kind = 1
	Stderr Kind = 2
)

// String returns the value of the semantic convention log.iostream.
func (k Kind) String() string {
	if k == Stderr {
		return "stderr"
	}
	return "stdout"
}

// Record is one line of a container's log.
type Record struct {
	// Time is the engine's time stamp, in nanoseconds since the Unix epoch.
	// A record that the engine sent without one has the time of the record
	// before it.
	Time int64
	// Body is the line without its line end. It points into the reader's
	// buffers and is valid until the next call of Next or Flush.
	Body []byte
	// Dropped counts the bytes that were cut off the end of a line that is
	// longer than the reader's limit.
	Dropped int
	// Kind is the stream; a container with a TTY has only Stdout.
	Kind Kind
	// Coarse is set where many records may share one time (Podman).
	Coarse bool
}

// EngineError is a message that the engine put into the log stream in place of
// records that it could not read. The stream ends behind it.
type EngineError struct{ Message string }

func (e *EngineError) Error() string { return "engine: " + e.Message }
