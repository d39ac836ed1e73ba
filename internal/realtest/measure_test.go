// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

func using(strategy dockerlogsreceiver.Strategy) func(*dockerlogsreceiver.Config) {
	return func(cfg *dockerlogsreceiver.Config) {
		cfg.Strategy, cfg.StartAt = strategy, dockerlogsreceiver.StartAtBeginning
	}
}

// usingFor is using for containers whose names end with the strategy's. Those of the strategies
// before have ended.
func usingFor(strategy dockerlogsreceiver.Strategy) func(*dockerlogsreceiver.Config) {
	return func(cfg *dockerlogsreceiver.Config) {
		using(strategy)(cfg)
		cfg.Include = []dockerlogsreceiver.Match{{Name: "*-" + string(strategy)}}
	}
}

// TestMeasureLoss: 10 containers, 500 lines a second each with bursts of 5,000, rotated at
// 10 MB, two minutes for each strategy.
func TestMeasureLoss(t *testing.T) {
	measuring(t)
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) {
			e := logstest.Engine(t)
			r := start(t, e.Host(), using(strategy))
			const seconds, rate, burst = 120, 500, 5000
			var all []*dockerd.Container
			var reports []func() loggen.Report
			total := 0
			for i := range 10 {
				o := loggen.Options{
					Seed: uint64(i), Source: fmt.Sprint("busy-", i), Rate: rate, BurstSize: burst, BurstEvery: 30 * time.Second,
					Lines: seconds * rate, StderrShare: 0.2,
				}
				spec := dockerd.ContainerSpec{LogOpts: map[string]string{"max-size": "10m", "max-file": "3"}}
				reports = append(reports, reported(t, &spec))
				r.expect(o)
				total += int(o.Lines)
				all = append(all, runLoggen(t, e, o, spec))
			}
			before, err := e.CPU()
			require.NoError(t, err)
			r.drained(t, all...)
			after, err := e.CPU()
			require.NoError(t, err)
			for _, report := range reports {
				if got := report(); !got.KeptRate {
					t.Logf("%s fell behind: %d of %d lines late, by up to %v", got.Source, got.LateLines, got.Lines, got.MaxLag)
				}
			}
			t.Logf("%s: %d lines, %d suppressed repeats of the engine, %d gaps, %.1f s of daemon CPU per million lines",
				strategy, total, r.metric("duplicates_suppressed", "reason=repeat"), r.metric("gaps"),
				(after-before).Seconds()/float64(total)*1e6)
			r.exact(t)
		})
	}
}

// TestMeasureCost: what a poll and a reopen of a silent container cost the engine, against
// an unbounded since on the same log.
func TestMeasureCost(t *testing.T) {
	measuring(t)
	e := logstest.Engine(t)
	for _, megabytes := range []int{10, 100, 600} {
		o := loggen.Options{Source: fmt.Sprint("log-", megabytes), Lines: uint64(megabytes) * 5000, UntilSignal: true}
		c := runLoggen(t, e, o, dockerd.ContainerSpec{LogDriver: "json-file"})
		path, err := c.LogPath(t.Context())
		require.NoError(t, err)
		logstest.Eventually(t, "the log is written", func() bool { return lastLine(t, e, c) == string(o.Line(o.Lines).Body) })
		info, err := os.Stat(path)
		require.NoError(t, err)
		size := info.Size()
		r := start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
			cfg.Strategy, cfg.Include = dockerlogsreceiver.StrategyPolling, []dockerlogsreceiver.Match{{Name: o.Source}}
			cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: minInterval, MaxInterval: minInterval}
		})
		requests := func() int64 { return r.metric("engine_requests", "endpoint=logs") }
		logstest.Eventually(t, "the first polls", func() bool { return requests() > 3 })
		cpu := func(f func()) time.Duration {
			before, err := e.CPU()
			require.NoError(t, err)
			f()
			after, err := e.CPU()
			require.NoError(t, err)
			return after - before
		}
		from := requests()
		polls := cpu(func() { logstest.Eventually(t, "100 polls", func() bool { return requests() >= from+100 }) })
		n := requests() - from
		r.stop()

		r = start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
			cfg.Strategy, cfg.Include = dockerlogsreceiver.StrategyShortLived, []dockerlogsreceiver.Match{{Name: o.Source}}
			cfg.ShortLived.Lifetime = time.Second
		})
		reopens := func() int64 { return r.metric("reopens", "reason=expired") }
		logstest.Eventually(t, "the first reopens", func() bool { return reopens() > 0 })
		from = reopens()
		opens := cpu(func() { logstest.Eventually(t, "20 reopens", func() bool { return reopens() >= from+20 }) })
		m := reopens() - from
		r.stop()

		var since time.Duration
		const sinces = 3
		since = cpu(func() {
			for range sinces {
				body, err := e.Client().ContainerLogs(t.Context(), c.ID, container.LogsOptions{
					ShowStdout: true, ShowStderr: true, Timestamps: true, Since: time.Now().Format(time.RFC3339Nano),
				})
				require.NoError(t, err)
				var none [1]byte
				_, err = body.Read(none[:])
				require.Error(t, err)
				require.NoError(t, body.Close())
			}
		}) / sinces
		poll, reopen := polls/time.Duration(n), opens/time.Duration(m)
		t.Logf("%d MB: daemon CPU per poll %v, per reopen %v, per unbounded since %v (poll %.2f %%, reopen %.2f %%)", size>>20,
			poll, reopen, since, 100*poll.Seconds()/since.Seconds(), 100*reopen.Seconds()/since.Seconds())
		require.NoError(t, c.Remove(t.Context(), true))
	}
}

