// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// liveLoad is containers that write while they are read.
type liveLoad struct {
	engine   *dockerd.Engine
	daemon   []int // processes
	writing  int   // containers
	rate     float64
	duration time.Duration
	delay    time.Duration // of the sinks
	silent   []loggen.Options
	measured int // groups, so far
}

const (
	measureTick = 50 * time.Millisecond
	// measureQuiet is how long a reader may deliver nothing, once all is written, before the
	// rest counts as lost. It is longer than any poll interval.
	measureQuiet = 15 * time.Second
	// idleCPU is the processor time that an idle collector may use in half a second.
	idleCPU = 20 * time.Millisecond
)

// measure runs fresh containers and a group of readers on them.
func (l *liveLoad) measure(t *testing.T, group []measuredReader) (rows []liveRow) {
	t.Helper()
	l.measured++
	w := l.startWriters(t)
	defer w.remove(t)
	var all []*measurement
	for _, reader := range group {
		all = append(all, l.startMeasurement(t, reader, w))
	}
	for _, m := range all {
		m.settle(t, len(l.silent))
	}
	began := time.Now()
	for _, m := range all {
		m.begin(t, began)
	}
	w.begin(t)
	tick := time.NewTicker(measureTick)
	defer tick.Stop()
	for pending := true; pending; <-tick.C {
		wrote := w.finished(t)
		pending = false
		for _, m := range all {
			pending = m.update(t, wrote) || pending
		}
	}
	for _, m := range all {
		m.end(t, w)
		assertExact(t, m.reader.group, m.row)
		rows = append(rows, m.row)
	}
	return rows
}

// writers are containers that begin to write together.
type writers struct {
	dir        string // shared with the containers: start is theirs to wait for, reports come back
	options    []loggen.Options
	containers []*dockerd.Container
	reports    []loggen.Report
}

func (l *liveLoad) startWriters(t *testing.T) *writers {
	t.Helper()
	w := &writers{dir: t.TempDir()}
	for i := range l.writing {
		w.options = append(w.options, loggen.Options{
			Source: fmt.Sprintf("writer-%d-%d", l.measured, i), Rate: l.rate, StderrShare: 0.2, UntilSignal: true,
			Lines: max(1, uint64(l.rate*l.duration.Seconds())),
		})
	}
	var err error
	w.containers, err = l.engine.RunMany(t.Context(), l.writing, func(i int) dockerd.ContainerSpec {
		o := w.options[i]
		return logstest.Loggen(o, dockerd.ContainerSpec{
			Binds: []string{w.dir + ":/shared"}, Cmd: []string{"--start-file=/shared/start", "--report=/shared/" + o.Source},
		})
	})
	require.NoError(t, err)
	return w
}

func (w *writers) begin(t testing.TB) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "start"), nil, 0o600))
}

// finished reads the reports that are there, and reports whether all lines are written.
func (w *writers) finished(t testing.TB) bool {
	t.Helper()
	for len(w.reports) < len(w.options) {
		text, err := os.ReadFile(filepath.Join(w.dir, w.options[len(w.reports)].Source))
		if errors.Is(err, fs.ErrNotExist) {
			return false
		}
		require.NoError(t, err)
		var report loggen.Report
		if json.Unmarshal(text, &report) != nil {
			return false // being written
		}
		w.reports = append(w.reports, report)
	}
	return true
}

func (w *writers) lines() (total int) {
	for _, o := range w.options {
		total += int(o.Lines)
	}
	return total
}

// remove also deletes the logs, so that the next readers do not find them.
func (w *writers) remove(t *testing.T) {
	t.Helper()
	for some := range slices.Chunk(w.containers, 4) {
		var wg sync.WaitGroup
		for _, c := range some {
			wg.Go(func() { assert.NoError(t, c.Remove(t.Context(), true)) })
		}
		wg.Wait()
	}
}

