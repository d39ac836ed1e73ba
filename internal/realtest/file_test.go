// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// files starts a receiver that reads an engine's files, and has it prove them.
func files(t *testing.T, e *dockerd.Engine) *receiver {
	t.Helper()
	return filesWith(t, e, dockerlogsreceiver.StrategyFile)
}

// filesWith is files with another strategy that can do that.
func filesWith(t *testing.T, e *dockerd.Engine, strategy dockerlogsreceiver.Strategy) *receiver {
	t.Helper()
	if !e.Private() {
		t.Skip("the files of this engine may not be ours to read")
	}
	info, err := e.Client().Info(t.Context())
	require.NoError(t, err)
	r := start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) { cfg.Strategy, cfg.File.Root = strategy, info.DockerRootDir })
	runLoggen(t, e, loggen.Options{Source: "first", Lines: 10, UntilSignal: true}, jsonFile)
	r.Await(t, "first", 10)
	logstest.Eventually(t, "its files are read", func() bool {
		return r.metric("captures", "state=waiting") == 1 && r.metric("strategy_changes", "to=file") == r.metric("strategy_changes", "to=api")
	})
	return r
}

// TestRealFileRotation reads files that rotate several times a second, of each log driver, at
// a rate and as fast as the engine writes.
func TestRealFileRotation(t *testing.T) {
	e := logstest.Engine(t)
	r := files(t, e)
	for i, of := range []struct {
		scenario                      string
		driver, size, files, compress string
		lines                         uint64
		rate                          float64
	}{
		{"files of 1 MB rotate, at 20,000 lines/s: json-file", "json-file", "1m", "3", "false", 60_000, 20_000},
		{"files of 1 MB rotate, at 20,000 lines/s: json-file, compressed", "json-file", "1m", "5", "true", 60_000, 20_000},
		{"files of 1 MB rotate, at 20,000 lines/s: local", "local", "1m", "3", "false", 60_000, 20_000},
		{"files of 1 MB rotate, at 20,000 lines/s: local, compressed", "local", "1m", "5", "true", 60_000, 20_000},
		{"files of 1 MB rotate, flat out: json-file", "json-file", "1m", "3", "false", 60_000, 0},
		{"files of 1 MB rotate, flat out: local", "local", "1m", "3", "false", 60_000, 0},
		{"files of 10 MB rotate, flat out: json-file", "json-file", "10m", "3", "false", 600_000, 0},
	} {
		t.Run(of.scenario, func(t *testing.T) {
			requests := r.metric("engine_requests", "endpoint=logs")
			o := loggen.Options{Source: fmt.Sprint("rotated-", i), Lines: of.lines, Rate: of.rate, StderrShare: 0.2}
			c := runLoggen(t, e, o, dockerd.ContainerSpec{
				LogDriver: of.driver, LogOpts: map[string]string{"max-size": of.size, "max-file": of.files, "compress": of.compress},
			})
			_, err := c.Wait(t.Context())
			require.NoError(t, err)
			logstest.Eventually(t, "it is read to its end", func() bool { return r.metric("captures") == 1 && r.metric("buffered_bytes") == 0 })
			seen := r.seen(o.Source, int(o.Lines))
			record(t, e, dockerlogsreceiver.StrategyFile, of.scenario, seen)
			if seen.Gaps > 0 {
				t.Logf("files came and went between two reads: %+v", seen)
				seen.Lost, seen.Gaps = 0, 0
			}
			assert.Equal(t, cell{Written: int(o.Lines)}, seen)
			assert.Equal(t, requests, r.metric("engine_requests", "endpoint=logs"), "the engine is not asked for logs")
		})
	}
}