// lastLine returns the last line that the engine holds of a container.
func lastLine(t testing.TB, e *dockerd.Engine, c *dockerd.Container) (last string) {
	t.Helper()
	body, err := e.Client().ContainerLogs(t.Context(), c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "1"})
	require.NoError(t, err)
	defer func() { _ = body.Close() }()
	line := &splitter{line: func(line []byte) { last = string(line) }}
	_, err = stdcopy.StdCopy(line, line, body)
	require.NoError(t, err)
	return last
}

// TestMeasureLatency: from the engine's time stamp to ConsumeLogs, at 1,000 lines a second,
// with several lifetimes of short_lived in it.
func TestMeasureLatency(t *testing.T) {
	measuring(t)
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) {
			e := logstest.Engine(t)
			var mu sync.Mutex
			var ages []time.Duration // of records, when they come
			sink, err := consumer.NewLogs(func(_ context.Context, data plog.Logs) error {
				now := time.Now()
				mu.Lock()
				defer mu.Unlock()
				for _, record := range logstest.Records(data) {
					ages = append(ages, now.Sub(record.Timestamp().AsTime()))
				}
				return nil
			})
			require.NoError(t, err)
			r := startWith(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
				using(strategy)(cfg)
				cfg.ShortLived.Lifetime = 3 * time.Second
			}, sink)
			c := runLoggen(t, e, loggen.Options{Source: "steady", Rate: 1000, Lines: 30_000}, dockerd.ContainerSpec{})
			r.drained(t, c)
			r.stop()
			require.Len(t, ages, 30_000)
			slices.Sort(ages)
			at := func(q float64) time.Duration {
				return ages[int(q*float64(len(ages)-1))].Round(10 * time.Microsecond)
			}
			t.Logf("%s: p50 %v, p99 %v, max %v, %d reopens", strategy, at(0.5), at(0.99), at(1), r.metric("reopens"))
		})
	}
}

// TestMeasureFleet: what idle containers cost.
//
//	DOCKERLOGS_MEASURE=1 go test -run MeasureFleet/file -v -timeout 60m ./internal/realtest
//
// DOCKERLOGS_MEASURE_FLEET is their number, by default 1,000.
func TestMeasureFleet(t *testing.T) {
	measuring(t)
	n := 1000
	if text := os.Getenv("DOCKERLOGS_MEASURE_FLEET"); text != "" {
		_, err := fmt.Sscan(text, &n)
		require.NoError(t, err)
	}
	e := logstest.Engine(t)
	_, err := e.RunMany(t.Context(), n, func(i int) dockerd.ContainerSpec {
		return logstest.Loggen(loggen.Options{Source: fmt.Sprint("idle-", i), Lines: 3, UntilSignal: true}, dockerd.ContainerSpec{})
	})
	require.NoError(t, err)
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) { measureFleet(t, e, n, strategy) })
	}
}

func measureFleet(t *testing.T, e *dockerd.Engine, n int, strategy dockerlogsreceiver.Strategy) {
	memory := func() (goroutines int, bytes uint64) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapInuse + m.StackInuse
	}
	cpu := func() (collector, daemon time.Duration) { // the test itself sleeps
		var used syscall.Rusage
		require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &used))
		daemon, err := e.CPU()
		require.NoError(t, err)
		return time.Duration(used.Utime.Nano() + used.Stime.Nano()), daemon
	}
	baseGoroutines, baseBytes := memory()
	r := start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
		using(strategy)(cfg)
		cfg.Adaptive.MaxStreams = n
	})
	r.Await(t, "", 3*n)
	state := "state=following"
	switch strategy {
	case dockerlogsreceiver.StrategyPolling, dockerlogsreceiver.StrategyHybrid, dockerlogsreceiver.StrategyFile:
		state = "state=waiting"
	}
	logstest.Eventually(t, "all captures are idle", func() bool { return r.metric("captures", state) >= int64(n*9/10) })
	collector, daemon := cpu()
	from, began := r.metric("engine_requests"), time.Now()
	time.Sleep(time.Minute) // what a minute costs is measured
	collectorAfter, daemonAfter := cpu()
	took := time.Since(began)
	requests := float64(r.metric("engine_requests")-from) / took.Minutes()
	goroutines, bytes := memory()
	share := func(used time.Duration) float64 { return 100 * used.Seconds() / took.Seconds() }
	t.Logf("%s: %d containers, %d goroutines, %.1f KiB a container, %.0f requests a minute, %.2f %% of a core of the receiver's CPU, %.2f %% of the daemon's",
		strategy, n, goroutines-baseGoroutines, (float64(bytes)-float64(baseBytes))/float64(n)/1024, requests,
		share(collectorAfter-collector), share(daemonAfter-daemon))
	r.stop()
}
