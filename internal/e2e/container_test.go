// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
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

const containerConfig = `
receivers:
  docker_logs:
    start_at: beginning
    include_self: %t
exporters:
  file: {path: /out/logs.json, flush_interval: 100ms}
service:
  telemetry:
    metrics: {level: none}
  pipelines:
    logs: {receivers: [docker_logs], exporters: [file]}
`

// TestContainer runs the distribution in a container of the engine that it captures:
// its own log must not come back to it, unless that is asked for.
func TestContainer(t *testing.T) {
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("the engine's socket has to be on this host")
	}
	const image = "otelcol-dockerlogs:test"
	require.NoError(t, e.Import(t.Context(), image, map[string]string{"/otelcol": binary(t)},
		dockerd.ImageOptions{Entrypoint: []string{"/otelcol", "--config=env:CONFIG"}}))
	for _, includeSelf := range []bool{false, true} {
		t.Run(fmt.Sprintf("include_self=%t", includeSelf), func(t *testing.T) {
			out := t.TempDir()
			file := filepath.Join(out, "logs.json")
			collector, err := e.Run(t.Context(), dockerd.ContainerSpec{
				Image: image,
				Env:   map[string]string{"CONFIG": fmt.Sprintf(containerConfig, includeSelf)},
				Binds: []string{e.Socket() + ":/var/run/docker.sock", out + ":/out"},
			})
			require.NoError(t, err)
			o := loggen.Options{Source: fmt.Sprintf("writer-%t", includeSelf), Lines: 1_000}
			_, err = e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
			require.NoError(t, err)

			var lines loggen.Checker
			lines.Expect(o)
			seen := 0
			count := func() (of map[string]int) {
				of = make(map[string]int)
				eachRecord(t, file, func(resource pcommon.Map, record plog.LogRecord) {
					id, _ := resource.Get("container.id")
					name, _ := resource.Get("container.name")
					of[id.Str()]++
					if of[name.Str()]++; name.Str() == o.Source && of[name.Str()] > seen {
						seen++
						lines.Add(logstest.Body(record), false)
					}
				})
				return of
			}
			require.Eventually(t, func() bool {
				of := count()
				return of[o.Source] >= int(o.Lines) && (of[collector.ID] > 0 || !includeSelf)
			}, patience, 50*time.Millisecond)
			require.NoError(t, collector.Stop(t.Context(), 30*time.Second))
			code, err := collector.Wait(t.Context())
			require.NoError(t, err)
			assert.Zero(t, code)
			assert.Equal(t, includeSelf, count()[collector.ID] > 0, "the collector's own lines are there")
			require.NoError(t, lines.Err())
		})
	}
}
