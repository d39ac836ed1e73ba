// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// Job is the first message to a client.
type Job struct {
	Endpoint string
	Strategy string // of the receiver; or the name of a naive client, FileLog or None
	DataRoot string // where the engine keeps its files, for FileLog
	Sources  []Source
	// Lifetime is that of short-lived follows.
	Lifetime time.Duration
	// MaxStreams is the budget of the strategy adaptive; 0 is its default.
	MaxStreams int
	// Receiver is more of the receiver's configuration, with the keys of its YAML.
	Receiver map[string]any
}

// Source is a container that writes lines.
type Source struct {
	ID    string
	Lines loggen.Options
}

// Finish is the second and last message: all lines are written. The client waits until all of
// them have come, or none has come for as long as Quiet, and then stops the reader.
type Finish struct {
	Written map[string]uint64 // lines, by source
	Quiet   time.Duration
	Settle  time.Duration // how long goroutines may take to end after the reader was stopped
}

// Message is what a client reports, in this order: Ready once the reader has started, Drained
// when all lines have come or were given up, and Result when the reader has stopped.
type Message struct {
	Ready   bool    `json:",omitempty"`
	Drained bool    `json:",omitempty"`
	Result  *Result `json:",omitempty"`
}
