// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/filelogreceiver"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
)

// FileLog names the reader that is OpenTelemetry's receiver for files, on the engine's json-files.
const FileLog = "file_log"

// fileLogReader adapts it, configured as its documentation has it for containers.
type fileLogReader struct {
	receiver receiver.Logs
}

func newFileLogReader(job Job, sink *sink) (*fileLogReader, error) {
	if job.DataRoot == "" {
		return nil, fmt.Errorf("%s needs to know where the engine keeps its files", FileLog)
	}
	files := make([]any, len(job.Sources))
	for i, source := range job.Sources {
		files[i] = filepath.Join(job.DataRoot, "containers", source.ID, source.ID+"-json.log")
	}
	factory := filelogreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig()
	if err := confmap.NewFromStringMap(map[string]any{
		"include": files, "start_at": "beginning",
		"operators": []any{map[string]any{"type": "container", "format": "docker", "add_metadata_from_filepath": false}},
	}).Unmarshal(cfg); err != nil {
		return nil, fmt.Errorf("configure %s: %w", FileLog, err)
	}
	next, err := consumer.NewLogs(func(_ context.Context, data plog.Logs) error {
		for _, from := range data.ResourceLogs().All() {
			for _, scope := range from.ScopeLogs().All() {
				for _, record := range scope.LogRecords().All() {
					stream, _ := record.Attributes().Get("log.iostream")
					body := bytes.TrimSuffix(bodyOf(record), []byte{'\n'}) // the operator leaves it
					sink.line(body, stream.Str() == "stderr", record.Timestamp().AsTime())
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make a consumer: %w", err)
	}
	r, err := create(factory, cfg, sdkmetric.NewManualReader(), next)
	return &fileLogReader{r}, err
}

func (r *fileLogReader) start() error                   { return r.receiver.Start(context.Background(), host{}) }
func (r *fileLogReader) stop(ctx context.Context) error { return r.receiver.Shutdown(ctx) }
func (*fileLogReader) counts() counts                   { return counts{} }