// TestRealFileRemoved: what a container writes that is removed when it ends, moments after
// it began, is read to its end.
func TestRealFileRemoved(t *testing.T) {
	e := logstest.Engine(t)
	r := files(t, e)
	emptyLogs := holdLogs(t, e)
	const containers, lines = 40, 20
	for i := range containers {
		o := loggen.Options{Source: fmt.Sprint("brief-", i), Lines: lines}
		c := runLoggen(t, e, o, dockerd.ContainerSpec{AutoRemove: true, LogDriver: []string{"json-file", "local"}[i%2]})
		_, err := c.Wait(t.Context())
		require.NoError(t, err)
	}
	unwritten := lines * emptyLogs()
	written := lines*containers - unwritten
	gaps := func() int { return int(r.metric("gaps", "reason=removed")) }
	logstest.Eventually(t, "every container is read, or counted", func() bool { return r.Count("")-10+lines*gaps() >= written })
	seen := cell{Written: written}
	for i := range containers {
		name := fmt.Sprint("brief-", i)
		seen.Lost += lines - min(lines, r.Count(name))
		seen.Repeated += int(r.tally(name).Repeated)
		seen.Gaps += r.gapsOf(name)
	}
	seen.Lost -= unwritten
	record(t, e, dockerlogsreceiver.StrategyFile, "`--rm`, 20 lines and the end", seen)
	if n := gaps(); n > 0 {
		t.Logf("%d containers were gone before their files could be opened", n)
		assert.LessOrEqual(t, seen.Lost, n*lines)
		seen.Lost, seen.Gaps = 0, 0
	}
	assert.Equal(t, cell{Written: written}, seen)
}

// TestRealFileAndEngine: files are read while the engine is away, and its restart loses and
// repeats nothing.
func TestRealFileAndEngine(t *testing.T) {
	e := logstest.Engine(t)
	r := files(t, e)
	o := loggen.Options{Source: "killed", Rate: 2_000, StderrShare: 0.3, UntilSignal: true}
	c := runLoggen(t, e, o, dockerd.ContainerSpec{RestartPolicy: "always", LogDriver: "local"})
	for range 3 {
		r.Await(t, "killed", r.Count("killed")+2_000)
		require.NoError(t, e.Kill())
		require.NoError(t, e.Start(t.Context()))
	}
	r.Await(t, "killed", r.Count("killed")+4_000)
	require.NoError(t, c.Stop(t.Context(), 10*time.Second))
	r.drained(t, c)
	assert.Equal(t, readHeld(t, e, c).Tallies()["killed"], r.lines.Tallies()["killed"])
	assert.Zero(t, r.SameUID())
}

// TestRealAdaptiveTakesFiles: it reads files where it can and none may vanish, and else over
// the API.
func TestRealAdaptiveTakesFiles(t *testing.T) {
	e := logstest.Engine(t)
	r := filesWith(t, e, dockerlogsreceiver.StrategyAdaptive)
	requests := r.metric("engine_requests", "endpoint=logs")
	kept := loggen.Options{Source: "kept", Lines: 20_000, Rate: 5_000, StderrShare: 0.3, UntilSignal: true}
	r.expect(kept)
	stays := runLoggen(t, e, kept, dockerd.ContainerSpec{LogDriver: "json-file", LogOpts: map[string]string{"max-size": "1m", "max-file": "3"}})
	r.Await(t, kept.Source, int(kept.Lines))
	assert.Equal(t, requests, r.metric("engine_requests", "endpoint=logs"), "the engine is not asked for logs")
	logstest.Eventually(t, "both rest", func() bool { return r.metric("captures", "source=file", "state=waiting") == 2 })

	single := loggen.Options{Source: "single", Lines: 2_000, Rate: 1_000, UntilSignal: true}
	r.expect(single)
	vanishes := runLoggen(t, e, single, dockerd.ContainerSpec{LogDriver: "json-file", LogOpts: map[string]string{"max-size": "1m", "max-file": "1"}})
	r.Await(t, single.Source, int(single.Lines))
	assert.EqualValues(t, 1, r.metric("captures", "source=api"), "its one file may be gone before it is read")
	for _, c := range []*dockerd.Container{stays, vanishes} {
		require.NoError(t, c.Stop(t.Context(), logstest.Patience))
	}
	logstest.Eventually(t, "all is read", func() bool { return r.metric("captures") == 1 })
	for _, o := range []loggen.Options{kept, single} {
		assert.Equal(t, cell{Written: int(o.Lines)}, r.seen(o.Source, int(o.Lines)))
	}
}
