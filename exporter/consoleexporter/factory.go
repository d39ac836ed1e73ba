// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"context"
	"os"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/dockerlogs/otelcol-dockerlogs/exporter/consoleexporter/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/terminal"
)

// NewFactory returns the factory of the console exporter.
func NewFactory() exporter.Factory {
	return exporter.NewFactory(metadata.Type, createDefaultConfig, exporter.WithLogs(createLogs, metadata.LogsStability))
}

// createLogs gives the exporter no queue: who reads slowly slows the pipeline down, and
// what has not been written is not acknowledged. A shutdown that nobody reads for does not
// fail: the Collector would take that for the end of a restart with a changed configuration.
func createLogs(ctx context.Context, set exporter.Settings, cfg component.Config) (exporter.Logs, error) {
	color := cfg.(*Config).Color
	p := newPrinter(os.Stdout, color == ColorAlways || color == ColorAuto && terminal.Colours(os.Stdout))
	return exporterhelper.NewLogs(ctx, set, cfg, p.print,
		exporterhelper.WithCapabilities(consumer.Capabilities{MutatesData: false}),
		exporterhelper.WithStart(p.out.start),
		exporterhelper.WithShutdown(func(ctx context.Context) error {
			if err := p.out.shutdown(ctx); err != nil {
				set.Logger.Warn(err.Error())
			}
			return nil
		}),
		exporterhelper.WithTimeout(exporterhelper.TimeoutConfig{Timeout: 0})) // a write has none
}
