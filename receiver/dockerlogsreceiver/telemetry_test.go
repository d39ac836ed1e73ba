// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.yaml.in/yaml/v3"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadatatest"
)

func point(value int64, attributes ...string) metricdata.DataPoint[int64] {
	var list []attribute.KeyValue
	for i := 0; i < len(attributes); i += 2 {
		list = append(list, attribute.String(attributes[i], attributes[i+1]))
	}
	return metricdata.DataPoint[int64]{Attributes: attribute.NewSet(list...), Value: value}
}

func points(list ...metricdata.DataPoint[int64]) []metricdata.DataPoint[int64] { return list }

func TestMetrics(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.MaxLogSize = minLogSize
		c := f.followed()
		f.engine.Add(enginetest.ContainerSpec{Name: "unreadable", Running: true, Driver: "none"})
		c.Write(stdout, "12345\n"+strings.Repeat("x", 2*minLogSize)+"\n")
		c.Write(stderr, "123\n")
		f.eventually("three lines", func() bool { return len(f.sink.Bodies()) == 3 })
		c.CutFollows()
		f.following(0)
		f.following(1)
		f.sink.Refuse(consumererror.NewPermanent(errRefused))
		c.Write(stdout, "12\n")
		f.settle()

		ignore := metricdatatest.IgnoreTimestamp()
		metadatatest.AssertEqualDockerLogsBytes(t, f.tel, points(point(7+minLogSize, "stream", "stdout"), point(3, "stream", "stderr")), ignore)
		metadatatest.AssertEqualDockerLogsRecords(t, f.tel, points(point(3, "stream", "stdout"), point(1, "stream", "stderr")), ignore)
		metadatatest.AssertEqualDockerLogsTruncatedLines(t, f.tel, points(point(1)), ignore)
		metadatatest.AssertEqualDockerLogsDroppedRecords(t, f.tel,
			points(point(1, "reason", "permanent"), point(0, "reason", "retries_exhausted")), ignore)
		metadatatest.AssertEqualDockerLogsDuplicatesSuppressed(t, f.tel, points(point(9, "reason", "overlap"), point(0, "reason", "repeat")), ignore)
		metadatatest.AssertEqualDockerLogsEngineUp(t, f.tel, points(point(1, "receiver", f.r.set.ID.String())), ignore)
		metadatatest.AssertEqualDockerLogsRefusedRecords(t, f.tel, points(point(0)), ignore)
		for name, reason := range map[string]string{"reopens": "cut", "gaps": "unreadable"} {
			assert.EqualValues(t, 1, f.metric(name, reason), name)
			assert.EqualValues(t, 1, f.metric(name), name)
		}
		assert.EqualValues(t, 1, f.metric("captures", "streaming", "following"))
		assert.EqualValues(t, 1, f.metric("captures", "streaming", "unreadable"))
		assert.EqualValues(t, 2, f.metric("captures"))
		for _, kind := range []string{"ping", "version", "info", "list", "inspect", "logs", "events"} {
			assert.EqualValues(t, f.requests(enginetest.Kind(kind)), f.metric("engine_requests", kind), kind)
		}
		assert.EqualValues(t, 1, f.metric("engine_requests", "logs", "not_implemented"))

		latency, err := f.tel.GetMetric("otelcol_docker_logs_capture_latency")
		require.NoError(t, err)
		got := latency.Data.(metricdata.Histogram[float64]).DataPoints
		require.Len(t, got, 1)
		assert.LessOrEqual(t, got[0].Count, uint64(3), "batches")
		assert.LessOrEqual(t, got[0].Sum, float64(got[0].Count)*f.cfg.Batch.FlushTimeout.Seconds())
	})
}

func TestCaptureStates(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		f.start()
		assert.EqualValues(t, 1, f.metric("captures", "following"))
		f.engine.SetLatency(func(req enginetest.Request) time.Duration {
			if req.Kind == enginetest.KindLogs {
				return time.Minute
			}
			return 0
		})
		c.CutFollows()
		f.settle()
		assert.EqualValues(t, 1, f.metric("captures", "waiting"))
		f.pass(2 * time.Second)
		assert.EqualValues(t, 1, f.metric("captures", "reading"))
		assert.Zero(t, f.metric("captures", "waiting"))
		c.Remove()
		f.pass(5 * time.Minute)
		assert.Zero(t, f.metric("captures"))
	})
}

