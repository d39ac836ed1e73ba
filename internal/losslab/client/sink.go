// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// sink is the pipeline of every reader. It checks each line and keeps none.
type sink struct {
	checker   loggen.Checker
	sources   []Source
	prefixes  map[string][]byte // of every line of a container, by the container's id
	expected  uint64
	delivered atomic.Uint64
	// misplaced lines came under a container that did not write them.
	misplaced atomic.Uint64

	mu   sync.Mutex
	ages histogram
}

var _ consumer.Logs = (*sink)(nil)

func newSink(sources []Source) *sink {
	s := &sink{sources: sources, prefixes: make(map[string][]byte)}
	for _, source := range sources {
		s.prefixes[source.ID] = []byte(source.Lines.Source + " ")
	}
	return s
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs is the pipeline of the receiver. Its data may be of many containers, a resource
// each. It accepts them only once it has recorded every line.
func (s *sink) ConsumeLogs(_ context.Context, data plog.Logs) error {
	now := time.Now()
	for _, from := range data.ResourceLogs().All() {
		id, _ := from.Resource().Attributes().Get("container.id")
		prefix, known := s.prefixes[id.Str()]
		for _, scope := range from.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				body := bodyOf(record)
				if !known || !bytes.HasPrefix(body, prefix) {
					s.misplaced.Add(1)
					continue
				}
				stream, _ := record.Attributes().Get("log.iostream")
				s.take(body, stream.Str() == "stderr", record.Timestamp().AsTime(), now)
			}
		}
	}
	return nil
}

func bodyOf(record plog.LogRecord) []byte {
	if body := record.Body(); body.Type() == pcommon.ValueTypeBytes {
		return body.Bytes().AsRaw()
	}
	return []byte(record.Body().Str())
}

// line is the pipeline of the naive clients.
func (s *sink) line(body []byte, stderr bool, stamp time.Time) {
	s.take(body, stderr, stamp, time.Now())
}

func (s *sink) take(body []byte, stderr bool, stamp, now time.Time) {
	if s.checker.Add(body, stderr) != loggen.Intact {
		return
	}
	s.delivered.Add(1)
	s.mu.Lock()
	s.ages.add(now.Sub(stamp))
	s.mu.Unlock()
}

// expect announces how many lines each source has written.
func (s *sink) expect(written map[string]uint64) {
	for _, source := range s.sources {
		o := source.Lines
		o.Lines = written[o.Source]
		s.expected += o.Lines
		s.checker.Expect(o)
	}
}

// drain waits until all lines have come, or none has come for as long as quiet. It returns
// the time of the last one.
func (s *sink) drain(quiet time.Duration) time.Time {
	seen, since := s.delivered.Load(), time.Now()
	for seen < s.expected && time.Since(since) < quiet {
		time.Sleep(lookInterval)
		if now := s.delivered.Load(); now != seen {
			seen, since = now, time.Now()
		}
	}
	return since
}

// count adds up what has come.
func (s *sink) count(result *Result) {
	for _, tally := range s.checker.Tallies() {
		result.Delivered += tally.Seen
		result.Lost += tally.Lost
		result.LostRuns += uint64(len(tally.LostRanges))
		result.Repeated += tally.Repeated
		result.Damaged += tally.Damaged
	}
	result.Damaged += s.misplaced.Load()
	s.mu.Lock()
	defer s.mu.Unlock()
	result.Latency = s.ages.quantiles()
}
