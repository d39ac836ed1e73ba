// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealGoroutines counts the goroutines of a receiver that follows many silent
// containers, and looks for any that it leaves behind here or in the engine, once it
// has opened and closed a thousand follows.
func TestRealGoroutines(t *testing.T) {
	const (
		containers   = 50
		perContainer = 3 // the capture, and its connection's two of net/http
		fixed        = 8 // the owner, the events' two and their connection's two; the test's
		rounds       = 1_000/containers + 1
	)
	e := logstest.Engine(t)
	_, err := e.RunMany(t.Context(), containers, func(i int) dockerd.ContainerSpec {
		o := loggen.Options{Source: fmt.Sprintf("silent-%d", i), Lines: 1, UntilSignal: true}
		return logstest.Loggen(o, jsonFile)
	})
	require.NoError(t, err)
	settings := func(cfg *dockerlogsreceiver.Config) { cfg.StartAt = dockerlogsreceiver.StartAtBeginning }

	// The first round makes what both sides keep for ever.
	r := start(t, e.Host(), settings)
	r.following(t, containers)
	r.stop()
	logstest.Eventually(t, "all goroutines of the first round have ended", func() bool { return countGoroutines("dockerlogsreceiver.(*") == 0 })
	base := countGoroutines("")
	engineGoroutines, err := e.Goroutines(t.Context())
	require.NoError(t, err)
	engineFDs, err := e.FDs(t.Context())
	require.NoError(t, err)
	require.NoError(t, e.Client().Close())

	opened, most := int64(0), 0
	for range rounds {
		r := start(t, e.Host(), settings)
		r.following(t, containers)
		logstest.Eventually(t, "every follow is open", func() bool {
			return r.metric("engine_requests", "endpoint=logs", "outcome=ok") >= 2*containers
		})
		// A connection that was opened for the start alone, and that no follow has taken over,
		// closes by itself after half a minute.
		logstest.Eventually(t, "goroutines are within the bound", func() bool {
			return countGoroutines("")-base <= perContainer*containers+fixed
		})
		most = max(most, countGoroutines("")-base)
		opened += r.metric("engine_requests", "endpoint=logs", "outcome=ok")
		r.stop()
		assert.Equal(t, containers, r.Count(""))
	}
	logstest.Eventually(t, "the goroutines are those of before", func() bool { return countGoroutines("") <= base })
	logstest.Eventually(t, "the engine's goroutines and descriptors are those of before", func() bool {
		goroutines, err := e.Goroutines(t.Context())
		require.NoError(t, err)
		fds, err := e.FDs(t.Context())
		require.NoError(t, err)
		return goroutines <= engineGoroutines && fds <= engineFDs
	})
	t.Logf("%d logs requests by %d receivers; at most %d goroutines for %d followed containers", opened, rounds, most, containers)
	assertNoLeak(t)
}

// countGoroutines counts those that have text in their stack; all, if it is empty.
func countGoroutines(text string) int {
	if text == "" {
		return runtime.NumGoroutine()
	}
	var stacks bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 2)
	n := 0
	for stack := range bytes.SplitSeq(stacks.Bytes(), []byte("\n\n")) {
		if bytes.Contains(stack, []byte(text)) {
			n++
		}
	}
	return n
}

// assertNoLeak asks the garbage collector for goroutines that can never wake, where
// the binary is built with GOEXPERIMENT=goroutineleakprofile.
func assertNoLeak(t *testing.T) {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		t.Log("no profile goroutineleak: not built with GOEXPERIMENT=goroutineleakprofile")
		return
	}
	var text bytes.Buffer
	require.NoError(t, profile.WriteTo(&text, 1))
	assert.Zero(t, profile.Count(), "leaked goroutines: %s", text.String())
}
