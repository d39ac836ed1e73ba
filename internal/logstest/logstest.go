// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logstest

import (
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// Strategies are the names of all strategies, as a user types them.
var Strategies = []string{"streaming", "short_lived", "polling", "hybrid", "adaptive", "file"}

// Patience is how long a test waits, in real time, for what is bound to happen.
const Patience = 2 * time.Minute

// LoggenImage is the image of the line generator that Engine makes.
const LoggenImage = "loggen:test"

// Engine returns a real engine that has LoggenImage. See [dockerd.Require] for where the
// engine comes from, and for when the test is skipped; opts, one at most, are for it.
func Engine(t testing.TB, opts ...dockerd.Options) *dockerd.Engine {
	t.Helper()
	e := dockerd.Require(t, opts...)
	files := map[string]string{"/loggen": dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/cmd/loggen")}
	require.NoError(t, e.Import(t.Context(), LoggenImage, files, dockerd.ImageOptions{Entrypoint: []string{"/loggen"}}))
	return e
}

// Loggen completes spec to a container that writes the lines of o, with further arguments
// in spec.Cmd. The container is named like the source of the lines.
func Loggen(o loggen.Options, spec dockerd.ContainerSpec) dockerd.ContainerSpec {
	spec.Name, spec.Image = o.Source, LoggenImage
	spec.Cmd = append(o.Args(), spec.Cmd...)
	return spec
}

// Eventually waits, in real time, for a condition that announces itself by no event.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %v", what, Patience)
		}
	}
}

// Body returns the bytes of a record's body, whether it is a string or not.
func Body(record plog.LogRecord) []byte {
	if body := record.Body(); body.Type() == pcommon.ValueTypeBytes {
		return body.Bytes().AsRaw()
	}
	return []byte(record.Body().Str())
}

// Text returns the value of a string attribute; an attribute that is missing is empty.
func Text(attributes pcommon.Map, key string) string {
	value, _ := attributes.Get(key)
	return value.Str()
}

// Records iterates over all records, each with the attributes of its resource.
func Records(data plog.Logs) iter.Seq2[pcommon.Map, plog.LogRecord] {
	return func(yield func(pcommon.Map, plog.LogRecord) bool) {
		for _, from := range data.ResourceLogs().All() {
			for _, scope := range from.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					if !yield(from.Resource().Attributes(), record) {
						return
					}
				}
			}
		}
	}
}

// Points returns the data points of one of the receiver's sums, none before it is first
// recorded.
func Points(telemetry *componenttest.Telemetry, name string) []metricdata.DataPoint[int64] {
	metric, err := telemetry.GetMetric("otelcol_docker_logs_" + name)
	if err != nil {
		return nil
	}
	return metric.Data.(metricdata.Sum[int64]).DataPoints
}

// Sum adds up the data points of one of the receiver's sums that have all the attributes,
// each given as key=value or as its value alone.
func Sum(telemetry *componenttest.Telemetry, name string, attributes ...string) (sum int64) {
points:
	for _, point := range Points(telemetry, name) {
		have := make(map[string]bool)
		for _, attribute := range point.Attributes.ToSlice() {
			value := attribute.Value.String()
			have[value], have[string(attribute.Key)+"="+value] = true, true
		}
		for _, want := range attributes {
			if !have[want] {
				continue points
			}
		}
		sum += point.Value
	}
	return sum
}
