// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
)

// leaky starts goroutines that wait for what does not come before the test ends.
type leaky struct {
	release chan struct{}
	running sync.WaitGroup
}

func (l *leaky) wait() {
	defer l.running.Done()
	<-l.release
}

//go:noinline
func (l *leaky) open() {
	l.running.Add(1)
	go l.wait()
}

// TestRealLeakIsNamed has the analysis's 32 goroutines a minute, with a minute that is
// one second long, counted by the real runtime, beside captures that need theirs.
func TestRealLeakIsNamed(t *testing.T) {
	const minute = time.Second
	const window = 5 * minute
	h := newHealth(t, new(processHistory), func(cfg *Config) {
		cfg.CollectionInterval, cfg.CensusInterval = minute/8, minute/2
		cfg.Window, cfg.For = window, window
		cfg.GrowthPerMinute *= float64(time.Minute / minute)
	})
	h.src = newRuntimeSource()
	l := &leaky{release: make(chan struct{})}
	defer l.running.Wait()
	defer close(l.release)
	capture := func(container string) context.Context {
		return pprof.WithLabels(t.Context(), pprof.Labels(census.LabelComponent, "docker_logs",
			census.LabelContainerID, container, census.LabelRole, "capture"))
	}
	for _, container := range []string{"a", "b", "c"} {
		pprof.Do(capture(container), pprof.Labels(), func(context.Context) { l.open() })
	}
	h.start(t)
	began := time.Now()
	tick := time.NewTicker(minute / 32)
	defer tick.Stop()
	for h.latest.Load().finding.Growing == 0 {
		<-tick.C
		pprof.Do(capture("a"), pprof.Labels(), func(context.Context) { l.open() })
		require.Less(t, time.Since(began), 3*window, "and nothing is said")
	}
	f := h.latest.Load()
	t.Logf("after %v: %s", time.Since(began).Round(time.Millisecond), f.reason)
	assert.Less(t, time.Since(began), 2*window)
	assert.Regexp(t, `of them in docker_logs, created by .*/goroutinehealthextension\.\(\*leaky\)\.open$`, f.reason)
	assert.InDelta(t, 32*60, f.finding.Growth, 400)
	require.NoError(t, h.Shutdown(t.Context()))
}
