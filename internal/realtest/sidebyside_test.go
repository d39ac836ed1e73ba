// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// sideBySide starts a receiver of each strategy on one engine, all with the intervals of
// the conformance rows.
func sideBySide(t *testing.T, e *dockerd.Engine, configure func(*dockerlogsreceiver.Config)) *conformanceRun {
	t.Helper()
	run := &conformanceRun{t: t, ctx: t.Context(), engine: e, options: make(map[string]loggen.Options)}
	for _, strategy := range strategies {
		run.rows = append(run.rows, &row{strategy: strategy, receiver: start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
			cfg.Strategy = strategy
			cfg.ShortLived.Lifetime = rowLifetime
			cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: time.Second, MaxInterval: rowMaxInterval}
			cfg.Hybrid.Interval = time.Second
			if configure != nil {
				configure(cfg)
			}
		})})
	}
	return run
}

// drained waits until the containers have ended and every row has read them to their ends.
func (r *conformanceRun) drained(containers ...*dockerd.Container) {
	r.t.Helper()
	for _, c := range containers {
		_, err := c.Wait(r.ctx)
		require.NoError(r.t, err)
	}
	r.each(func(row *row) { row.receiver.drained(r.t) })
}

// have waits until every row has all the lines of a scribe.
func (r *conformanceRun) have(s *scribe) {
	r.t.Helper()
	r.lack(s, 0)
}

// lack waits until every row has all the lines of a scribe but so many.
func (r *conformanceRun) lack(s *scribe, n int) {
	r.t.Helper()
	want := int(s.options.Lines) - n
	began, done := time.Now(), make(map[*row]bool)
	r.until(fmt.Sprintf("all lines of %s but %d", s.Name, n), func(row *row) string {
		if have := row.Count(s.Name); have < want {
			return fmt.Sprintf("%s: %d of %d", row.strategy, have, want)
		}
		if took := time.Since(began); !done[row] && took > time.Second {
			r.t.Logf("%s: all lines of %s after %v", row.strategy, s.Name, took.Round(100*time.Millisecond))
		}
		done[row] = true
		return ""
	})
}

// mayLoseInFollow reports whether the row follows loud containers. A follow of Engine 20.10
// leaves out what it had read ahead of a record that it cannot decode, and nobody can know.
func mayLoseInFollow(row *row) bool {
	return row.strategy == dockerlogsreceiver.StrategyStreaming || row.strategy == dockerlogsreceiver.StrategyShortLived
}

// logRequests is how often a row has asked for the logs of any container.
func (row *row) logRequests() int64 { return row.metric("engine_requests", "endpoint=logs") }

// summary is what became of the lines of a container, for the log of a test.
func (row *row) summary(t *testing.T, name string) loggen.Tally {
	t.Helper()
	tally := row.lines.Tallies()[name]
	t.Logf("%-11s %-10s %d lines, lost %d %v, repeated %d, damaged %d, disordered %d; gaps: %d rotated, %d unreadable_record; sent twice %d; %d requests for logs, reopens %v",
		row.strategy, name, tally.Seen, tally.Lost, tally.LostRanges, tally.Repeated, tally.Damaged, tally.OutOfOrder,
		row.metric("gaps", "reason=rotated"), row.metric("gaps", "reason=unreadable_record"),
		row.metric("duplicates_suppressed", "reason=repeat"), row.logRequests(), row.reopens())
	return tally
}

// reopens counts the reasons for which logs were opened again.
func (row *row) reopens() map[string]int64 {
	counts := make(map[string]int64)
	for _, point := range logstest.Points(row.telemetry, "reopens") {
		for _, attribute := range point.Attributes.ToSlice() {
			if point.Value > 0 {
				counts[attribute.Value.String()] += point.Value
			}
		}
	}
	return counts
}
