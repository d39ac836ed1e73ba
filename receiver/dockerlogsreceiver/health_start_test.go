// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package dockerlogsreceiver

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// startConfig has goroutine_health as it is by default, but thirty times as fast.
const startConfig = `
receivers:
  docker_logs: {endpoint: "%s", strategy: streaming}
exporters:
  nop:
extensions:
  goroutine_health:
    endpoint: "%s"
    collection_interval: 500ms
    census_interval: 2s
    leak_interval: 10s
    window: 10s
    for: 10s
    growth_per_minute: 300
    on_critical: shutdown
service:
  extensions: [goroutine_health]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [docker_logs], exporters: [nop]}
`

// TestAThousandStartsRaiseNothing starts 1,000 containers at once, which makes the
// built Collector, which DOCKERLOGS_COLLECTOR names, have 3,000 goroutines more. The
// engine is in this process, so that its goroutines are not counted.
func TestAThousandStartsRaiseNothing(t *testing.T) {
	binary := os.Getenv("DOCKERLOGS_COLLECTOR")
	if binary == "" {
		t.Skip("DOCKERLOGS_COLLECTOR names no collector; make test builds one")
	}
	const containers, patience = 1000, 3 * time.Minute
	engine := enginetest.New()
	t.Cleanup(engine.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	api := l.Addr().String()
	require.NoError(t, l.Close())
	dir := t.TempDir()
	config, logName := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "log")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, startConfig, engine.Listen(t), api), 0o600))
	log, err := os.Create(logName)
	require.NoError(t, err)
	defer func() { _ = log.Close() }()
	cmd := exec.CommandContext(t.Context(), binary, "--config="+config)
	cmd.Stdout, cmd.Stderr = log, log
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // ends with the process, which ends with the test

	var status struct {
		Verdict    string
		Goroutines struct{ Total, Needed, Excess int }
		Growth     float64 `json:"growth_per_minute"`
		Leaked     struct{ Total int }
		Containers struct{ Total int }
	}
	look := func() bool {
		response, err := http.Get("http://" + api + "/api/v1/status")
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		return assert.NoError(t, json.NewDecoder(response.Body).Decode(&status))
	}
	require.Eventually(t, func() bool { return look() && status.Verdict == "healthy" }, patience, 50*time.Millisecond)
	before := status.Goroutines
	for i := range containers {
		engine.Add(enginetest.ContainerSpec{Name: fmt.Sprint("c", i), Running: true})
	}
	var settled time.Time
	for began := time.Now(); settled.IsZero() || time.Since(settled) < 25*time.Second; time.Sleep(100 * time.Millisecond) {
		require.True(t, look(), "the collector has ended")
		require.Equal(t, "healthy", status.Verdict)
		if settled.IsZero() && engine.OpenFollows() == containers && status.Containers.Total == containers {
			settled = time.Now() // growth would be told by the end
		}
		require.Less(t, time.Since(began), patience, "%d follows, %+v", engine.OpenFollows(), status)
	}
	text, err := os.ReadFile(logName)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "goroutines: ", "the verdict has changed in between")
	assert.Greater(t, status.Goroutines.Total, before.Total+3*containers-containers/10, "they are captured")
	assert.Zero(t, status.Leaked.Total)
	t.Logf("from %+v to %+v, growth %.1f a minute", before, status.Goroutines, status.Growth)

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(patience):
		t.Fatal("the collector goes on")
	}
}
