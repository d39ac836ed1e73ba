// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// ledger is a pipeline that checks the lines of the line generator. It keeps only those of
// containers that a test names.
type ledger struct {
	logstest.Sink
	lines, tty loggen.Checker // of containers without and with a terminal; those are named tty-*

	mu   sync.Mutex
	kept map[string]map[string][]string // lines by container and stream
}

func newLedger() *ledger {
	l := &ledger{tty: loggen.Checker{TTY: true}, kept: make(map[string]map[string][]string)}
	l.Observe = l.check
	return l
}

func (l *ledger) check(resource pcommon.Map, record plog.LogRecord) {
	name := logstest.Text(resource, "container.name")
	stream := logstest.Text(record.Attributes(), "log.iostream")
	body := logstest.Body(record)
	l.mu.Lock()
	defer l.mu.Unlock()
	if kept := l.kept[name]; kept != nil {
		kept[stream] = append(kept[stream], string(body))
		return
	}
	l.checker(name).Add(body, stream == "stderr")
}

func (l *ledger) checker(name string) *loggen.Checker {
	if strings.HasPrefix(name, "tty-") {
		return &l.tty
	}
	return &l.lines
}

// tally returns the books of a container.
func (l *ledger) tally(name string) loggen.Tally { return l.checker(name).Tallies()[name] }

// expect announces the lines of a container.
func (l *ledger) expect(o loggen.Options) { l.checker(o.Source).Expect(o) }

// keep makes the ledger keep the lines of a container that has not started yet, unchecked.
func (l *ledger) keep(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[name] = make(map[string][]string)
}

// keptOf returns the lines of a container that are kept, by stream.
func (l *ledger) keptOf(name string) (stdout, stderr []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.kept[name]["stdout"]), slices.Clone(l.kept[name]["stderr"])
}

// exact asserts that every line arrived once, byte for byte.
func (l *ledger) exact(t testing.TB) {
	t.Helper()
	require.NoError(t, l.lines.Err())
	require.NoError(t, l.tty.Err())
	require.Zero(t, l.SameUID(), "records that share a log.record.uid")
}

// readHeld checks the lines that the engine holds of a container without a terminal.
func readHeld(t testing.TB, e *dockerd.Engine, c *dockerd.Container) *loggen.Checker {
	t.Helper()
	body, err := e.Client().ContainerLogs(t.Context(), c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	require.NoError(t, err)
	defer func() { _ = body.Close() }()
	var held loggen.Checker
	stdout := &splitter{line: func(line []byte) { held.Add(line, false) }}
	stderr := &splitter{line: func(line []byte) { held.Add(line, true) }}
	_, err = stdcopy.StdCopy(stdout, stderr, body)
	require.NoError(t, err)
	stdout.flush()
	stderr.flush()
	return &held
}

// splitter calls line for every line that is written to it, without its line end.
type splitter struct {
	line func([]byte)
	rest []byte // of a line that has not ended
}

var _ io.Writer = (*splitter)(nil)

func (s *splitter) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		line, rest, whole := bytes.Cut(s.rest, []byte{'\n'})
		if !whole {
			s.rest = append(s.rest[:0], line...)
			return len(p), nil
		}
		s.line(line)
		s.rest = rest
	}
}

// flush ends the last line where its writer has not.
func (s *splitter) flush() {
	if len(s.rest) > 0 {
		s.line(s.rest)
		s.rest = nil
	}
}
