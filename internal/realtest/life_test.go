// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// TestRealContainerLife has containers renamed, paused and restarted while they
// write.
func TestRealContainerLife(t *testing.T) {
	e := realEngine(t)
	r := startReal(t, e.Host(), nil)

	t.Run("rename", func(t *testing.T) {
		o := loggen.Options{Source: "old", Rate: 500, UntilSignal: true}
		c := runLoggen(t, e, o, jsonFile)
		r.arrived(t, "old", 100)
		require.NoError(t, c.Rename(t.Context(), "new"))
		r.arrived(t, "new", 100) // on the same follow
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		r.drained(t, c)
		assert.Equal(t, r.count("old")+r.count("new"), r.count(""), "records by other names")
	})
	t.Run("pause", func(t *testing.T) {
		c := runLoggen(t, e, loggen.Options{Source: "paused", Rate: 500, UntilSignal: true}, local)
		r.arrived(t, "paused", 100)
		for range 3 {
			require.NoError(t, c.Pause(t.Context()))
			require.NoError(t, c.Unpause(t.Context()))
			r.arrived(t, "paused", r.count("paused")+100)
		}
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		r.drained(t, c)
	})
	r.exact(t)

	t.Run("restart", func(t *testing.T) {
		o := loggen.Options{Source: "again", Rate: 1_000, StderrShare: 0.3, UntilSignal: true}
		c := runLoggen(t, e, o, jsonFile)
		for range 8 {
			r.arrived(t, "again", r.count("again")+300)
			require.NoError(t, c.Restart(t.Context(), 10*time.Second))
		}
		r.arrived(t, "again", r.count("again")+300)
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		r.drained(t, c)
		assert.Equal(t, readHeld(t, e, c).Tallies()["again"], r.lines.Tallies()["again"])
		assert.Zero(t, r.sameUID, "records that share a log.record.uid")
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
			e := realEngine(t)
			if !e.Private() {
				t.Skip("not on an engine that others use")
			}
			r := startReal(t, e.Host(), nil)
			const writers = 4
			containers, err := e.RunMany(t.Context(), writers, func(i int) dockerd.ContainerSpec {
				o := loggen.Options{Source: fmt.Sprint("writer-", i), Rate: 1_000, StderrShare: 0.5 * float64(i%2)}
				return loggenSpec(o, dockerd.ContainerSpec{RestartPolicy: "always", LogDriver: []string{"json-file", "local"}[i/2]})
			})
			require.NoError(t, err)
			r.arrived(t, "", 2_000)

			outage.strike(t, e)

			// What the engine holds in the end is what must have arrived, in every run.
			r.following(t, writers)
			r.arrived(t, "", r.count("")+4_000)
			for _, c := range containers {
				require.NoError(t, c.Stop(t.Context(), 10*time.Second))
			}
			r.drained(t, containers...)
			r.stop()
			for _, c := range containers {
				got, held := r.lines.Tallies()[c.Name], readHeld(t, e, c).Tallies()[c.Name]
				assert.Equal(t, held, got, c.Name)
				assert.Zero(t, got.Damaged, c.Name)
			}
			assert.Zero(t, r.sameUID, "records that share a log.record.uid")
			assert.Zero(t, r.metric("gaps"))
			t.Logf("%d lines, reopens: %d, known records read again: %d",
				r.count(""), r.metric("reopens"), r.metric("duplicates_suppressed"))
		})
	}
}
