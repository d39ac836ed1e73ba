// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestREADMERecord: the README shows a line, and the record that it becomes.
func TestREADMERecord(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	var line, want string
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		switch block[1] {
		case "text":
			line = block[2]
		case "json":
			want = block[2]
		}
	}
	parts := composeLog.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
	require.NotNil(t, parts, line)
	var shown struct {
		Time     time.Time      `json:"time"`
		Resource map[string]any `json:"resource"`
	}
	require.NoError(t, json.Unmarshal([]byte(want), &shown))

	engine := enginetest.New(enginetest.HostName(shown.Resource["host.name"].(string)))
	spec := composeContainer(parts[1])
	spec.ID, spec.Image = shown.Resource["container.id"].(string), "ghcr.io/acme/web:1.2"
	engine.Add(spec).WriteAt(shown.Time, enginetest.Stdout, parts[4]+"\n")
	factory := dockerlogsreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig().(*dockerlogsreceiver.Config)
	cfg.Endpoint, cfg.StartAt = engine.Listen(t), dockerlogsreceiver.StartAtBeginning
	var sink consumertest.LogsSink
	r, err := factory.CreateLogs(t.Context(), receivertest.NewNopSettings(factory.Type()), cfg, &sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	logstest.Eventually(t, "the record", func() bool { return sink.LogRecordCount() > 0 })
	require.NoError(t, r.Shutdown(t.Context()))

	logs := sink.AllLogs()[0].ResourceLogs().At(0)
	got := logs.ScopeLogs().At(0).LogRecords().At(0)
	resource := logs.Resource().Attributes().AsRaw()
	delete(resource, "container.image.id") // a hash that tells a reader nothing
	have, err := json.Marshal(map[string]any{
		"time": got.Timestamp().AsTime().Format(time.RFC3339Nano), "body": got.Body().AsRaw(), "attributes": got.Attributes().AsRaw(), "resource": resource,
	})
	require.NoError(t, err)
	assert.JSONEq(t, want, string(have))
}
