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
)

// jobLines is what each of the short containers writes, at once, before it ends.
const jobLines = 20

// runJobs runs n containers that are removed as soon as they end, a few at a time, and waits
// until the receiver is done with them. It returns of how many containers lines are missing,
// and how many lines.
func runJobs(t testing.TB, e *dockerd.Engine, r *receiver, prefix string, n int) (containers, lines int) {
	t.Helper()
	all, err := e.RunMany(t.Context(), n, func(i int) dockerd.ContainerSpec {
		return logstest.Loggen(loggen.Options{Source: fmt.Sprint(prefix, i), Lines: jobLines}, removed)
	})
	require.NoError(t, err)
	r.drained(t, all...)
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
	// The first make what both sides keep.
	missed, _ := runJobs(t, e, r, "first-", 8)
	base := footprintOf(t, r, storage)
	const n = 60
	more, lines := runJobs(t, e, r, "job-", n)
	missed += more
	t.Logf("%d of %d containers lack %d lines", more, n, lines)
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
	e := logstest.Engine(t)
	for _, strategy := range strategies {
		storage := newMemory()
		r := startStored(t, storage, e.Host(), using(strategy))
		runJobs(t, e, r, fmt.Sprintf("first-%s-", strategy), 8)
		gaps, base, began := r.metric("gaps"), footprintOf(t, r, storage), time.Now()
		containers, lines := runJobs(t, e, r, fmt.Sprintf("job-%s-", strategy), n)
		t.Logf("%s: %d containers in %v, %d lack lines, %d of %d lines in all; %d gaps; %d logs and %d inspect requests; before %+v, after %+v", strategy,
			n, time.Since(began).Round(time.Second), containers, lines, n*jobLines, r.metric("gaps")-gaps,
			r.metric("engine_requests", "endpoint=logs"), r.metric("engine_requests", "endpoint=inspect"), base, footprintOf(t, r, storage))
		r.stop()
	}
}
