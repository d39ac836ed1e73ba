// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logstest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

// Sink is a pipeline that records what it accepts, and that can be slow, hold its callers
// and refuse. The zero value accepts and keeps everything. Methods are safe for concurrent
// use; the fields are to be set before the first call.
type Sink struct {
	// Observe, if set, gets every accepted record, in place of the list that All returns.
	// Calls come one at a time, before the ConsumeLogs that brought the record returns.
	Observe func(resource pcommon.Map, record plog.LogRecord)
	// Patience is how long Await waits; Patience of this package if it is zero.
	Patience time.Duration
	// Split makes the sink count and keep each line of a record as one of its own.
	Split bool

	mu       sync.Mutex // guards everything below
	kept     []Record
	calls    int
	counts   map[string]int // accepted records, by container.name
	total    int
	refused  int
	uids     map[string]struct{}
	sameUID  int
	accepted chan struct{} // closed with the next call that is accepted; nil if nobody waits

	refusal error
	delay   time.Duration
	gate    chan struct{} // holds every call until it is closed
	deaf    bool          // a held call does not end with its context
}

var _ consumer.Logs = (*Sink)(nil)

// Record is a record that a Sink has kept.
type Record struct {
	Body     string
	Stream   string // log.iostream
	UID      string // log.record.uid
	Time     time.Time
	Resource map[string]any
	// EventName is empty for what a container has written, as is Severity.
	EventName  string
	Severity   plog.SeverityNumber
	Attributes map[string]any // of a record with an EventName
}

// Container returns the name of the container that the record is of.
func (r Record) Container() string {
	name, _ := r.Resource["container.name"].(string)
	return name
}

// Capabilities implements consumer.Logs.
func (*Sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

// ConsumeLogs implements consumer.Logs. It accepts all of data, which may be of many
// containers, or nothing. It returns nil only when every record of it is recorded.
func (s *Sink) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	// What has been handed over belongs to the pipeline, also when it is refused: to offer
	// the same data once more is to offer nothing.
	defer data.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
	if err := s.wait(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusal != nil {
		s.refused += data.LogRecordCount()
		return s.refusal
	}
	for _, from := range data.ResourceLogs().All() {
		s.record(from)
	}
	if s.accepted != nil {
		close(s.accepted)
		s.accepted = nil
	}
	return nil
}

// wait counts a call and keeps it waiting.
func (s *Sink) wait(ctx context.Context) error {
	s.mu.Lock()
	s.calls++
	gate, deaf, delay := s.gate, s.deaf, s.delay
	s.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if gate == nil {
		return nil
	}
	done := ctx.Done()
	if deaf {
		done = nil
	}
	select {
	case <-gate:
		return nil
	case <-done:
		return ctx.Err()
	}
}

// record records one container's part of a call. The caller holds s.mu.
func (s *Sink) record(from plog.ResourceLogs) {
	if s.counts == nil {
		s.counts, s.uids = make(map[string]int), make(map[string]struct{})
	}
	attributes := from.Resource().Attributes()
	var resource map[string]any
	if s.Observe == nil {
		resource = attributes.AsRaw()
	}
	name := Text(attributes, "container.name")
	for _, scope := range from.ScopeLogs().All() {
		for _, record := range scope.LogRecords().All() {
			uid := Text(record.Attributes(), "log.record.uid")
			n := 1
			if s.Observe != nil {
				s.Observe(attributes, record)
			} else {
				kept := Record{
					Body: string(Body(record)), Stream: Text(record.Attributes(), "log.iostream"), UID: uid,
					Time: record.Timestamp().AsTime(), Resource: resource,
					EventName: record.EventName(), Severity: record.SeverityNumber(),
				}
				if kept.EventName != "" {
					kept.Attributes = record.Attributes().AsRaw()
				}
				lines := []string{kept.Body}
				if s.Split {
					lines = strings.Split(kept.Body, "\n")
				}
				n = len(lines)
				for i, line := range lines {
					kept.Body, kept.UID = line, uid+strings.Repeat("+", i)
					s.kept = append(s.kept, kept)
				}
			}
			if _, have := s.uids[uid]; have {
				s.sameUID++
			}
			s.uids[uid] = struct{}{}
			s.counts[name] += n
			s.total += n
		}
	}
}

// Refuse makes the sink answer every call with an error; nil ends that.
func (s *Sink) Refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refusal = err
}

// Slow makes the sink take so long for every call, which ends early with its context.
func (s *Sink) Slow(delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = delay
}

// Hold makes the sink keep its callers waiting until Open. A deaf sink keeps them beyond the
// end of their contexts.
func (s *Sink) Hold(deaf bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate, s.deaf = make(chan struct{}), deaf
}

// Open ends what Hold began.
func (s *Sink) Open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate != nil {
		close(s.gate)
		s.gate = nil
	}
}

// Calls returns how often the sink has been called, refused calls included.
func (s *Sink) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Refused returns how many records have been refused, each at each attempt.
func (s *Sink) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Count returns how many records of a container have been accepted; of all containers, if
// its name is empty.
func (s *Sink) Count(container string) int {
	count, _ := s.count(container)
	return count
}

// count also returns a channel that is closed with the next call that is accepted.
func (s *Sink) count(container string) (count int, accepted <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.accepted == nil {
		s.accepted = make(chan struct{})
	}
	if container == "" {
		return s.total, s.accepted
	}
	return s.counts[container], s.accepted
}

// SameUID returns how many records came with a log.record.uid that an earlier one had.
func (s *Sink) SameUID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sameUID
}

// Await waits until so many records of a container have been accepted; of all containers, if
// its name is empty.
func (s *Sink) Await(t testing.TB, container string, want int) {
	t.Helper()
	patience := cmp.Or(s.Patience, Patience)
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		have, accepted := s.count(container)
		if have >= want {
			return
		}
		select {
		case <-accepted:
		case <-deadline.C:
			t.Fatalf("%d records of %q in %v, want %d", have, container, patience, want)
		}
	}
}

// All returns the records that have been kept, in the order of their arrival.
func (s *Sink) All() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.kept)
}

// Bodies returns the bodies of all records that have been kept.
func (s *Sink) Bodies() []string {
	var bodies []string
	for _, record := range s.All() {
		bodies = append(bodies, record.Body)
	}
	return bodies
}

// Of returns the bodies of the records of one container.
func (s *Sink) Of(container string) []string {
	var bodies []string
	for _, record := range s.All() {
		if record.Container() == container {
			bodies = append(bodies, record.Body)
		}
	}
	return bodies
}
