// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/metadatatest"
)

func TestMetrics(t *testing.T) {
	life := new(processHistory)
	life.addRestart(restart{At: time.Now(), Reason: "earlier"}, 0)
	h := newHealth(t, life, func(cfg *Config) { local(cfg); cfg.LeakInterval = cfg.CollectionInterval })
	h.fake.containers = 10
	h.fake.above[readLoop] = 2500
	h.fake.proven = map[census.Origin]int{readLoop: 7}
	h.start(t)
	require.Eventually(t, func() bool {
		f := h.latest.Load()
		return f.finding.Level == 2 && f.leaked != nil
	}, 5*time.Second, 5*time.Millisecond)

	ignore := metricdatatest.IgnoreTimestamp()
	component := func(name string) attribute.KeyValue { return attribute.String("component", name) }
	state := func(s census.State) attribute.KeyValue { return attribute.String("state", string(s)) }
	metadatatest.AssertEqualGoroutineHealthGoroutines(t, h.tel, []metricdata.DataPoint[int64]{
		{Value: 30, Attributes: attribute.NewSet(component("docker_logs"), state(census.IO))},
		{Value: 2500, Attributes: attribute.NewSet(component("docker_logs"), state(census.Select))},
		{Value: 40, Attributes: attribute.NewSet(component("exporterhelper"), state(census.Select))},
	}, ignore)
	metadatatest.AssertEqualGoroutineHealthExcess(t, h.tel, []metricdata.DataPoint[int64]{{Value: 2540}}, ignore)
	metadatatest.AssertEqualGoroutineHealthVerdict(t, h.tel, []metricdata.DataPoint[int64]{{Value: 2}}, ignore)
	metadatatest.AssertEqualGoroutineHealthRestarts(t, h.tel, []metricdata.DataPoint[int64]{{Value: 1}}, ignore)
	metadatatest.AssertEqualGoroutineHealthGrowth(t, h.tel, []metricdata.DataPoint[float64]{{Value: 0}}, ignore)
	metadatatest.AssertEqualGoroutineHealthLeaked(t, h.tel, []metricdata.DataPoint[int64]{
		{Value: 7, Attributes: attribute.NewSet(component("docker_logs"))},
	}, ignore)
	duration, err := h.tel.GetMetric("otelcol_goroutine_health_census_duration")
	require.NoError(t, err)
	assert.Positive(t, duration.Data.(metricdata.Histogram[float64]).DataPoints[0].Count)
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestComponentsInMetricsAreBounded(t *testing.T) {
	components := map[string]map[census.State]int{}
	total := 0
	for i := range 300 {
		components[fmt.Sprintf("c%d", i)] = map[census.State]int{census.IO: i}
		total += i
	}
	got := limitComponents(components)
	assert.Len(t, got, maxComponents)
	n := 0
	for _, states := range got {
		n += sum(states)
	}
	assert.Equal(t, total, n)
	assert.Equal(t, 299, sum(got["c299"]))
}
