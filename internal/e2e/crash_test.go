// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const crashConfig = `
extensions:
  file_storage: {directory: %s}
receivers:` + loadReceiver + `
exporters:` + lossless + `
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
	e := logstest.Engine(t)
	gateway, address, file := startGateway(t)
	config := writeFile(t, "agent.yaml", fmt.Sprintf(crashConfig, t.TempDir(), e.Host(), address))
	l := startLoad(t, e, file)
	const kills = 20
	for range kills {
		agent := start(t, config)
		before, began := l.size(), time.Now()
		// Long enough to have stored a position; else it would never get on.
		require.Eventually(t, func() bool { return l.size() > before+500_000 && time.Since(began) > 1500*time.Millisecond },
			patience, 5*time.Millisecond)
		require.NoError(t, agent.cmd.Process.Kill())
		<-agent.ended
	}
	l.stop(t)
	repeats := l.check(t, start(t, config), gateway) // the last reads what the containers wrote last
	t.Logf("%d kills, %d lines, 0 lost, %d repeated with the same log.record.uid", kills, l.total, repeats)
}
