// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// startCost is what the daemon spends on the start of a receiver.
type startCost struct {
	read int64 // bytes
	cpu  time.Duration
	took time.Duration // until all containers are followed, or wait for the next poll
}

func (c startCost) String() string {
	return fmt.Sprintf("%d KiB read, %v of CPU, %v", c.read>>10, c.cpu, c.took.Round(time.Millisecond))
}

// writeLogs runs n containers that write as many lines and then stay, silent.
func writeLogs(t testing.TB, e *dockerd.Engine, prefix string, n int, lines uint64) {
	t.Helper()
	containers, err := e.RunMany(t.Context(), n, func(i int) dockerd.ContainerSpec {
		return logstest.Loggen(loggen.Options{Source: fmt.Sprint(prefix, i), Lines: lines, UntilSignal: true}, jsonFile)
	})
	require.NoError(t, err)
	for _, c := range containers {
		o := loggen.Options{Source: c.Name, Lines: lines}
		logstest.Eventually(t, "the log is written", func() bool { return lastLine(t, e, c) == string(o.Line(lines).Body) })
	}
}

// costOfStart starts a receiver, waits until it is idle, and stops it.
func costOfStart(t testing.TB, e *dockerd.Engine, storage *memory, n int, configure func(*dockerlogsreceiver.Config)) startCost {
	t.Helper()
	read, err := e.BytesRead()
	require.NoError(t, err)
	cpu, err := e.CPU()
	require.NoError(t, err)
	began := time.Now()
	r := startStored(t, storage, e.Host(), func(cfg *dockerlogsreceiver.Config) {
		configure(cfg)
		cfg.StartAt = dockerlogsreceiver.StartAtEnd
		cfg.Adaptive.MaxStreams = n
		cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: time.Minute, MaxInterval: time.Minute}
		cfg.Hybrid.Interval = time.Minute
	})
	logstest.Eventually(t, "all captures are idle", func() bool {
		return r.metric("captures", "state=following")+r.metric("captures", "state=waiting") == int64(n) &&
			r.metric("engine_requests", "endpoint=logs", "outcome=ok")+r.metric("captures", "source=file") >= int64(n)
	})
	cost := startCost{took: time.Since(began)}
	readAfter, err := e.BytesRead()
	require.NoError(t, err)
	cpuAfter, err := e.CPU()
	require.NoError(t, err)
	cost.read, cost.cpu = readAfter-read, cpuAfter-cpu
	r.stop()
	require.Zero(t, r.metric("gaps"))
	return cost
}

// TestRealRestartCostsNoLog: what the daemon reads when a receiver with a storage starts again
// does not depend on how long the logs are.
func TestRealRestartCostsNoLog(t *testing.T) {
	const containers, short, long = 4, 2_000, 40_000 // lines; the long log is one of 8 MB
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) {
			e := logstest.Engine(t)
			if !e.Private() {
				t.Skip("an engine that others use cannot be measured")
			}
			restart := func(name string, lines uint64) int64 {
				writeLogs(t, e, name, containers, lines)
				only := func(cfg *dockerlogsreceiver.Config) {
					cfg.Strategy, cfg.Include = strategy, []dockerlogsreceiver.Match{{Name: name + "*"}}
				}
				storage := newMemory()
				first := costOfStart(t, e, storage, containers, only)
				again := costOfStart(t, e, storage, containers, only)
				t.Logf("%s logs: first start %v; second start %v", name, first, again)
				return again.read
			}
			ofShort, ofLong := restart("short", short), restart("long", long)
			// Both read some blocks from each log's end; the logs differ by 30 MB.
			assert.Less(t, ofLong, ofShort+4<<20)
		})
	}
}

// TestMeasureBigStart: what the start of a receiver costs the daemon, where many containers have
// long logs. These are written while the containers rest, and not by them.
func TestMeasureBigStart(t *testing.T) {
	measuring(t)
	containers, megabytes := 300, 50
	if text := os.Getenv("DOCKERLOGS_MEASURE_START"); text != "" { // "300 50"
		_, err := fmt.Sscan(text, &containers, &megabytes)
		require.NoError(t, err)
	}
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	forgeLogs(t, e, containers, megabytes<<20)
	for _, way := range waysToRead() {
		t.Run(way.name, func(t *testing.T) {
			storage, configure := newMemory(), way.configure(t, e)
			first := costOfStart(t, e, storage, containers, configure)
			again := costOfStart(t, e, storage, containers, configure)
			t.Logf("%d containers of %d MiB: first start %v; with positions %v", containers, megabytes, first, again)
		})
	}
}

// forgeLogs runs n containers that are silent, with logs of so many bytes.
func forgeLogs(t testing.TB, e *dockerd.Engine, n, size int) {
	t.Helper()
	all, err := e.RunMany(t.Context(), n, func(i int) dockerd.ContainerSpec {
		return logstest.Loggen(loggen.Options{Source: fmt.Sprint("log-", i), Lines: 1, UntilSignal: true}, jsonFile)
	})
	require.NoError(t, err)
	at := time.Now().Add(-time.Hour)
	var text []byte
	for i := 0; len(text) < size; i++ {
		text = fmt.Appendf(text, `{"log":"line %08d %s\n","stream":"stdout","time":"%s"}`+"\n", i, strings.Repeat("x", 98),
			at.Add(time.Duration(i)*time.Millisecond).UTC().Format(time.RFC3339Nano))
	}
	for _, c := range all {
		require.NoError(t, c.Stop(t.Context(), logstest.Patience))
		path, err := c.LogPath(t.Context())
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, text, 0o640))
		require.NoError(t, c.Start(t.Context()))
	}
}
