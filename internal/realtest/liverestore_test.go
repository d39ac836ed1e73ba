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
)

// TestRealLiveRestore restarts and kills an engine whose containers live on and write on
// meanwhile.
func TestRealLiveRestore(t *testing.T) {
	e := logstest.Engine(t, dockerd.Options{ExtraArgs: []string{"--live-restore"}})
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	type watched struct {
		*receiver
		name string
	}
	var rows []watched
	for _, strategy := range strategies {
		rows = append(rows, watched{start(t, e.Host(), using(strategy)), string(strategy)})
	}
	const writers = 4
	containers, err := e.RunMany(t.Context(), writers, func(i int) dockerd.ContainerSpec {
		o := loggen.Options{Source: fmt.Sprint("writer-", i), Rate: 500, StderrShare: 0.5 * float64(i%2), UntilSignal: true}
		return logstest.Loggen(o, dockerd.ContainerSpec{LogDriver: []string{"json-file", "local"}[i/2]})
	})
	require.NoError(t, err)
	more := func() {
		want := make(map[string]int)
		for _, r := range rows {
			for _, c := range containers {
				want[r.name+c.Name] = r.Count(c.Name) + 500
			}
		}
		for _, r := range rows {
			for _, c := range containers {
				r.Await(t, c.Name, want[r.name+c.Name])
			}
		}
	}
	more()
	require.NoError(t, e.Restart(t.Context()))
	more()
	require.NoError(t, e.Kill())
	require.NoError(t, e.Start(t.Context()))
	more()
	for _, c := range containers {
		info, err := e.Client().ContainerInspect(t.Context(), c.ID)
		require.NoError(t, err)
		assert.Zero(t, info.RestartCount, "%s lives on", c.Name)
		assert.True(t, info.State.Running, "%s lives on", c.Name)
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
	}
	for _, r := range rows {
		r.drained(t, containers...)
		r.stop()
		assert.Zero(t, r.SameUID(), "%s: records that share a log.record.uid", r.name)
		assert.Zero(t, r.metric("gaps"), r.name)
	}
	for _, c := range containers {
		held := readHeld(t, e, c).Tallies()[c.Name]
		t.Logf("%s: %d lines, %d lost, %d repeated by the engine", c.Name, held.Seen, held.Lost, held.Repeated)
		for _, r := range rows {
			assert.Equal(t, held, r.lines.Tallies()[c.Name], "%s: %s", r.name, c.Name)
		}
	}
}
