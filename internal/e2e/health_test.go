// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// health is a part of what goroutine_health tells.
type health struct {
	Verdict    string
	Reason     string
	Pressure   bool
	Goroutines struct{ Total, Needed, Excess int }
	Growth     float64 `json:"growth_per_minute"`
	Leaked     struct {
		Supported bool
		Total     int
		Looked    time.Time
	}
	Containers struct{ Total int }
	Restarts   struct{ Total int }
}

// healthOf asks goroutine_health. While nobody answers, it knows nothing.
func healthOf(t testing.TB, address string) (h health) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + address + "/api/v1/status")
	if err != nil {
		return h
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&h); err != nil {
		return health{} // cut off by a restart
	}
	return h
}

const pressureConfig = `
extensions:
  goroutine_health:
    endpoint: %s
    collection_interval: 1s
    census_interval: 1s
    window: 1m
    warning: 300
receivers:
  otlp: {protocols: {http: {endpoint: %s}}}
  docker_logs:
    endpoint: %s
    start_at: beginning
    strategy: adaptive
    adaptive: {health: goroutine_health}
    file: {root: /nowhere} # follows are what is tested
    polling: {interval: 200ms, max_interval: 1s}
exporters:
  nop:
service:
  extensions: [goroutine_health]
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: %s, port: %s}}}}]
  pipelines:
    logs: {receivers: [docker_logs, otlp], exporters: [nop]}
`

// TestAdaptiveHeedsPressure gives the distribution too many goroutines, and takes them
// away again: its captures go from follows to polls and back.
func TestAdaptiveHeedsPressure(t *testing.T) {
	const containers = 10
	e := logstest.Engine(t)
	silent(t, e, containers)
	api, otlp, metrics := freeAddress(t), freeAddress(t), freeAddress(t)
	host, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	c := start(t, writeFile(t, "agent.yaml", fmt.Sprintf(pressureConfig, api, otlp, e.Host(), host, port)))
	value := func(name string, attributes ...string) float64 { return sumOf(t, metrics, name, attributes...) }
	following := func() float64 { return value("captures", `strategy="adaptive"`, `state="following"`) }
	eventually := func(what string, condition func() bool) {
		t.Helper()
		require.Eventually(t, condition, 3*patience, 50*time.Millisecond, "%s: %+v", what, healthOf(t, api))
	}
	eventually("follows", func() bool { return following() == containers })
	require.False(t, healthOf(t, api).Pressure)

	began := time.Now()
	held := leak(t, otlp, 400)
	eventually("pressure", func() bool { return healthOf(t, api).Pressure })
	eventually("no follow", func() bool {
		return following() == 0 && value("strategy_changes", `to="polling"`, `reason="pressure"`) == containers
	})
	away := time.Since(began)
	for _, conn := range held {
		require.NoError(t, conn.Close())
	}
	began = time.Now()
	eventually("no pressure", func() bool { return !healthOf(t, api).Pressure })
	relieved := time.Since(began)
	assert.Zero(t, following(), "nobody hurries back")
	eventually("follows again", func() bool {
		return following() == containers && value("strategy_changes", `to="streaming"`, `reason="recovered"`) == containers
	})
	t.Logf("polling %v after the goroutines came; no pressure %v after they had gone, streaming %v after that",
		away.Round(time.Millisecond), relieved.Round(time.Millisecond), (time.Since(began) - relieved).Round(time.Millisecond))
	assert.Equal(t, "healthy", healthOf(t, api).Verdict)
	c.terminate(t)
}

const growthConfig = `
extensions:
  file_storage: {directory: %s}
  goroutine_health: {endpoint: %s, leak_interval: 1m}
receivers:
  docker_logs:
    endpoint: %s
    start_at: beginning
    strategy: %s
    storage: file_storage
    adaptive: {health: goroutine_health}
exporters:
  nop:
service:
  extensions: [file_storage, goroutine_health]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [docker_logs], exporters: [nop]}
`

// TestMeasureGrowth has five collectors, one for each strategy, capture the same 50
// containers for five minutes after the first window:
//
//	DOCKERLOGS_MEASURE=1 go test -run TestMeasureGrowth -v -timeout 60m ./internal/e2e
func TestMeasureGrowth(t *testing.T) {
	if os.Getenv("DOCKERLOGS_MEASURE") != "1" {
		t.Skip("takes ten minutes: set DOCKERLOGS_MEASURE=1")
	}
	const containers, window = 50, 5 * time.Minute
	e := logstest.Engine(t)
	_, err := e.RunMany(t.Context(), containers, func(i int) dockerd.ContainerSpec {
		o := loggen.Options{Source: fmt.Sprint("steady-", i), Rate: 2}
		return logstest.Loggen(o, dockerd.ContainerSpec{})
	})
	require.NoError(t, err)
	apis := make(map[string]string)
	for _, strategy := range logstest.Strategies {
		apis[strategy] = freeAddress(t)
		start(t, writeFile(t, "agent.yaml", fmt.Sprintf(growthConfig, t.TempDir(), apis[strategy], e.Host(), strategy)))
	}
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for began := time.Now(); time.Since(began) < 2*window+window/10; <-tick.C {
		for strategy, api := range apis {
			h := healthOf(t, api)
			require.Contains(t, []string{"healthy"}, h.Verdict, "%s: %s", strategy, h.Reason)
		}
	}
	for _, strategy := range logstest.Strategies {
		h := healthOf(t, apis[strategy])
		t.Logf("%s: %d containers, %d goroutines, %d of them needed by captures, growth %.2f a minute over %v, %d proven leaks",
			strategy, h.Containers.Total, h.Goroutines.Total, h.Goroutines.Needed, h.Growth, window, h.Leaked.Total)
		assert.Less(t, h.Growth, 0.5, strategy)
		assert.True(t, h.Leaked.Supported)
		assert.WithinDuration(t, time.Now(), h.Leaked.Looked, 2*time.Minute)
		assert.Zero(t, h.Leaked.Total, strategy)
	}
}

// silent runs containers that have said one line each.
func silent(t testing.TB, e *dockerd.Engine, n int) {
	t.Helper()
	_, err := e.RunMany(t.Context(), n, func(i int) dockerd.ContainerSpec {
		o := loggen.Options{Source: fmt.Sprint("silent-", i), Lines: 1, UntilSignal: true}
		return logstest.Loggen(o, dockerd.ContainerSpec{})
	})
	require.NoError(t, err)
}

// sumOf sums the receiver's samples of a metric that have all the attributes.
func sumOf(t testing.TB, address, name string, attributes ...string) (sum float64) {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return 0
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	var matching strings.Builder
lines:
	for line := range strings.Lines(string(text)) {
		for _, attribute := range attributes {
			if !strings.Contains(line, attribute) {
				continue lines
			}
		}
		matching.WriteString(line)
	}
	return parseMetrics(matching.String())["otelcol_docker_logs_"+name]
}
