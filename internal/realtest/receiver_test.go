// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// minInterval is the shortest interval that the configuration allows.
const minInterval = 100 * time.Millisecond

// strategies are all that there are.
var strategies = func() (all []dockerlogsreceiver.Strategy) {
	for _, name := range logstest.Strategies {
		all = append(all, dockerlogsreceiver.Strategy(name))
	}
	return all
}()

// receiver is a receiver at work, and what it has delivered.
type receiver struct {
	*ledger   // that it delivers to; nil if the pipeline is another one
	telemetry *componenttest.Telemetry
	warnings  *observer.ObservedLogs
	stop      func() // Shutdown, once
}

// start starts a receiver that is stopped when the test ends, if not before.
func start(t testing.TB, endpoint string, configure func(*dockerlogsreceiver.Config)) *receiver {
	t.Helper()
	return startWith(t, endpoint, configure, newLedger())
}

// startWith delivers to a pipeline of the test's own.
func startWith(t testing.TB, endpoint string, configure func(*dockerlogsreceiver.Config), next consumer.Logs) *receiver {
	t.Helper()
	return startOn(t, componenttest.NewNopHost(), endpoint, configure, next)
}

// startStored keeps positions in a storage.
func startStored(t testing.TB, storage *memory, endpoint string, configure func(*dockerlogsreceiver.Config)) *receiver {
	t.Helper()
	return startOn(t, storage, endpoint, func(cfg *dockerlogsreceiver.Config) {
		cfg.Storage = &memoryID
		configure(cfg)
	}, newLedger())
}

func startOn(t testing.TB, host component.Host, endpoint string, configure func(*dockerlogsreceiver.Config), next consumer.Logs) *receiver {
	t.Helper()
	factory := dockerlogsreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig().(*dockerlogsreceiver.Config)
	cfg.Endpoint = endpoint
	if configure != nil {
		configure(cfg)
	}
	if cfg.Strategy == dockerlogsreceiver.StrategyAdaptive && cfg.File.Root == "" {
		cfg.File.Root = t.TempDir() // no files there: as on a host where it has nothing but the socket
	}
	require.NoError(t, cfg.Validate())
	r := &receiver{telemetry: componenttest.NewTelemetry()}
	r.ledger, _ = next.(*ledger)
	set := receivertest.NewNopSettings(factory.Type())
	set.TelemetrySettings = r.telemetry.NewTelemetrySettings()
	warnings, observed := observer.New(zap.WarnLevel)
	r.warnings = observed
	set.Logger = zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel), zaptest.WrapOptions(zap.WrapCore(
		func(core zapcore.Core) zapcore.Core { return zapcore.NewTee(core, warnings) })))
	made, err := factory.CreateLogs(t.Context(), set, cfg, next)
	require.NoError(t, err)
	r.stop = sync.OnceFunc(func() {
		ctx, cancel := context.WithTimeout(context.Background(), logstest.Patience)
		defer cancel()
		require.NoError(t, made.Shutdown(ctx))
	})
	t.Cleanup(func() {
		if t.Failed() {
			for _, name := range []string{"captures", "records", "reopens", "duplicates_suppressed", "engine_requests", "gaps"} {
				for _, point := range logstest.Points(r.telemetry, name) {
					if point.Value != 0 {
						t.Logf("%s: %s %v: %d", cfg.Strategy, name, point.Attributes.ToSlice(), point.Value)
					}
				}
			}
		}
		r.stop()
		require.NoError(t, r.telemetry.Shutdown(context.Background()))
	})
	require.NoError(t, made.Start(t.Context(), host))
	return r
}

// metric adds up the data points of a sum that have all the attributes, name=value.
func (r *receiver) metric(name string, attributes ...string) int64 {
	return logstest.Sum(r.telemetry, name, attributes...)
}

// following waits until n containers are followed.
func (r *receiver) following(t testing.TB, n int) {
	t.Helper()
	logstest.Eventually(t, fmt.Sprintf("%d containers are followed", n), func() bool {
		return r.metric("captures", "state=following") == int64(n)
	})
}

// drained waits until every container has ended and been read to its end.
func (r *receiver) drained(t testing.TB, containers ...*dockerd.Container) {
	t.Helper()
	for _, c := range containers {
		_, err := c.Wait(t.Context())
		require.NoError(t, err)
	}
	logstest.Eventually(t, "all logs are read and delivered", func() bool {
		return r.metric("captures") == 0 && r.metric("buffered_bytes") == 0
	})
}

// runLoggen runs a container that writes the lines of o. Its name is the lines' source.
func runLoggen(t testing.TB, e *dockerd.Engine, o loggen.Options, spec dockerd.ContainerSpec) *dockerd.Container {
	t.Helper()
	c, err := e.Run(t.Context(), logstest.Loggen(o, spec))
	require.NoError(t, err)
	return c
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

// measuring skips what takes long and proves nothing.
func measuring(t testing.TB) {
	t.Helper()
	if os.Getenv("DOCKERLOGS_MEASURE") != "1" {
		t.Skip("measures the engine or the machine: set DOCKERLOGS_MEASURE=1")
	}
}
