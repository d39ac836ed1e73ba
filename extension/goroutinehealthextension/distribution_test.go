// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package goroutinehealthextension

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const distributionConfig = `
receivers:
  otlp:
    protocols: {http: {endpoint: "%[1]s"}}
exporters:
  nop:
extensions:
  goroutine_health:
    endpoint: "%[2]s"
    collection_interval: 100ms
    census_interval: 200ms
    window: 5s
    warning: 150
    critical: 300
    on_critical: restart
    max_restarts: 1
    dump_directory: "%[3]s"
service:
  extensions: [goroutine_health]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [nop]}
`

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// buffer is a bytes.Buffer that a process writes to while it is read.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// TestRestartAndShutdownOfTheDistribution runs the built Collector, which
// DOCKERLOGS_COLLECTOR names, and has connections make goroutines of it: the pipelines
// are restarted in the same process, and when that does not help, the process ends with
// an exit status that a supervisor heeds.
func TestRestartAndShutdownOfTheDistribution(t *testing.T) {
	binary := os.Getenv("DOCKERLOGS_COLLECTOR")
	if binary == "" {
		t.Skip("DOCKERLOGS_COLLECTOR names no collector; make test builds one")
	}
	otlp, api, dir := freePort(t), freePort(t), t.TempDir()
	dumps := filepath.Join(dir, "dumps")
	config := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, distributionConfig, otlp, api, dumps), 0o600))
	var log buffer
	cmd := exec.CommandContext(t.Context(), binary, "--config="+config)
	cmd.Stderr = &log
	require.NoError(t, cmd.Start())
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }() // ends with the process, which ends with the test
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.String())
		}
	})
	status := func() (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+api+"/api/v1/status", http.NoBody)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
		resp, err := client.Do(req)
		if err != nil {
			return 0, ""
		}
		defer resp.Body.Close()
		var body bytes.Buffer
		_, _ = body.ReadFrom(resp.Body)
		return resp.StatusCode, body.String()
	}
	healthy := func(restarts string) func() bool {
		return func() bool {
			code, body := status()
			return code == http.StatusOK && strings.Contains(body, `"verdict":"healthy"`) && strings.Contains(body, `"restarts":{"total":`+restarts)
		}
	}
	require.Eventually(t, healthy("0"), 30*time.Second, 50*time.Millisecond)

	// Connections that send nothing, each of which has a goroutine.
	flood := func() {
		for range 400 {
			conn, err := net.DialTimeout("tcp", otlp, time.Second)
			if err != nil {
				return // the restart has come
			}
			t.Cleanup(func() { _ = conn.Close() })
		}
	}
	flood()
	began := time.Now()
	require.Eventually(t, healthy("1"), 30*time.Second, 20*time.Millisecond, "the same process, with its pipelines anew")
	t.Logf("healthy again %v after the goroutines had come", time.Since(began).Round(time.Millisecond))
	require.Contains(t, log.String(), "created by net/http.(*Server).Serve")
	files, err := filepath.Glob(filepath.Join(dumps, "*"))
	require.NoError(t, err)
	require.Len(t, files, 2)

	flood()
	select {
	case err := <-exited:
		var exit *exec.ExitError
		require.True(t, errors.As(err, &exit), "the exit status is 0, which no supervisor heeds")
		require.Equal(t, 1, exit.ExitCode())
		require.Contains(t, log.String(), "1 restarts in 1h0m0s did not help")
		require.Contains(t, log.String(), "Shutdown complete", "gracefully")
	case <-time.After(30 * time.Second):
		t.Fatal("the process goes on")
	}
}
