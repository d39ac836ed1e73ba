// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/careless"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// None is the strategy that reads nothing: what the engine and the generator take by themselves.
const None = "none"

// Ours are the strategies of the receiver.
var Ours = []string{
	string(dockerlogsreceiver.StrategyStreaming), string(dockerlogsreceiver.StrategyShortLived), string(dockerlogsreceiver.StrategyPolling),
	string(dockerlogsreceiver.StrategyHybrid), string(dockerlogsreceiver.StrategyAdaptive),
}

func newReader(job Job, sink *sink) (reader, error) {
	switch {
	case job.Strategy == None:
		return nobody{}, nil
	case slices.Contains(Ours, job.Strategy):
		return newOurs(job, sink)
	default:
		return newCareless(job, sink)
	}
}

// nobody reads nothing.
type nobody struct{}

func (nobody) start() error               { return nil }
func (nobody) stop(context.Context) error { return nil }
func (nobody) counts() counts             { return counts{} }

// ours is the receiver, made by its public factory and configured as a user would.
type ours struct {
	receiver  receiver.Logs
	telemetry *sdkmetric.ManualReader
}

func newOurs(job Job, sink *sink) (*ours, error) {
	factory := dockerlogsreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig().(*dockerlogsreceiver.Config)
	cfg.Endpoint = job.Endpoint
	cfg.StartAt = dockerlogsreceiver.StartAtBeginning
	cfg.Strategy = dockerlogsreceiver.Strategy(job.Strategy)
	cfg.ShortLived.Lifetime = job.Lifetime
	if job.MaxStreams > 0 {
		cfg.Adaptive.MaxStreams = job.MaxStreams
	}
	for _, source := range job.Sources { // an engine that was named to us may have other containers
		cfg.Include = append(cfg.Include, dockerlogsreceiver.Match{Name: source.Lines.Source})
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	telemetry := sdkmetric.NewManualReader()
	logger, err := zap.Config{
		Level: zap.NewAtomicLevelAt(zap.WarnLevel), Encoding: "console", EncoderConfig: zap.NewDevelopmentEncoderConfig(),
		OutputPaths: []string{"stderr"}, ErrorOutputPaths: []string{"stderr"},
	}.Build()
	if err != nil {
		return nil, fmt.Errorf("make a logger: %w", err)
	}
	r, err := factory.CreateLogs(context.Background(), receiver.Settings{
		ID: component.NewID(factory.Type()),
		TelemetrySettings: component.TelemetrySettings{
			Logger: logger, TracerProvider: noop.NewTracerProvider(),
			MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(telemetry)), Resource: pcommon.NewResource(),
		},
	}, cfg, sink)
	if err != nil {
		return nil, fmt.Errorf("make the receiver: %w", err)
	}
	return &ours{receiver: r, telemetry: telemetry}, nil
}

// host is a Collector without extensions.
type host struct{}

func (host) GetExtensions() map[component.ID]component.Component { return nil }

func (o *ours) start() error                   { return o.receiver.Start(context.Background(), host{}) }
func (o *ours) stop(ctx context.Context) error { return o.receiver.Shutdown(ctx) }

func (o *ours) counts() counts {
	var metrics metricdata.ResourceMetrics
	if err := o.telemetry.Collect(context.Background(), &metrics); err != nil {
		return counts{requests: -1, gaps: -1, suppressed: -1}
	}
	sum := func(name, key, value string) (total int64) {
		for _, scope := range metrics.ScopeMetrics {
			for _, metric := range scope.Metrics {
				data, isSum := metric.Data.(metricdata.Sum[int64])
				if metric.Name != "otelcol_docker_logs_"+name || !isSum {
					continue
				}
				for _, point := range data.DataPoints {
					if have, _ := point.Attributes.Value(attribute.Key(key)); key == "" || have.AsString() == value {
						total += point.Value
					}
				}
			}
		}
		return total
	}
	return counts{
		requests: sum("engine_requests", "", ""), gaps: sum("gaps", "", ""),
		suppressed: sum("duplicates_suppressed", "reason", "repeat"),
	}
}

// clumsy adapts a careless client.
type clumsy struct {
	*careless.Client
}

func newCareless(job Job, sink *sink) (*clumsy, error) {
	ids := make([]string, len(job.Sources))
	for i, source := range job.Sources {
		ids[i] = source.ID
	}
	c, err := careless.New(job.Strategy, careless.Config{
		Endpoint: job.Endpoint, Containers: ids, Lifetime: job.Lifetime, Deliver: sink.line,
	})
	return &clumsy{c}, err
}

func (c *clumsy) start() error                   { c.Start(); return nil }
func (c *clumsy) stop(ctx context.Context) error { return c.Stop(ctx) }
func (c *clumsy) counts() counts                 { return counts{requests: c.Requests()} }
