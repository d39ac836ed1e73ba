// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

const crashConfig = `
extensions:
  file_storage: {directory: %s}
receivers:
  docker_logs:
    endpoint: %s
    start_at: beginning
    storage: file_storage
    overrides: # one container for each strategy
      - {match: {name: crash-0}, strategy: streaming}
      - {match: {name: crash-1}, strategy: short_lived}
      - {match: {name: crash-2}, strategy: polling}
      - {match: {name: crash-3}, strategy: hybrid}
      - {match: {name: crash-4}, strategy: adaptive}
    polling: {interval: 200ms, max_interval: 1s}
    hybrid: {interval: 200ms}
exporters:
  otlp_grpc:
    endpoint: %s
    tls: {insecure: true}
    sending_queue: {enabled: false} # what the receiver has been rid of is with the gateway
service:
  extensions: [file_storage]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [docker_logs], exporters: [otlp_grpc]}
`

// TestCrashes kills a collector with SIGKILL in the middle of bursts, twenty times.
// With a storage nothing is lost, and what comes twice bears the same
// log.record.uid as the first time.
func TestCrashes(t *testing.T) {
	e := realEngine(t)
	address := freeAddress(t)
	file := filepath.Join(t.TempDir(), "logs.json")
	gateway := start(t, writeFile(t, "gateway.yaml", fmt.Sprintf(gatewayConfig, address, file)))
	config := writeFile(t, "agent.yaml", fmt.Sprintf(crashConfig, t.TempDir(), e.Host(), address))

	var options []loggen.Options
	var containers []*dockerd.Container
	reports := t.TempDir()
	for i := range 5 {
		o := loggen.Options{Seed: uint64(i), Source: fmt.Sprint("crash-", i), Rate: 200, BurstSize: 2000, BurstEvery: 2 * time.Second, StderrShare: 0.2}
		c, err := e.Run(t.Context(), dockerd.ContainerSpec{
			Name: o.Source, Image: loggenImage, Binds: []string{reports + ":/reports"},
			Cmd: append(o.Args(), "--report=/reports/"+o.Source),
		})
		require.NoError(t, err)
		options, containers = append(options, o), append(containers, c)
	}

	size := func() int64 {
		info, err := os.Stat(file)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	const kills = 20
	for range kills {
		agent := start(t, config)
		before, began := size(), time.Now()
		// Long enough to have stored a position; else it would never get on.
		require.Eventually(t, func() bool { return size() > before+500_000 && time.Since(began) > 1500*time.Millisecond },
			patience, 5*time.Millisecond)
		require.NoError(t, agent.cmd.Process.Kill())
		<-agent.ended
	}
	for _, c := range containers {
		require.NoError(t, c.Stop(t.Context(), 5*time.Second))
	}
	var checker loggen.Checker
	total := 0
	for _, o := range options {
		var report loggen.Report
		text, err := os.ReadFile(filepath.Join(reports, o.Source))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &report))
		o.Lines = report.Lines
		total += int(report.Lines)
		checker.Expect(o)
	}

	agent := start(t, config) // reads what the containers wrote last
	first := make(map[string]string, total)
	repeats := 0
	lines := func() int {
		clear(first)
		repeats = 0
		eachRecord(t, file, func(_ pcommon.Map, record plog.LogRecord) {
			uid, _ := record.Attributes().Get("log.record.uid")
			line := string(body(record))
			if had, ok := first[line]; !ok {
				first[line] = uid.Str()
			} else {
				repeats++
				assert.Equal(t, had, uid.Str(), "a repeated line has another log.record.uid")
			}
		})
		return len(first)
	}
	// In this goroutine, and not as Eventually does it: a look at the whole file takes long.
	for began := time.Now(); lines() < total && time.Since(began) < patience; time.Sleep(time.Second) {
	}
	agent.terminate(t)
	gateway.terminate(t)
	assert.Equal(t, total, lines())
	for line := range first {
		checker.Add([]byte(line), false)
	}
	for source, tally := range checker.Tallies() {
		assert.Zero(t, tally.Lost-tally.Damaged, "%s: %v", source, tally.LostRanges)
	}
	t.Logf("%d kills, %d lines, 0 lost, %d repeated with the same log.record.uid", kills, total, repeats)
}
