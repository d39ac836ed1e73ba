// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logstest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

func TestSum(t *testing.T) {
	telemetry := componenttest.NewTelemetry()
	defer func() { assert.NoError(t, telemetry.Shutdown(context.Background())) }()
	assert.Zero(t, Sum(telemetry, "requests"), "not recorded yet")
	counter, err := telemetry.NewTelemetrySettings().MeterProvider.Meter("test").Int64Counter("otelcol_docker_logs_requests")
	require.NoError(t, err)
	add := func(n int64, endpoint, outcome string) {
		counter.Add(t.Context(), n, metric.WithAttributes(attribute.String("endpoint", endpoint), attribute.String("outcome", outcome)))
	}
	add(1, "logs", "ok")
	add(2, "logs", "failed")
	add(4, "info", "ok")
	assert.EqualValues(t, 7, Sum(telemetry, "requests"))
	assert.EqualValues(t, 3, Sum(telemetry, "requests", "endpoint=logs"))
	assert.EqualValues(t, 5, Sum(telemetry, "requests", "ok"))
	assert.EqualValues(t, 1, Sum(telemetry, "requests", "outcome=ok", "logs"))
	assert.Zero(t, Sum(telemetry, "requests", "endpoint=ok"))
	assert.Len(t, Points(telemetry, "requests"), 3)
}
