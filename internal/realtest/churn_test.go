// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// jobLines is what each of the short containers writes, at once, before it ends.
const jobLines = 20

// runJobs runs n containers that are removed as soon as they end, a few at a time, and waits
// until the receiver is done with them. It returns of how many containers lines are missing,
// and how many lines.
func runJobs(t testing.TB, e *dockerd.Engine, r *receiver, prefix string, n int) (containers, lines int) {
	t.Helper()
	others := r.metric("captures")
	all, err := e.RunMany(t.Context(), n, func(i int) dockerd.ContainerSpec {
		return logstest.Loggen(loggen.Options{Source: fmt.Sprint(prefix, i), Lines: jobLines}, removed)
	})
	require.NoError(t, err)
	for _, c := range all {
		_, err := c.Wait(t.Context())
		require.NoError(t, err)
	}
	logstest.Eventually(t, "all logs are read and delivered", func() bool {
		return r.metric("captures") == others && r.metric("buffered_bytes") == 0
	})
	for _, c := range all {
		if missing := jobLines - r.Count(c.Name); missing > 0 {
			containers++
			lines += missing
		}
	}
	return containers, lines
}

// TestRealChurn has many containers come and go. What is missing is told, and nothing is left
// of them.
func TestRealChurn(t *testing.T) {
	e := logstest.Engine(t)
	storage := newMemory()
	r := startStored(t, storage, e.Host(), using("adaptive"))
	run := func(prefix string, n int) (missed int) {
		emptyLogs := holdLogs(t, e)
		containers, lines := runJobs(t, e, r, prefix, n)
		empty := emptyLogs()
		t.Logf("%d of %d containers lack %d lines; the engine wrote nothing of %d", containers, n, lines, empty)
		return containers - empty
	}
	missed := run("first-", 8) // they make what both sides keep
	base := footprintOf(t, r, storage)
	missed += run("job-", 60)
	assert.LessOrEqual(t, int64(missed), r.metric("gaps", "reason=removed"), "containers that lack lines, and gaps")
	assert.Zero(t, r.SameUID())
	logstest.Eventually(t, "descriptors, goroutines and stored keys are those of before", func() bool {
		now := footprintOf(t, r, storage)
		return now.descriptors <= base.descriptors && now.goroutines <= base.goroutines && now.keys <= base.keys
	})
	now := footprintOf(t, r, storage)
	assert.Less(t, now.series, base.series+10, "metric series: an outcome or a state may be the first of its kind")
	t.Logf("before %+v, after %+v", base, now)
}

// footprint is what a receiver takes.
type footprint struct {
	descriptors, goroutines, series, keys int
	heap                                  uint64 // bytes
}

func footprintOf(t testing.TB, r *receiver, storage *memory) (f footprint) {
	t.Helper()
	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	f.descriptors, f.goroutines = len(open), runtime.NumGoroutine()
	var all metricdata.ResourceMetrics
	require.NoError(t, r.telemetry.Reader.Collect(t.Context(), &all))
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			switch data := metric.Data.(type) {
			case metricdata.Sum[int64]:
				f.series += len(data.DataPoints)
			case metricdata.Gauge[int64]:
				f.series += len(data.DataPoints)
			case metricdata.Gauge[float64]:
				f.series += len(data.DataPoints)
			case metricdata.Histogram[float64]:
				f.series += len(data.DataPoints)
			default:
				t.Fatalf("%s is a %T", metric.Name, data)
			}
		}
	}
	f.keys, _ = storage.size()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f.heap = m.HeapAlloc
	return f
}

// TestMeasureChurn: how many lines of short containers with --rm are missed.
func TestMeasureChurn(t *testing.T) {
	measuring(t)
	n := 200
	if text := os.Getenv("DOCKERLOGS_MEASURE_CHURN"); text != "" {
		_, err := fmt.Sscan(text, &n)
		require.NoError(t, err)
	}
	for _, way := range waysToRead() {
		t.Run(way.name, func(t *testing.T) {
			e := logstest.Engine(t)
			storage := newMemory()
			r := startStored(t, storage, e.Host(), way.configure(t, e))
			stays := fmt.Sprint("stays-", way.strategy) // proves whose files these are
			runLoggen(t, e, loggen.Options{Source: stays, Lines: 10, UntilSignal: true}, jsonFile)
			r.Await(t, stays, 10)
			logstest.Eventually(t, "it rests", func() bool { return r.metric("captures", "state=waiting")+r.metric("captures", "state=following") == 1 })
			runJobs(t, e, r, fmt.Sprintf("first-%s-", way.strategy), 8)
			gaps, base, began := r.metric("gaps"), footprintOf(t, r, storage), time.Now()
			containers, lines := runJobs(t, e, r, fmt.Sprintf("job-%s-", way.strategy), n)
			took := time.Since(began).Round(time.Second)
			now := footprintOf(t, r, storage)
			for range 60 { // what ends with the last containers takes its moment
				if now.descriptors <= base.descriptors && now.goroutines <= base.goroutines && now.keys <= base.keys {
					break
				}
				time.Sleep(time.Second)
				now = footprintOf(t, r, storage)
			}
			t.Logf("%d containers in %v, %d lack lines, %d of %d lines in all; %d gaps; %d logs and %d inspect requests; before %+v, after %+v",
				n, took, containers, lines, n*jobLines, r.metric("gaps")-gaps,
				r.metric("engine_requests", "endpoint=logs"), r.metric("engine_requests", "endpoint=inspect"), base, now)
			r.stop()
		})
	}
}

// wayToRead is a strategy, over the API or with the engine's files.
type wayToRead struct {
	name     string
	strategy dockerlogsreceiver.Strategy
	files    bool
}

// waysToRead are all that there are.
func waysToRead() (all []wayToRead) {
	for _, strategy := range strategies {
		all = append(all, wayToRead{string(strategy), strategy, strategy == dockerlogsreceiver.StrategyFile})
	}
	return append(all, wayToRead{"adaptive with files", dockerlogsreceiver.StrategyAdaptive, true})
}

func (w wayToRead) configure(t testing.TB, e *dockerd.Engine) func(*dockerlogsreceiver.Config) {
	return func(cfg *dockerlogsreceiver.Config) {
		using(w.strategy)(cfg)
		if !w.files {
			return
		}
		info, err := e.Client().Info(t.Context())
		require.NoError(t, err)
		cfg.File.Root = info.DockerRootDir
	}
}