// measurement is one reader at work. Of none, sink and collector are nil.
type measurement struct {
	reader    measuredReader
	sink      *countingSink
	collector *collector
	daemon    []int // processes

	began        time.Time
	cpuBefore    time.Duration // of the collector
	daemonBefore time.Duration
	idleBefore   time.Duration // of the machine
	silent       int           // lines that came before the window
	seen         int           // lines
	since        time.Time     // when the last of them was seen
	row          liveRow
}

func (l *liveLoad) startMeasurement(t *testing.T, reader measuredReader, w *writers) *measurement {
	t.Helper()
	m := &measurement{reader: reader, daemon: l.daemon, row: liveRow{Reader: reader.name, Lines: w.lines()}}
	if reader.group != noReader {
		m.sink = startSink(t, l.delay, slices.Concat(l.silent, w.options))
		m.collector = reader.startInto(t, l.engine, m.sink.server.URL)
	}
	return m
}

// settle waits until the reader has delivered the lines of silent containers and is idle,
// so that its start is not measured. A reader that is never idle gets ten seconds.
func (m *measurement) settle(t *testing.T, silent int) {
	t.Helper()
	if m.sink == nil {
		return
	}
	m.silent = silent
	require.Eventually(t, func() bool {
		received, _, _ := m.sink.progress()
		return received >= silent
	}, patience, measureTick, "%s has not delivered the lines of silent containers", m.reader.name)
	pid := m.collector.cmd.Process.Pid
	for range 20 {
		before := cpuOf(t, pid)
		time.Sleep(500 * time.Millisecond) // there is no event for doing nothing
		if cpuOf(t, pid)-before <= idleCPU {
			return
		}
	}
}

func (m *measurement) begin(t *testing.T, now time.Time) {
	t.Helper()
	m.began, m.since = now, now
	m.daemonBefore, m.idleBefore = cpuOfAll(t, m.daemon), idleTime(t)
	if m.sink != nil {
		m.sink.begin(now)
		m.cpuBefore = cpuOf(t, m.collector.cmd.Process.Pid)
	}
}

// update takes the figures again if lines have arrived since the last call, so that the
// window ends with the last line. It reports whether more lines are expected.
func (m *measurement) update(t *testing.T, wrote bool) (more bool) {
	t.Helper()
	if m.sink == nil {
		m.row.Seconds = time.Since(m.began).Seconds()
		m.updateMachine(t)
		return !wrote
	}
	received, requests, last := m.sink.progress()
	if received -= m.silent; received != m.seen {
		m.seen, m.since = received, time.Now()
		pid := m.collector.cmd.Process.Pid
		m.row.Received, m.row.Requests, m.row.Seconds = received, requests, last.Sub(m.began).Seconds()
		m.row.CollectorCPU = (cpuOf(t, pid) - m.cpuBefore).Seconds()
		m.updateMachine(t)
		m.row.RSS, m.row.PeakRSS = residentOf(t, pid)
	}
	return received < m.row.Lines && (!wrote || time.Since(m.since) < measureQuiet)
}

// updateMachine takes the figures of the daemon and of the machine.
func (m *measurement) updateMachine(t *testing.T) {
	t.Helper()
	m.row.DaemonCPU = (cpuOfAll(t, m.daemon) - m.daemonBefore).Seconds()
	available := float64(runtime.NumCPU()) * time.Since(m.began).Seconds()
	m.row.Busy = 100 * (1 - (idleTime(t)-m.idleBefore).Seconds()/available)
}

// end stops the reader, which delivers what it holds, and completes the row.
func (m *measurement) end(t *testing.T, w *writers) {
	t.Helper()
	for _, report := range w.reports {
		m.row.WriteSeconds = max(m.row.WriteSeconds, report.Elapsed.Seconds())
		if !report.KeptRate {
			m.row.Late++
		}
	}
	if m.sink != nil {
		m.collector.terminate(t)
		m.sink.describe(t, &m.row)
		m.sink.server.Close()
	}
}
