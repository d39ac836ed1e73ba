// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"io"
	"time"
)

const (
	// A read that brought less than gatherBelow bytes is followed by a pause. The
	// engine flushes every line, and to be woken for each costs more than to decode
	// it. A socket holds many times what the engine writes meanwhile.
	gatherBelow = 8 << 10
	gatherPause = 50 * time.Microsecond
)

// coalescingReader reads the answer to a request that does not follow, where nobody waits for
// the single line.
type coalescingReader struct {
	src    io.Reader
	little bool
}

func (r *coalescingReader) Read(b []byte) (int, error) {
	if r.little {
		gather()
	}
	n, err := r.src.Read(b)
	r.little = n < gatherBelow
	return n, err
}
