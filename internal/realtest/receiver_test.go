// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadatatest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// The tests of the files real_*_test.go run the receiver against a real engine, a
// private one where they stop or restart it. See package dockerd for where it comes
// from; without one they are skipped.

const (
	loggenImage = "loggen:test"
	// realPatience is how long a test waits for what is bound to happen.
	realPatience = 2 * time.Minute
)

// realEngine starts an engine that has the image of the line generator.
func realEngine(t testing.TB) *dockerd.Engine {
	t.Helper()
	e := dockerd.Require(t)
	files := map[string]string{"/loggen": dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/cmd/loggen")}
	require.NoError(t, e.Import(t.Context(), loggenImage, files, dockerd.ImageOptions{Entrypoint: []string{"/loggen"}}))
	return e
}

// runLoggen runs a container that writes the lines of o. Its name is the lines' source.
func runLoggen(t testing.TB, e *dockerd.Engine, o loggen.Options, spec dockerd.ContainerSpec) *dockerd.Container {
	t.Helper()
	c, err := e.Run(t.Context(), loggenSpec(o, spec))
	require.NoError(t, err)
	return c
}

func loggenSpec(o loggen.Options, spec dockerd.ContainerSpec) dockerd.ContainerSpec {
	spec.Name, spec.Image = o.Source, loggenImage
	spec.Cmd = append(o.Args(), spec.Cmd...)
	return spec
}

// reported makes the line generator leave its report in a file, which the function
// returned reads once the container has ended.
func reported(t testing.TB, spec *dockerd.ContainerSpec) func() loggen.Report {
	dir := t.TempDir()
	spec.Binds = append(spec.Binds, dir+":/report")
	spec.Cmd = append(spec.Cmd, "--report=/report/json")
	return func() (report loggen.Report) {
		text, err := os.ReadFile(filepath.Join(dir, "json"))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &report))
		return report
	}
}

// realReceiver is a receiver at work, and what it has delivered.
type realReceiver struct {
	realSink
	*dockerLogs
	telemetry *componenttest.Telemetry
	warnings  *observer.ObservedLogs
	stop      func() // Shutdown, once
}

// startReal starts a receiver that is stopped when the test ends, if not before.
func startReal(t testing.TB, endpoint string, configure func(*Config)) *realReceiver {
	t.Helper()
	return startRealWith(t, endpoint, configure, nil)
}

// startRealWith delivers to a consumer of the test's own.
func startRealWith(t testing.TB, endpoint string, configure func(*Config), next consumer.Logs) *realReceiver {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = endpoint
	if configure != nil {
		configure(cfg)
	}
	require.NoError(t, cfg.Validate())
	r := &realReceiver{realSink: newRealSink(), telemetry: componenttest.NewTelemetry()}
	var err error
	set := metadatatest.NewSettings(r.telemetry)
	warnings, observed := observer.New(zap.WarnLevel)
	r.warnings = observed
	set.Logger = zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel), zaptest.WrapOptions(zap.WrapCore(
		func(core zapcore.Core) zapcore.Core { return zapcore.NewTee(core, warnings) })))
	if next == nil {
		next = &r.realSink
	}
	r.dockerLogs, err = newDockerLogs(set, cfg, next)
	require.NoError(t, err)
	r.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), realPatience)
		defer cancel()
		require.NoError(t, r.Shutdown(ctx))
	})
	t.Cleanup(func() {
		r.stop()
		require.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	return r
}

// metric sums the data points of a counter that have all the attributes given, as
// name=value.
func (r *realReceiver) metric(name string, attributes ...string) (sum int64) {
	m, err := r.telemetry.GetMetric("otelcol_docker_logs_" + name)
	if err != nil {
		return 0 // nothing has been counted yet
	}
points:
	for _, point := range m.Data.(metricdata.Sum[int64]).DataPoints {
		for _, want := range attributes {
			key, value, _ := strings.Cut(want, "=")
			if have, _ := point.Attributes.Value(attribute.Key(key)); have.AsString() != value {
				continue points
			}
		}
		sum += point.Value
	}
	return sum
}

// following waits until n containers are followed.
func (r *realReceiver) following(t testing.TB, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d containers are followed", n), func() bool {
		return r.metric("captures", "state=following") == int64(n)
	})
}

