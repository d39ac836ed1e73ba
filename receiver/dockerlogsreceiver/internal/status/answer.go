// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import "time"

// Answer is what every answer of the API has. Fields are added to these types, never renamed
// or removed. Times are in UTC, and absent where they are not known; durations are in seconds.
type Answer struct {
	Now      time.Time `json:"now"`
	Receiver string    `json:"receiver"` // its id
	Version  string    `json:"version"`  // of the distribution
	// HealthPage is where goroutine_health serves its page: a URL, or :PORT where it listens
	// on all addresses. Absent where it serves none.
	HealthPage string   `json:"health_page,omitempty"`
	Engine     Engine   `json:"engine"`
	Pipeline   Pipeline `json:"pipeline"`
}

// Engine is the engine whose containers are listed.
type Engine struct {
	Name              string    `json:"name,omitempty"` // Docker Engine or Podman
	Host              string    `json:"host,omitempty"`
	Version           string    `json:"version,omitempty"`
	APIVersion        string    `json:"api_version,omitempty"`
	Runtime           string    `json:"runtime,omitempty"` // docker or podman
	Connected         bool      `json:"connected"`
	Since             time.Time `json:"since,omitzero"` // it has been so
	Error             string    `json:"error"`          // the last one, empty while it is connected
	Discovery         string    `json:"discovery,omitempty"`
	RequestsPerMinute float64   `json:"requests_per_minute"`
}

// How the containers are found out about.
const (
	DiscoveryEvents  = "events"
	DiscoveryListing = "listing" // there are no events
)

// Pipeline is what all records go to.
type Pipeline struct {
	State string    `json:"state"`
	Since time.Time `json:"since,omitzero"` // it has been so
	Error string    `json:"error"`          // the last refusal's, empty while it accepts
	// WaitingBytes is the memory that the records take which it has not accepted, and
	// OldestSeconds the age of the oldest of them.
	WaitingBytes  int64   `json:"waiting_bytes"`
	OldestSeconds float64 `json:"oldest_seconds"`
}

// What a pipeline does.
const (
	Accepting = "accepting"
	Refusing  = "refusing"
)

// List is the answer about the containers that were asked for.
type List struct {
	Answer
	Totals     Totals      `json:"totals"`
	Matched    int         `json:"matched"` // containers that the filter lets through, on all pages
	Offset     int         `json:"offset"`
	Containers []Container `json:"containers"` // by name
}

// Totals are numbers of containers, of all that there are. A container is behind when it is
// so by more than five seconds.
type Totals struct {
	Containers int `json:"containers"`
	Captured   int `json:"captured"`
	Behind     int `json:"behind"`
	Gaps       int `json:"gaps"` // those with at least one
	Unreadable int `json:"unreadable"`
	LeftOut    int `json:"left_out"`
	Ended      int `json:"ended"`
}

// One is the answer about one container.
type One struct {
	Answer
	Container Detail `json:"container"`
}

// Detail is a container with what happened to it, the newest last.
type Detail struct {
	Container
	History []Event `json:"history"`
}

// Container is one container of the engine, captured or not.
type Container struct {
	ID           string    `json:"id"`
	Name         string    `json:"name"`
	Image        string    `json:"image"`
	Driver       string    `json:"driver,omitempty"` // of its log; known once it has been inspected
	Running      bool      `json:"running"`
	State        State     `json:"state"`
	StateSince   time.Time `json:"state_since,omitzero"`
	Reason       *Reason   `json:"reason,omitempty"` // why it is not captured
	Strategy     string    `json:"strategy,omitempty"`
	StrategyFrom string    `json:"strategy_from,omitempty"` // default, overrides[N] or label
	Source       string    `json:"source,omitempty"`        // api or file
	Since        time.Time `json:"since,omitzero"`          // the capture began

	// What has been handed on to the pipeline; the rates are of the last minute.
	Records          int64   `json:"records"`
	Bytes            int64   `json:"bytes"` // of bodies
	RecordsPerSecond float64 `json:"records_per_second"`
	BytesPerSecond   float64 `json:"bytes_per_second"`
	// BehindSeconds is the age of the oldest line that is known of and has not been accepted
	// by the pipeline.
	BehindSeconds float64   `json:"behind_seconds"`
	LastRecord    time.Time `json:"last_record,omitzero"` // by the engine's clock

	Reopens     int    `json:"reopens"`
	Suppressed  int    `json:"suppressed"`   // records that the engine sent again
	RateLimited int64  `json:"rate_limited"` // records that its rate limit dropped
	Dropped     int64  `json:"dropped"`      // records that the pipeline refused for good
	GapCount    int    `json:"gap_count"`
	Gaps        []Gap  `json:"gaps,omitempty"` // the last ones
	WaitsFor    *Waits `json:"waits_for,omitempty"`
	// Plot has the records of each ten seconds of the last ten minutes, the oldest first.
	// Absent where there were none.
	Plot []uint32 `json:"plot,omitempty"`
}

