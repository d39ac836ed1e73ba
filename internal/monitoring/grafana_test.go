// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const grafana = deploy + "/grafana"

func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, into), path)
}

// TestGrafanaAlerts holds that Grafana has the alerts of Prometheus, put together again.
func TestGrafanaAlerts(t *testing.T) {
	path := filepath.Join(grafana, "provisioning/alerting/otelcol-dockerlogs.yaml")
	groups, err := ReadRules(rulesFile)
	require.NoError(t, err)
	want, err := GrafanaAlerts(groups)
	require.NoError(t, err)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "stale: run go generate ./internal/monitoring")

	var file grafanaFile
	readYAML(t, path, &file)
	uids := make(map[string]bool)
	rules := make(map[string]grafanaRule)
	for _, group := range file.Groups {
		assert.Equal(t, Folder, group.Folder)
		for _, rule := range group.Rules {
			assert.LessOrEqual(t, len(rule.UID), 40, "longer than a uid of Grafana may be: %s", rule.UID)
			assert.False(t, uids[rule.UID], "%s is there twice", rule.UID)
			uids[rule.UID], rules[rule.Title] = true, rule
		}
	}
	for _, alert := range alerts(t) {
		rule, ok := rules[alert.Name]
		require.True(t, ok, alert.Name)
		condition, err := alert.Condition()
		require.NoError(t, err)
		require.Len(t, rule.Data, 2)
		assert.Equal(t, condition.Measured, rule.Data[0].Model["expr"])
		assert.Equal(t, PrometheusUID, rule.Data[0].DatasourceUID)
		assert.Equal(t, rule.Condition, rule.Data[1].RefID)
		assert.Equal(t, rule.Data[0].RefID, rule.Data[1].Model["expression"])
		assert.Equal(t, alert.Labels, rule.Labels)
		assert.NotContains(t, rule.Annotations["description"], "$value ")
	}
	assert.Len(t, rules, len(alerts(t)))
}

func TestProvisioning(t *testing.T) {
	var sources struct {
		APIVersion  int `yaml:"apiVersion"`
		Datasources []struct{ Name, UID, Type, URL string }
	}
	readYAML(t, filepath.Join(grafana, "provisioning/datasources/datasources.yaml"), &sources)
	assert.Equal(t, 1, sources.APIVersion)
	uids := make(map[string]string)
	for _, source := range sources.Datasources {
		assert.NotEmpty(t, source.Name)
		assert.NotEmpty(t, source.URL)
		uids[source.UID] = source.Type
	}
	assert.Equal(t, map[string]string{PrometheusUID: "prometheus", LokiUID: "loki"}, uids)

	var dashboards struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Folder, Type string
			Options      struct{ Path string }
		}
	}
	readYAML(t, filepath.Join(grafana, "provisioning/dashboards/dashboards.yaml"), &dashboards)
	assert.Equal(t, 1, dashboards.APIVersion)
	require.Len(t, dashboards.Providers, 1)
	assert.Equal(t, Folder, dashboards.Providers[0].Folder)
	assert.Equal(t, "file", dashboards.Providers[0].Type)
	assert.Equal(t, "/var/lib/grafana/dashboards", dashboards.Providers[0].Options.Path)
}