// drained waits until every container has ended and been read to its end.
func (r *realReceiver) drained(t testing.TB, containers ...*dockerd.Container) {
	t.Helper()
	for _, c := range containers {
		_, err := c.Wait(t.Context())
		require.NoError(t, err)
	}
	eventually(t, "all logs are read", func() bool { return r.metric("captures") == 0 })
}

// realSink is the pipeline: it checks every line and keeps none.
type realSink struct {
	lines, tty *loggen.Checker // of containers without and with a terminal; those are named tty-*
	delivered  chan struct{}   // has a value when something has been delivered since it was last taken

	mu         sync.Mutex
	records    map[string]int // by container name
	total      int
	deliveries int
	uids       map[string]struct{}
	sameUID    int
}

var _ consumer.Logs = (*realSink)(nil)

func newRealSink() realSink {
	return realSink{
		lines: &loggen.Checker{}, tty: &loggen.Checker{TTY: true}, delivered: make(chan struct{}, 1),
		records: make(map[string]int), uids: make(map[string]struct{}),
	}
}

func (*realSink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *realSink) ConsumeLogs(_ context.Context, data plog.Logs) error {
	for _, from := range data.ResourceLogs().All() {
		nameValue, _ := from.Resource().Attributes().Get("container.name")
		name := nameValue.Str()
		checker := s.checker(name)
		for _, scope := range from.ScopeLogs().All() {
			for _, record := range scope.LogRecords().All() {
				stream, _ := record.Attributes().Get(attributeStream)
				checker.Add(bodyBytes(record), stream.Str() == "stderr")
				s.note(name, record)
			}
		}
	}
	s.mu.Lock()
	s.deliveries++
	s.mu.Unlock()
	select {
	case s.delivered <- struct{}{}:
	default:
	}
	return nil
}

func (s *realSink) note(name string, record plog.LogRecord) {
	uid, _ := record.Attributes().Get(attributeUID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total++
	s.records[name]++
	if _, have := s.uids[uid.Str()]; have {
		s.sameUID++
	}
	s.uids[uid.Str()] = struct{}{}
}

func (s *realSink) checker(name string) *loggen.Checker {
	if strings.HasPrefix(name, "tty-") {
		return s.tty
	}
	return s.lines
}

// count is how many records have come from containers of that name; of all, if it
// is empty.
func (s *realSink) count(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		return s.total
	}
	return s.records[name]
}

// expect announces the lines of a container.
func (s *realSink) expect(o loggen.Options) { s.checker(o.Source).Expect(o) }

// arrived waits until n records have come from a container, or from all.
func (s *realSink) arrived(t testing.TB, name string, n int) {
	t.Helper()
	deadline := time.NewTimer(realPatience)
	defer deadline.Stop()
	for s.count(name) < n {
		select {
		case <-s.delivered:
		case <-deadline.C:
			t.Fatalf("%d records of %q in %v, want %d: %v", s.count(name), name, realPatience, n, s.lines.Err())
		}
	}
}

// exact asserts that every line arrived once, byte for byte.
func (s *realSink) exact(t testing.TB) {
	t.Helper()
	require.NoError(t, s.lines.Err())
	require.NoError(t, s.tty.Err())
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Zero(t, s.sameUID, "records that share a log.record.uid")
}

func bodyBytes(record plog.LogRecord) []byte {
	if body := record.Body(); body.Type() == pcommon.ValueTypeBytes {
		return body.Bytes().AsRaw()
	}
	return []byte(record.Body().Str())
}

// eventually waits for a condition that gives no event.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(realPatience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %v", what, realPatience)
		}
	}
}

// readHeld checks the lines that the engine holds of a container that has ended.
func readHeld(t testing.TB, e *dockerd.Engine, c *dockerd.Container) *loggen.Checker {
	t.Helper()
	body, err := e.Client().ContainerLogs(t.Context(), c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true})
	require.NoError(t, err)
	defer func() { _ = body.Close() }()
	var held loggen.Checker
	records := stream.NewReader(readBuffer)
	records.Reset(body, false, 1<<20)
	for {
		record, err := records.Next()
		if err == io.EOF {
			return &held
		}
		require.NoError(t, err)
		held.Add(record.Body, record.Kind == stream.Stderr)
	}
}
