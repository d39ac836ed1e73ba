// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"math"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

const (
	// leastWait is between two reads of files that rotate as fast as they are read.
	leastWait = 10 * time.Millisecond
	// leastTime is what a measured speed rests on: a single write says little.
	leastTime = time.Millisecond
)

// pace is how fast the engine writes files.
type pace struct {
	since time.Time // the last read, while there is something to read
	bytes int64     // that had been read then
	speed float64   // bytes a second, between the last two reads
}

// begin is called before a read. A log that was silent has begun to grow just now.
func (p *pace) begin(now time.Time) {
	if p.since.IsZero() {
		p.since = now
	}
}

// end is called after a read, with all bytes that have been read so far.
func (p *pace) end(now time.Time, bytes int64) {
	p.speed = float64(bytes-p.bytes) / max(now.Sub(p.since), leastTime).Seconds()
	p.since, p.bytes = now, bytes
	if p.speed == 0 {
		p.since = time.Time{}
	}
}

// BeforeRotation returns how long the next read of a container's files may wait: until the
// engine, at the speed that the last read has seen, has written a quarter of what they hold.
// Then a container that becomes three times as fast still loses nothing.
func (s *Source) BeforeRotation(c *engine.Container) time.Duration {
	if s.files == nil || s.files.pace.speed == 0 {
		return math.MaxInt64
	}
	quarter := float64(capacity(c)) / 4
	if quarter == 0 {
		return math.MaxInt64
	}
	return max(time.Duration(quarter/s.files.pace.speed*float64(time.Second)), leastWait)
}
