// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/trace/noop"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// None names the reader that reads nothing: what engine and generator cost by themselves.
const None = "none"

// ReceiverStrategies lists the strategies of the receiver.
var ReceiverStrategies = []string{"streaming", "short_lived", "polling", "hybrid", "adaptive", "file"}

func newReader(job Job, sink *sink) (reader, error) {
	switch {
	case job.Strategy == None:
		return noReader{}, nil
	case slices.Contains(ReceiverStrategies, job.Strategy):
		return newReceiverReader(job, sink)
	case job.Strategy == FileLog:
		return newFileLogReader(job, sink)
	default:
		return newNaiveReader(job, sink)
	}
}

type noReader struct{}

func (noReader) start() error               { return nil }
func (noReader) stop(context.Context) error { return nil }
func (noReader) counts() counts             { return counts{} }

// receiverReader is the receiver, made by its public factory and configured as a user would.
type receiverReader struct {
	receiver  receiver.Logs
	telemetry *sdkmetric.ManualReader
}

func newReceiverReader(job Job, sink *sink) (*receiverReader, error) {
	factory := dockerlogsreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	if err := configure(cfg, job); err != nil {
		return nil, fmt.Errorf("configure the receiver: %w", err)
	}
	telemetry := sdkmetric.NewManualReader()
	r, err := create(factory, cfg, telemetry, sink)
	return &receiverReader{receiver: r, telemetry: telemetry}, err
}

// create makes a receiver whose warnings go to stderr.
func create(factory receiver.Factory, cfg component.Config, telemetry sdkmetric.Reader, next consumer.Logs) (receiver.Logs, error) {
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
	}, cfg, next)
	if err != nil {
		return nil, fmt.Errorf("make the receiver: %w", err)
	}
	return r, nil
}

// configure fills in the receiver's configuration as a Collector does, by the keys of its
// YAML. What the job adds replaces the laboratory's lifetime and budget, but not what makes
// the cell: engine, strategy and containers.
func configure(cfg component.Config, job Job) error {
	conf := confmap.NewFromStringMap(map[string]any{"short_lived": map[string]any{"lifetime": job.Lifetime}})
	include := make([]any, len(job.Sources)) // an engine that is not private may have other containers
	for i, source := range job.Sources {
		include[i] = map[string]any{"name": source.Lines.Source}
	}
	budget := map[string]any{}
	if job.MaxStreams > 0 {
		budget["adaptive"] = map[string]any{"max_streams": job.MaxStreams}
	}
	for _, part := range []map[string]any{
		budget, job.Receiver,
		{"endpoint": job.Endpoint, "start_at": "beginning", "strategy": job.Strategy, "include": include},
	} {
		if err := conf.Merge(confmap.NewFromStringMap(part)); err != nil {
			return err
		}
	}
	if err := conf.Unmarshal(cfg); err != nil {
		return err
	}
	return confmap.Validate(cfg)
}

// host is a Collector without extensions.
type host struct{}

func (host) GetExtensions() map[component.ID]component.Component { return nil }

func (r *receiverReader) start() error {
	return r.receiver.Start(context.Background(), host{})
}
func (r *receiverReader) stop(ctx context.Context) error { return r.receiver.Shutdown(ctx) }

func (r *receiverReader) counts() counts {
	var metrics metricdata.ResourceMetrics
	if err := r.telemetry.Collect(context.Background(), &metrics); err != nil {
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

// naiveReader adapts a naive client.
type naiveReader struct {
	*naive.Client
}

func newNaiveReader(job Job, sink *sink) (*naiveReader, error) {
	ids := make([]string, len(job.Sources))
	for i, source := range job.Sources {
		ids[i] = source.ID
	}
	c, err := naive.New(job.Strategy, naive.Config{
		Endpoint: job.Endpoint, Containers: ids, Lifetime: job.Lifetime, Deliver: sink.line,
	})
	return &naiveReader{c}, err
}

func (n *naiveReader) start() error                   { n.Start(); return nil }
func (n *naiveReader) stop(ctx context.Context) error { return n.Stop(ctx) }
func (n *naiveReader) counts() counts                 { return counts{requests: n.Requests()} }
