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

// TestRealContainerLife has containers renamed, paused and restarted while they
// write.
func TestRealContainerLife(t *testing.T) {
	e := logstest.Engine(t)
	r := start(t, e.Host(), nil)

	t.Run("rename", func(t *testing.T) {
		o := loggen.Options{Source: "old", Rate: 500, UntilSignal: true}
		c := runLoggen(t, e, o, jsonFile)
		r.Await(t, "old", 100)
		require.NoError(t, c.Rename(t.Context(), "new"))
		r.Await(t, "new", 100) // on the same follow
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		r.drained(t, c)
		assert.Equal(t, r.Count("old")+r.Count("new"), r.Count(""), "records by other names")
	})
	t.Run("pause", func(t *testing.T) {
		c := runLoggen(t, e, loggen.Options{Source: "paused", Rate: 500, UntilSignal: true}, local)
		r.Await(t, "paused", 100)
		for range 3 {
			require.NoError(t, c.Pause(t.Context()))
			require.NoError(t, c.Unpause(t.Context()))
			r.Await(t, "paused", r.Count("paused")+100)
		}
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		r.drained(t, c)
	})
	r.exact(t)

	t.Run("restart", func(t *testing.T) {
		o := loggen.Options{Source: "again", Rate: 1_000, StderrShare: 0.3, UntilSignal: true}
		c := runLoggen(t, e, o, jsonFile)
		for range 8 {
			r.Await(t, "again", r.Count("again")+300)
			require.NoError(t, c.Restart(t.Context(), 10*time.Second))
		}
		r.Await(t, "again", r.Count("again")+300)
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		r.drained(t, c)
		assert.Equal(t, readHeld(t, e, c).Tallies()["again"], r.lines.Tallies()["again"])
		assert.Zero(t, r.SameUID(), "records that share a log.record.uid")
	})
	assert.Zero(t, r.metric("gaps"))
}

// TestRealEngineRestart restarts, kills and freezes the engine while containers
// write: they outlive it, and all that it has written to their logs must arrive.
func TestRealEngineRestart(t *testing.T) {
	outages := []struct {
		name   string
		strike func(*testing.T, *dockerd.Engine)
	}{
		{"restart", func(t *testing.T, e *dockerd.Engine) { require.NoError(t, e.Restart(t.Context())) }},
		{"kill", func(t *testing.T, e *dockerd.Engine) {
			require.NoError(t, e.Kill())
			require.NoError(t, e.Start(t.Context()))
		}},
		{"freeze", func(t *testing.T, e *dockerd.Engine) {
			require.NoError(t, e.Pause())
			require.NoError(t, e.Resume())
		}},
	}
	for _, outage := range outages {
		t.Run(outage.name, func(t *testing.T) {
			e := logstest.Engine(t)
			if !e.Private() {
				t.Skip("not on an engine that others use")
			}
			r := start(t, e.Host(), nil)
			const writers = 4
			containers, err := e.RunMany(t.Context(), writers, func(i int) dockerd.ContainerSpec {
				o := loggen.Options{Source: fmt.Sprint("writer-", i), Rate: 1_000, StderrShare: 0.5 * float64(i%2)}
				return logstest.Loggen(o, dockerd.ContainerSpec{RestartPolicy: "always", LogDriver: []string{"json-file", "local"}[i/2]})
			})
			require.NoError(t, err)
			r.Await(t, "", 2_000)

			outage.strike(t, e)

			// What the engine holds in the end is what must have arrived, in every run.
			for _, c := range containers {
				r.Await(t, c.Name, r.Count(c.Name)+3_000)
				require.NoError(t, c.Stop(t.Context(), 10*time.Second))
			}
			r.drained(t, containers...)
			r.stop()
			all := cell{Gaps: int(r.metric("gaps"))}
			for _, c := range containers {
				got, held := r.tally(c.Name), readHeld(t, e, c).Tallies()[c.Name]
				wrote, came := int(held.Seen+held.Repeated), int(got.Seen+got.Repeated) // each run writes the same lines
				all.Written += wrote
				all.Lost += max(0, wrote-came)
				all.Repeated += max(0, came-wrote)
				assert.Equal(t, held, got, c.Name)
				assert.Zero(t, got.Damaged, c.Name)
			}
			record(t, e, dockerlogsreceiver.StrategyAdaptive, "4 containers of 1,000 lines/s, engine: "+outage.name, all)
			assert.Zero(t, r.SameUID(), "records that share a log.record.uid")
			assert.Zero(t, r.metric("gaps"))
			t.Logf("%d lines, reopens: %d, known records read again: %d",
				r.Count(""), r.metric("reopens"), r.metric("duplicates_suppressed"))
		})
	}
}
