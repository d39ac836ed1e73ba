// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const collectorImage = "otelcol-dockerlogs:test"

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
	e := engineWithCollector(t)
	for _, includeSelf := range []bool{false, true} {
		t.Run(fmt.Sprintf("include_self=%t", includeSelf), func(t *testing.T) {
			c := runContained(t, e, includeSelf, dockerd.ContainerSpec{})
			o := loggen.Options{Source: fmt.Sprintf("writer-%t", includeSelf), Lines: 1_000}
			_, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
			require.NoError(t, err)
			c.judge(t, o, includeSelf)
		})
	}
}

// TestContainerInANetworkOfAnother runs the distribution in a container that shares the
// network of another, in a control group namespace of its own: all that names a container
// there names the other, which must be captured.
func TestContainerInANetworkOfAnother(t *testing.T) {
	for name, test := range map[string]struct {
		engine       dockerd.Options
		recognisedBy string
	}{
		"overlay": {dockerd.Options{}, "its root file system"},
		"vfs":     {dockerd.Options{ExtraArgs: []string{"--storage-driver=vfs"}}, "what is mounted into it"},
		"images in containerd": {dockerd.Options{
			Version: "28.5", ExtraArgs: []string{"--feature=containerd-snapshotter=true", "--storage-driver=overlayfs"},
		}, "what is mounted into it"},
	} {
		t.Run(name, func(t *testing.T) {
			e := engineWithCollector(t, test.engine)
			o := loggen.Options{Source: "writer", Lines: 1_000, UntilSignal: true}
			writer, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
			require.NoError(t, err)
			c := runContained(t, e, false, dockerd.ContainerSpec{NetworkMode: "container:" + writer.Name, CgroupnsMode: "private"})
			c.judge(t, o, false)
			said := c.logs(t)
			assert.Contains(t, said, "this container is not captured, since the Collector runs in it")
			assert.Contains(t, said, fmt.Sprintf(`"container.name": %q, "recognised_by": %q`, c.container.Name, test.recognisedBy))
		})
	}
}

// engineWithCollector returns an engine that has the image of the line generator, and one
// of the distribution.
func engineWithCollector(t *testing.T, opts ...dockerd.Options) *dockerd.Engine {
	t.Helper()
	e := logstest.Engine(t, opts...)
	if !e.Private() {
		t.Skip("the engine's socket has to be on this host")
	}
	require.NoError(t, e.Import(t.Context(), collectorImage, map[string]string{"/otelcol": binary(t)},
		dockerd.ImageOptions{Entrypoint: []string{"/otelcol", "--config=env:CONFIG"}}))
	return e
}

// contained is the distribution in a container.
type contained struct {
	engine    *dockerd.Engine
	container *dockerd.Container
	file      string // of the records
}

// runContained completes the spec, and runs the distribution in such a container.
func runContained(t *testing.T, e *dockerd.Engine, includeSelf bool, spec dockerd.ContainerSpec) *contained {
	t.Helper()
	out := t.TempDir()
	spec.Image = collectorImage
	spec.Env = map[string]string{"CONFIG": fmt.Sprintf(containerConfig, includeSelf)}
	spec.Binds = []string{e.Socket() + ":/var/run/docker.sock", out + ":/out"}
	collector, err := e.Run(t.Context(), spec)
	require.NoError(t, err)
	return &contained{engine: e, container: collector, file: filepath.Join(out, "logs.json")}
}

// judge waits for the lines of o, stops the collector, and checks that each line came once,
// and the collector's own only with includeSelf.
func (c *contained) judge(t *testing.T, o loggen.Options, includeSelf bool) {
	t.Helper()
	var lines loggen.Checker
	lines.Expect(o)
	seen := 0
	count := func() (of map[string]int) {
		of = make(map[string]int)
		eachRecord(t, c.file, func(resource pcommon.Map, record plog.LogRecord) {
			of[logstest.Text(resource, "container.id")]++
			name := logstest.Text(resource, "container.name")
			if of[name]++; name == o.Source && of[name] > seen {
				seen++
				lines.Add(logstest.Body(record), false)
			}
		})
		return of
	}
	require.Eventually(t, func() bool {
		of := count()
		return of[o.Source] >= int(o.Lines) && (of[c.container.ID] > 0 || !includeSelf)
	}, patience, 50*time.Millisecond)
	require.NoError(t, c.container.Stop(t.Context(), 30*time.Second))
	code, err := c.container.Wait(t.Context())
	require.NoError(t, err)
	assert.Zero(t, code)
	assert.Equal(t, includeSelf, count()[c.container.ID] > 0, "the collector's own lines are there")
	require.NoError(t, lines.Err())
}

// logs returns what the distribution has logged.
func (c *contained) logs(t *testing.T) string {
	t.Helper()
	answer, err := c.engine.Client().ContainerLogs(t.Context(), c.container.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	require.NoError(t, err)
	defer func() { _ = answer.Close() }()
	var text bytes.Buffer
	_, err = stdcopy.StdCopy(&text, &text, answer)
	require.NoError(t, err)
	return text.String()
}
