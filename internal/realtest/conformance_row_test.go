// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"io"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// confRow is a receiver with one strategy on the shared engine, behind a proxy of its own.
type confRow struct {
	*fixture
	strategy Strategy
	sink     *confSink
	proxy    *confProxy
}

func newConfRow(t *testing.T, e *dockerd.Engine, strategy Strategy) *confRow {
	row := &confRow{fixture: newFixture(t), strategy: strategy, sink: newConfSink()}
	row.cfg.Strategy = strategy
	row.cfg.ShortLived.Lifetime = 2 * time.Second
	row.cfg.Polling = PollingConfig{Interval: time.Second, MaxInterval: 4 * time.Second}
	row.cfg.Hybrid.Interval = time.Second
	row.cfg.RetryOnFailure.InitialInterval = 100 * time.Millisecond
	row.cfg.RetryOnFailure.MaxInterval = time.Second
	row.r.next = row.sink
	row.proxy = newConfProxy(t, e.Socket())
	row.r.configureDial = func(c *engine.Config) {
		c.Dial = func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", row.proxy.path)
		}
	}
	row.start()
	return row
}

// judge checks the books once the receiver has stopped.
func (row *confRow) judge() {
	gaps := row.metric("gaps")
	assert.Equal(row.t, gaps, row.metric("gaps", "removed"), "%s: gaps for other reasons", row.strategy)
	var short int64
	for name, o := range row.sink.expected {
		if lost := int(o.Lines) - row.sink.count(name); confShort(name) && lost > 0 {
			row.t.Logf("%s: %d lines of %s were gone before they could be read", row.strategy, lost, name)
			short++
		}
	}
	if gaps < short {
		// Of one that was gone before it was looked at nothing can be told.
		row.t.Logf("%s: %d containers were too short, %d gaps are told", row.strategy, short, gaps)
	}
	assert.NoError(row.t, row.sink.checker.Err(), "%s", row.strategy)
	assert.NoError(row.t, row.sink.terminal.Err(), "%s", row.strategy)
}

// confSink is a pipeline that checks what it is given.
type confSink struct {
	checker, terminal *loggen.Checker

	mu       sync.Mutex // guards everything below
	expected map[string]loggen.Options
	exact    map[string]map[string][]string // lines by container and stream
	tty      map[string]bool
	counts   map[string]int
	err      error
	delay    time.Duration
}

func newConfSink() *confSink {
	return &confSink{
		checker: &loggen.Checker{}, terminal: &loggen.Checker{TTY: true}, expected: make(map[string]loggen.Options),
		exact: make(map[string]map[string][]string), tty: make(map[string]bool), counts: make(map[string]int),
	}
}

func (s *confSink) expect(o loggen.Options, exact, tty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected[o.Source], s.tty[o.Source] = o, tty
	switch {
	case exact:
		s.exact[o.Source] = make(map[string][]string)
	case tty:
		s.terminal.Expect(o)
	case !confShort(o.Source):
		s.checker.Expect(o)
	}
}

func (*confSink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *confSink) ConsumeLogs(_ context.Context, data plog.Logs) error {
	s.mu.Lock()
	err, delay := s.err, s.delay
	s.mu.Unlock()
	time.Sleep(delay)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, from := range data.ResourceLogs().All() {
		value, _ := from.Resource().Attributes().Get("container.name")
		name := value.Str()
		for _, rec := range from.ScopeLogs().At(0).LogRecords().All() {
			kind, _ := rec.Attributes().Get(attributeStream)
			body := bodyOf(rec)
			s.counts[name]++
			switch lines := s.exact[name]; {
			case lines != nil:
				lines[kind.Str()] = append(lines[kind.Str()], body)
			case s.tty[name]:
				s.terminal.Add([]byte(body), false)
			default:
				s.checker.Add([]byte(body), kind.Str() == "stderr")
			}
		}
	}
	return nil
}

func (s *confSink) behave(err error, delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.delay = err, delay
}

func (s *confSink) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[name]
}

func (s *confSink) lines(name, kind string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.exact[name][kind])
}

// confProxy stands between a receiver and the engine, and cuts what goes through it.
type confProxy struct {
	path    string
	target  string
	serving sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

func newConfProxy(t *testing.T, target string) *confProxy {
	p := &confProxy{path: filepath.Join(t.TempDir(), "s"), target: target, conns: make(map[net.Conn]struct{})}
	listener, err := net.Listen("unix", p.path)
	require.NoError(t, err)
	p.serving.Go(func() { // ends with the listener
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.pass(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.cut()
		p.serving.Wait()
	})
	return p
}

// pass carries a connection until either side, or cut, ends it.
func (p *confProxy) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	defer to.Close()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.conns[from], p.conns[to] = struct{}{}, struct{}{}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(to, from)
		_ = to.Close()
	}()
	_, _ = io.Copy(from, to)
	_ = from.Close()
	<-done
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, from)
	delete(p.conns, to)
}

// cut closes every connection.
func (p *confProxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
}