func TestLatencyOfAHeldBatch(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.sink.Hold(false)
		write(c, 1, 1)
		f.pass(10 * time.Second)
		f.sink.Open()
		f.expectLines(1, 1)
		latency, err := f.tel.GetMetric("otelcol_docker_logs_capture_latency")
		require.NoError(t, err)
		assert.InDelta(t, 10, latency.Data.(metricdata.Histogram[float64]).DataPoints[0].Sum, 0.01)
	})
}

// The latency of a call is that of its oldest record, wherever that stands, and a clock of
// the engine that is ahead makes none that is negative.
func TestLatencyIsOfTheOldestRecord(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		latency := func() float64 {
			got, err := f.tel.GetMetric("otelcol_docker_logs_capture_latency")
			require.NoError(t, err)
			return got.Data.(metricdata.Histogram[float64]).DataPoints[0].Sum
		}
		f.pass(10 * time.Second)
		f.sink.Hold(false)
		write(c, 1, 1)
		f.settle()
		c.WriteAt(time.Now().Add(time.Hour), stdout, "line 2\n")
		f.sink.Open()
		f.expectLines(1, 2)
		assert.InDelta(t, 0, latency(), 0.3)
		assert.GreaterOrEqual(t, latency(), 0.0)
		before := latency()
		other := f.container("other")
		f.following(2)
		f.pass(time.Second)
		now := time.Now()
		f.sink.Hold(false)
		c.WriteAt(now, stdout, "line 3\n")
		f.settle()
		c.WriteAt(now, stdout, "line 4\n") // in the next call, before
		f.settle()
		other.WriteAt(now.Add(-5*time.Second), stderr, "line 5\n")
		f.settle()
		f.sink.Open()
		f.eventually("all", func() bool { return f.sink.Count("") == 5 })
		assert.InDelta(t, 5, latency()-before, 0.5)
	})
}

// What has never happened is reported as 0, for every reason that metadata.yaml has.
func TestCountersBeginAtZero(t *testing.T) {
	var metadata struct {
		Attributes map[string]struct {
			Enum []string
		}
		Telemetry struct {
			Metrics map[string]struct {
				Sum        *struct{ Monotonic bool }
				Attributes []string
			}
		}
	}
	text, err := os.ReadFile("metadata.yaml")
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &metadata))
	inBubble(t, func(f *fixture) {
		f.start()
		for name, metric := range metadata.Telemetry.Metrics {
			name = strings.TrimPrefix(name, "docker_logs_")
			if metric.Sum == nil || !metric.Sum.Monotonic || name == "engine_requests" { // which begin with the first request
				continue
			}
			want := 1
			for _, key := range metric.Attributes { // a change's reason tells to what it is
				want = max(want, len(metadata.Attributes[key].Enum))
				for _, value := range metadata.Attributes[key].Enum {
					assert.Zero(t, f.metric(name, value), name)
					assert.True(t, slices.ContainsFunc(logstest.Points(f.tel, name), func(p metricdata.DataPoint[int64]) bool {
						return slices.ContainsFunc(p.Attributes.ToSlice(), func(kv attribute.KeyValue) bool { return kv.Value.AsString() == value })
					}), "%s %s", name, value)
				}
			}
			assert.Len(t, logstest.Points(f.tel, name), want, name)
		}
	})
}

func TestEngineUp(t *testing.T) {
	inBubble(t, func(f *fixture) {
		up := func() int64 {
			got, err := f.tel.GetMetric("otelcol_docker_logs_engine_up")
			require.NoError(t, err)
			return got.Data.(metricdata.Gauge[int64]).DataPoints[0].Value
		}
		f.engine.Down()
		f.start()
		assert.Zero(t, up(), "not reached yet")
		f.engine.Up()
		f.eventually("the engine", func() bool { return up() == 1 })
		f.engine.CutEvents()
		f.pass(time.Minute)
		assert.EqualValues(t, 1, up(), "a subscription that is renewed at once is no outage")
		f.engine.Down()
		f.eventually("its absence", func() bool { return up() == 0 })
		f.engine.Up()
		f.eventually("the engine again", func() bool { return up() == 1 })
	})
}

func TestRefusedRecords(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.sink.Refuse(errRefused)
		write(c, 1, 3)
		f.pass(time.Minute)
		assert.Greater(t, f.sink.Refused(), 3, "offered again")
		assert.EqualValues(t, f.sink.Refused(), f.metric("refused_records"), "at each attempt, while the batch is still on offer")
		assert.Zero(t, f.metric("dropped_records"))
		f.sink.Refuse(nil)
		f.expectLines(1, 3)
		write(c, 4, 6)
		f.expectLines(1, 6)
		assert.EqualValues(t, f.sink.Refused(), f.metric("refused_records"))
	})
}
