// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// sink checks every line that comes and keeps none.
type sink struct {
	checker   loggen.Checker
	sources   []Source
	expected  uint64
	delivered atomic.Uint64

	mu   sync.Mutex
	ages histogram
}

var _ consumer.Logs = (*sink)(nil)

func newSink(sources []Source) *sink { return &sink{sources: sources} }

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

// ConsumeLogs is the pipeline of our strategies.
func (s *sink) ConsumeLogs(_ context.Context, data plog.Logs) error {
	now := time.Now()
	for _, from := range data.ResourceLogs().All() {
		for _, scope := range from.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				stream, _ := record.Attributes().Get("log.iostream")
				s.take(bodyOf(record), stream.Str() == "stderr", record.Timestamp().AsTime(), now)
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

// line is the pipeline of the careless clients.
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

// expect announces how many lines there are.
func (s *sink) expect(written map[string]uint64) {
	for _, source := range s.sources {
		o := source.Lines
		o.Lines = written[o.Source]
		s.expected += o.Lines
		s.checker.Expect(o)
	}
}

// drain waits until all lines have come, or none has come for so long. It gives the time of the last one.
func (s *sink) drain(quiet time.Duration) time.Time {
	seen, since := s.delivered.Load(), time.Now()
	for seen < s.expected && time.Since(since) < quiet {
		time.Sleep(lookEvery)
		if now := s.delivered.Load(); now != seen {
			seen, since = now, time.Now()
		}
	}
	return since
}

func (s *sink) tell(result *Result) {
	for _, tally := range s.checker.Tallies() {
		result.Delivered += tally.Seen
		result.Lost += tally.Lost
		result.LostRuns += uint64(len(tally.LostRanges))
		result.Repeated += tally.Repeated
		result.Damaged += tally.Damaged
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	result.Latency = s.ages.quantiles()
}
