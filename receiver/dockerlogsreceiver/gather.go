// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

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

// gatherer reads the answer to a request that does not follow, where nobody waits for
// the single line.
type gatherer struct {
	src    io.Reader
	little bool
}

func (g *gatherer) Read(b []byte) (int, error) {
	if g.little {
		gather()
	}
	n, err := g.src.Read(b)
	g.little = n < gatherBelow
	return n, err
}
