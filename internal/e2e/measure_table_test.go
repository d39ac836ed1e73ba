// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// measured holds the figures that are written to DOCKERLOGS_OUT.
type measured struct {
	Live    []liveRow    `json:"live,omitempty"`
	Backlog []backlogRow `json:"backlog,omitempty"`
}

func (m *measured) save(t testing.TB) {
	t.Helper()
	path := os.Getenv("DOCKERLOGS_OUT")
	if path == "" {
		return
	}
	text, err := json.MarshalIndent(m, "", "  ")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o644))
}

// liveRow is what was measured of one reader in one round. The window is from the first
// line written to the last line received; processor times are seconds in it, latencies
// milliseconds, memory MiB.
type liveRow struct {
	Load         string  `json:"load"`
	Reader       string  `json:"reader"`
	Round        int     `json:"round"`
	Lines        int     `json:"lines"` // written
	WriteSeconds float64 `json:"write_seconds"`
	Late         int     `json:"late_writers"` // could not keep their rate
	Seconds      float64 `json:"seconds"`      // the window
	Requests     int     `json:"requests"`
	Received     int     `json:"received"` // distinct intact lines, in the window
	Lost         uint64  `json:"lost"`
	Repeated     uint64  `json:"repeated"`
	Damaged      uint64  `json:"damaged"`
	CollectorCPU float64 `json:"collector_cpu_seconds"`
	DaemonCPU    float64 `json:"daemon_cpu_seconds"`
	Busy         float64 `json:"busy_percent"` // the machine's processors, whoever used them
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	RSS          float64 `json:"rss_mib"`
	PeakRSS      float64 `json:"peak_rss_mib"`
}

func (r liveRow) perMillion(seconds float64) float64 { return seconds / float64(r.Lines) * 1e6 }

// byReader returns the rows of each reader, in the order of the first round.
func byReader[R any](rows []R, name func(R) string) (names []string, of map[string][]R) {
	of = make(map[string][]R)
	for _, row := range rows {
		if of[name(row)] == nil {
			names = append(names, name(row))
		}
		of[name(row)] = append(of[name(row)], row)
	}
	return names, of
}

// median returns the middle one of a figure of rows, 0 if there are none.
func median[R any](rows []R, figure func(R) float64) float64 {
	if len(rows) == 0 {
		return 0
	}
	var values []float64
	for _, row := range rows {
		values = append(values, figure(row))
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

// total returns the sum of a figure of rows.
func total[R any](rows []R, figure func(R) uint64) (sum uint64) {
	for _, row := range rows {
		sum += figure(row)
	}
	return sum
}

// quotient returns x/y as text, a dash where that would mean nothing: one was not measured,
// or is less than noise.
func quotient(x, y float64) string {
	if x <= 0 || y <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", x/y)
}

// liveTable returns a table in Markdown, of medians over the rounds; lost, repeated and
// damaged lines, and writers that were late, are sums. The daemon's processor time is what
// it used more than with no reader, and in the row of none what it used.
func liveTable(rows []liveRow) string {
	names, of := byReader(rows, func(r liveRow) string { return r.Reader })
	writing := median(of[noReader], func(r liveRow) float64 { return r.perMillion(r.DaemonCPU) })
	collector := func(r liveRow) float64 { return r.perMillion(r.CollectorCPU) }
	reading := func(r liveRow) float64 { return r.perMillion(r.DaemonCPU) - writing }
	both := func(r liveRow) float64 { return collector(r) + reading(r) }
	if sideBySide() {
		both = func(liveRow) float64 { return 0 } // the daemon's time is that of all readers
	}
	ratio := func(name, to string, figure func(liveRow) float64) string {
		return quotient(median(of[name], figure), median(of[to], figure))
	}

	var b strings.Builder
	b.WriteString("| reader | requests/s | lines a request | collector s/M lines | ÷ base | ÷ file_log | daemon s/M lines | both, ÷ base | both, ÷ file_log |" +
		" lines/s, of written | p50 ms | p99 ms | RSS, peak MiB | lost, repeated, damaged | late writers | machine busy % |\n")
	b.WriteString("|" + strings.Repeat(" --- |", 16) + "\n")
	for _, name := range names {
		rows := of[name]
		base := baseOf(name, of)
		daemon := reading
		if name == noReader {
			daemon = func(r liveRow) float64 { return r.perMillion(r.DaemonCPU) } // to write
		}
		fmt.Fprintf(&b, "| %s | %.1f | %.1f | %.1f | %s | %s | %.1f | %s | %s | %.0f, %.0f | %.1f | %.1f | %.0f, %.0f | %d, %d, %d | %d | %.0f |\n", name,
			median(rows, func(r liveRow) float64 { return float64(r.Requests) / r.Seconds }),
			median(rows, func(r liveRow) float64 { return float64(r.Received) / float64(max(1, r.Requests)) }),
			median(rows, collector), ratio(name, base, collector), ratio(name, fileLog, collector),
			median(rows, daemon), ratio(name, base, both), ratio(name, fileLog, both),
			median(rows, func(r liveRow) float64 { return float64(r.Received) / r.Seconds }),
			median(rows, func(r liveRow) float64 { return float64(r.Lines) / r.WriteSeconds }),
			median(rows, func(r liveRow) float64 { return r.P50 }), median(rows, func(r liveRow) float64 { return r.P99 }),
			median(rows, func(r liveRow) float64 { return r.RSS }), median(rows, func(r liveRow) float64 { return r.PeakRSS }),
			total(rows, func(r liveRow) uint64 { return r.Lost }), total(rows, func(r liveRow) uint64 { return r.Repeated }),
			total(rows, func(r liveRow) uint64 { return r.Damaged }), total(rows, func(r liveRow) uint64 { return uint64(r.Late) }),
			median(rows, func(r liveRow) float64 { return r.Busy }))
	}
	return b.String()
}

// baseOf returns the reader that one is compared with: the same strategy of the base, or
// its default if it does not have that strategy.
func baseOf[R any](name string, of map[string][]R) string {
	if same := "base " + strings.TrimPrefix(name, "base "); of[same] != nil {
		return same
	}
	return "base short_lived"
}