// State is what is done about a container.
type State string

const (
	Opening    State = "opening"    // the engine is asked about it
	Reading    State = "reading"    // what its log holds
	Following  State = "following"  // what it writes
	Delayed    State = "delayed"    // by its rate limit
	Waiting    State = "waiting"    // to read again
	Ended      State = "ended"      // it does not run, and its log has been read
	Unreadable State = "unreadable" // the engine cannot read its log
	LeftOut    State = "left_out"   // it is not to be captured
)

// States are all of them.
var States = []State{Opening, Reading, Following, Delayed, Waiting, Ended, Unreadable, LeftOut}

// captured reports whether something is read in that state, or will be.
func (s State) captured() bool { return s != Ended && s != Unreadable && s != LeftOut }

// Reason is why a container is not captured.
type Reason struct {
	Code   string `json:"code"` // exclude, include, label, self or driver
	By     string `json:"by"`   // what decided: a key of the configuration, a label, a driver
	Text   string `json:"text"`
	Remedy string `json:"remedy,omitempty"`
}

// Gap is a place where lines may be missing.
type Gap struct {
	Time   time.Time `json:"time"` // it was found
	Reason string    `json:"reason"`
	Text   string    `json:"text"`
	Remedy string    `json:"remedy"`
}

// Waits is what has to come before something is read again, or goes on.
type Waits struct {
	What  Need      `json:"what"`
	Until time.Time `json:"until,omitzero"` // at the latest
	Text  string    `json:"text"`
}

// Need is what is waited for.
type Need string

const (
	NeedPipeline   Need = "pipeline"
	NeedSlot       Need = "slot"
	NeedEngine     Need = "engine"
	NeedPoll       Need = "next_poll"
	NeedFileChange Need = "file_change"
	NeedLines      Need = "lines"
	NeedRateLimit  Need = "rate_limit"
)

var needTexts = map[Need]string{
	NeedPipeline:   "the pipeline to accept what has been read",
	NeedSlot:       "one of the reads that are under way to end",
	NeedEngine:     "the time to ask the engine again, which did not answer",
	NeedPoll:       "the next poll",
	NeedFileChange: "the file of its log to change",
	NeedLines:      "new lines, which the engine sends as they are written",
	NeedRateLimit:  "its rate limit to let more through",
}

// Event is something that happened to a container, or to its capture.
type Event struct {
	Time  time.Time `json:"time"` // of the last one
	Kind  string    `json:"kind"`
	Text  string    `json:"text"`
	Times int       `json:"times,omitempty"` // in a row, where it is more than once
}

// Kinds of events.
const (
	KindOpened     = "opened"
	KindCut        = "cut"
	KindGap        = "gap"
	KindFellBack   = "fell_back"
	KindRecovered  = "recovered"
	KindStarted    = "started"
	KindEnded      = "ended"
	KindRead       = "read" // to its end
	KindUnreadable = "unreadable"
	KindRenamed    = "renamed"
	KindLeftOut    = "left_out"
	KindDropped    = "dropped"
)

// Problem is the answer to a request that cannot be answered.
type Problem struct {
	Error string `json:"error"`
}
