// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"slices"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
)

// sink is a pipeline that keeps what it takes, and can be told not to take it.
type sink struct {
	mu       sync.Mutex // guards everything below
	taken    []taken
	attempts int
	err      error         // refuses
	gate     chan struct{} // holds every call until it is closed
	deaf     bool          // a held call does not end with its context
}

// taken is a record that the sink has taken.
type taken struct {
	body     string
	stream   string
	uid      string
	time     int64
	resource map[string]any
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{MutatesData: true} }

func (s *sink) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	s.mu.Lock()
	s.attempts++
	gate, deaf := s.gate, s.deaf
	s.mu.Unlock()
	done := ctx.Done()
	if deaf {
		done = nil
	}
	if gate != nil {
		select {
		case <-gate:
		case <-done:
			return ctx.Err()
		}
	}
	// What has been handed over is ours, also when it is refused.
	defer data.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.take(data)
	return nil
}

func (s *sink) take(data plog.Logs) {
	for _, from := range data.ResourceLogs().All() {
		resource := from.Resource().Attributes().AsRaw()
		for _, scope := range from.ScopeLogs().All() {
			for _, rec := range scope.LogRecords().All() {
				attributes := rec.Attributes().AsRaw()
				s.taken = append(s.taken, taken{
					body: bodyOf(rec), time: int64(rec.Timestamp()), resource: resource,
					stream: attributes[attributeStream].(string), uid: attributes[attributeUID].(string),
				})
			}
		}
	}
}

func bodyOf(rec plog.LogRecord) string {
	if raw, ok := rec.Body().AsRaw().([]byte); ok {
		return string(raw)
	}
	return rec.Body().Str()
}

// refuse makes the sink answer with an error; nil ends it.
func (s *sink) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// hold makes the sink keep its callers waiting until open. A deaf one keeps them
// beyond the end of their contexts.
func (s *sink) hold(deaf bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate, s.deaf = make(chan struct{}), deaf
}

func (s *sink) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate != nil {
		close(s.gate)
		s.gate = nil
	}
}

// calls is how often the sink has been called.
func (s *sink) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.attempts
}

func (s *sink) all() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.taken)
}

func (s *sink) bodies() []string {
	var list []string
	for _, rec := range s.all() {
		list = append(list, rec.body)
	}
	return list
}

// of gives the bodies of the lines of one container, by its name.
func (s *sink) of(name string) []string {
	var list []string
	for _, rec := range s.all() {
		if rec.resource["container.name"] == name {
			list = append(list, rec.body)
		}
	}
	return list
}
