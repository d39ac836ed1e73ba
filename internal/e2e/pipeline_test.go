// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const agentConfig = `
receivers:
  docker_logs:
    endpoint: %s
    container_labels_to_resource_attributes: {team: team.name}
exporters:
  otlp_grpc:
    endpoint: %s
    tls: {insecure: true}
    sending_queue: {num_consumers: 1} # more would mix up the order
service:
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: %s, port: %s}}}}]
  pipelines:
    logs: {receivers: [docker_logs], exporters: [otlp_grpc]}
`

const gatewayConfig = `
receivers:
  otlp: {protocols: {grpc: {endpoint: %s}}}
exporters:
  file: {path: %s}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [file]}
`

// TestPipeline has lines go from a container through one collector and OTLP to
// another, and into its file.
func TestPipeline(t *testing.T) {
	e := logstest.Engine(t)
	address, metrics := freeAddress(t), freeAddress(t)
	file := filepath.Join(t.TempDir(), "logs.json")
	gateway := start(t, writeFile(t, "gateway.yaml", fmt.Sprintf(gatewayConfig, address, file)))
	host, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	agent := start(t, writeFile(t, "agent.yaml", fmt.Sprintf(agentConfig, e.Host(), address, host, port)))

	o := loggen.Options{
		Source: "writer", Lines: 10_000, Rate: 5_000, StderrShare: 0.2, Payload: loggen.Binary,
		Sizes: loggen.Sizes{{Min: 60, Max: 400, Weight: 99}, {Min: 20_000, Max: 40_000}},
	}
	c, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{
		LogDriver: "local", // which keeps every byte
		Labels:    map[string]string{"com.docker.compose.service": "shop", "com.docker.compose.project": "acme", "team": "blue"},
	}))
	require.NoError(t, err)
	_, err = c.Wait(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool { return countRecords(t, file) >= int(o.Lines) }, patience, 50*time.Millisecond)

	assertMetrics(t, "http://"+metrics+"/metrics", o.Lines)
	agent.terminate(t)
	gateway.terminate(t)
	assertLines(t, file, o, c)
}

func assertLines(t *testing.T, file string, o loggen.Options, c *dockerd.Container) {
	t.Helper()
	var checker loggen.Checker
	checker.Expect(o)
	uids := make(map[string]struct{})
	resources := make(map[string]map[string]any)
	eachRecord(t, file, func(resource pcommon.Map, record plog.LogRecord) {
		stream, _ := record.Attributes().Get("log.iostream")
		uid, _ := record.Attributes().Get("log.record.uid")
		uids[uid.Str()] = struct{}{}
		checker.Add(logstest.Body(record), stream.Str() == "stderr")
		raw := resource.AsRaw()
		resources[fmt.Sprint(raw)] = raw
	})
	require.NoError(t, checker.Err())
	assert.Zero(t, checker.Tallies()[o.Source].Replaced)
	assert.Len(t, uids, int(o.Lines))
	require.Len(t, resources, 1)
	for _, resource := range resources {
		assert.NotEmpty(t, resource["container.image.id"])
		assert.NotEmpty(t, resource["host.name"])
		delete(resource, "container.image.id")
		delete(resource, "host.name")
		assert.Equal(t, map[string]any{
			"container.id": c.ID, "container.name": "writer", "container.image.name": "loggen",
			"container.image.tags": []any{"test"}, "container.runtime.name": "docker",
			"service.name": "shop", "service.namespace": "acme", "team.name": "blue",
		}, resource)
	}
}

func assertMetrics(t *testing.T, url string, records uint64) {
	t.Helper()
	values := parseMetrics(metricsPage(t, url))
	for _, name := range []string{"records", "bytes", "captures", "engine_requests", "capture_latency"} {
		assert.Contains(t, values, "otelcol_docker_logs_"+name)
	}
	assert.EqualValues(t, records, values["otelcol_docker_logs_records"])
	assert.EqualValues(t, records, values["otelcol_receiver_accepted_log_records"])
}

// metricsPage returns a collector's own metrics.
func metricsPage(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}
