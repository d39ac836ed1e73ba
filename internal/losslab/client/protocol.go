// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// Job is the first thing that a client is told.
type Job struct {
	Endpoint string
	Strategy string // one of ours, a careless client's name, or none
	Sources  []Source
	// Lifetime is of a follow of those that are short-lived.
	Lifetime time.Duration
	// MaxStreams is adaptive's budget; 0 is its default.
	MaxStreams int
}

// Source is a container that writes lines.
type Source struct {
	ID    string
	Lines loggen.Options
}

// Finish is the second and last thing: all lines are written. The client waits until all of them have come, or none has
// come for as long as Quiet, and then ends the reader.
type Finish struct {
	Written map[string]uint64 // lines, by source
	Quiet   time.Duration
	Settle  time.Duration // how long goroutines that have been told to end may take to
}

// Message is what a client says. One field is set.
type Message struct {
	Ready  *Ready
	Sample *Sample
	Result *Result
}

// Ready says that the reader has been started. What the process had and used before is not the reader's.
type Ready struct {
	Resident int64 // bytes
}

// Sample is the state of the process while the reader is at work.
type Sample struct {
	At         time.Duration // since Ready
	Goroutines int           // beyond those before the start
	Resident   int64         // bytes
	Delivered  uint64        // distinct lines
	Requests   int64         // so far; -1 if it was not looked at
}

// Result is what came of it.
type Result struct {
	Elapsed   time.Duration // from Ready until all lines had come or were given up
	LastLine  time.Duration // from Ready until the last line that came
	CPU       time.Duration // user and system, in the same time, the checking of the lines included
	Delivered uint64        // distinct lines, intact
	Lost      uint64
	LostRuns  uint64 // runs of lost lines, each without a line between that came
	Repeated  uint64
	Damaged   uint64
	Latency   []Quantile // from the engine's time stamp to the consumer
	Requests  int64      // to the engine, of any kind
	Gaps      int64      // that the receiver has counted; a careless client counts none
	// Suppressed are records that the engine sent twice of its own accord, and that were recognised.
	Suppressed int64
	Left       int // goroutines that are still there after the end, beyond those before the start
	// Leaked are those that the runtime proves will never wake; -1 where the binary has no profile goroutineleak.
	Leaked int
	// Stopped is how long the reader took to end.
	Stopped time.Duration
	Error   string // what went wrong with the reader, if anything
}

// Quantile is how old a share of the lines were, at most.
type Quantile struct {
	Share float64
	Age   time.Duration
}
