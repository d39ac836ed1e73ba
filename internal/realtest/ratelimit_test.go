// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealRateLimit holds, for each strategy, that a container which writes more than its limit
// loses nothing when it is delayed, and that what is dropped, what is reported and what comes add
// up to what was written.
func TestRealRateLimit(t *testing.T) {
	e := logstest.Engine(t)
	const lines, perSecond = 4_000, 1_000
	limited := func(strategy dockerlogsreceiver.Strategy, drop bool) func(*dockerlogsreceiver.Config) {
		return func(cfg *dockerlogsreceiver.Config) {
			cfg.Strategy = strategy
			cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: minInterval, MaxInterval: minInterval}
			cfg.Hybrid.Interval = minInterval
			cfg.RateLimit.RecordsPerSecond = perSecond
			if drop {
				cfg.RateLimit.OnExcess = dockerlogsreceiver.OnExcessDrop
			}
		}
	}
	type row struct {
		strategy         dockerlogsreceiver.Strategy
		delayed, dropped *receiver
		sink             *logstest.Sink
	}
	var rows []row
	for _, strategy := range strategies {
		sink := &logstest.Sink{}
		rows = append(rows, row{
			strategy, start(t, e.Host(), limited(strategy, false)),
			startWith(t, e.Host(), limited(strategy, true), sink), sink,
		})
	}
	o := loggen.Options{Source: "loud", Lines: lines, StderrShare: 0.3, UntilSignal: true}
	c, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{LogDriver: "json-file"}))
	require.NoError(t, err)
	for _, row := range rows {
		row.delayed.Await(t, "loud", lines)
		tally := row.delayed.lines.Tallies()["loud"]
		assert.EqualValues(t, lines, tally.Seen, row.strategy)
		assert.Zero(t, tally.Lost+tally.Repeated+tally.Damaged, row.strategy)
		assert.Zero(t, row.delayed.metric("gaps"), row.strategy)
		assert.Zero(t, row.delayed.metric("reopens", "reason=stalled_pipeline"), row.strategy)
	}
	require.NoError(t, c.Kill(t.Context()))
	for _, row := range rows {
		var reported int64
		notes := 0
		logstest.Eventually(t, string(row.strategy)+" adds up", func() bool {
			reported, notes = 0, 0
			for _, rec := range row.sink.All() {
				if rec.EventName != "" {
					notes++
					reported += rec.Attributes["docker_logs.rate_limit.dropped_records"].(int64)
				}
			}
			return int64(row.sink.Count("loud")-notes)+reported == lines
		})
		assert.Equal(t, reported, row.dropped.metric("rate_limited_records"), row.strategy)
		assert.Positive(t, reported, row.strategy)
		assert.GreaterOrEqual(t, row.sink.Count("loud")-notes, perSecond, row.strategy)
	}
}
