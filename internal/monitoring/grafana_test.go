// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"text/template"

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

var update = flag.Bool("update", false, "write Grafana's alerts")

// renderGrafana makes the file that provisions Prometheus' alerts in Grafana. There A measures
// and B compares, so that annotations can show A's value. No data is no alert, as with
// Prometheus; that there is no collector is an alert of its own. The format is described in
// https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/.
func renderGrafana(t *testing.T, groups []Group) string {
	t.Helper()
	const name = "grafana-alerts.yaml.tmpl"
	made, err := template.New(name).Funcs(template.FuncMap{
		"lower":    strings.ToLower,
		"quote":    strconv.Quote,
		"operator": func(comparison string) string { return map[string]string{">": "gt", "<": "lt"}[comparison] },
		// The templates of Prometheus call the measured value $value.
		"grafana": func(text string) string { return value.ReplaceAllLiteralString(text, "$values.A.Value") },
	}).ParseFiles(name)
	require.NoError(t, err)
	var text strings.Builder
	require.NoError(t, made.Execute(&text, groups))
	return text.String()
}

var value = regexp.MustCompile(`\$value\b`)

// TestGrafanaAlerts checks that Grafana has the alerts of Prometheus: the file is the
// template's output, and every rule in it, put together again, is one of Prometheus.
func TestGrafanaAlerts(t *testing.T) {
	path := filepath.Join(grafana, "provisioning/alerting/otelcol-dockerlogs.yaml")
	groups, err := ReadRules(rulesFile)
	require.NoError(t, err)
	want := renderGrafana(t, groups)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "stale: run make generate")

	var file struct {
		Groups []struct {
			Folder string
			Rules  []struct {
				UID, Title, Condition, For string
				Data                       []struct {
					RefID         string `yaml:"refId"`
					DatasourceUID string `yaml:"datasourceUid"`
					Model         struct {
						Expr, Expression string
						Conditions       []struct {
							Evaluator struct {
								Type   string
								Params []float64
							}
						}
					}
				}
				Labels, Annotations map[string]string
			}
		}
	}
	readYAML(t, path, &file)
	titles := make(map[string]bool)
	for i, group := range file.Groups {
		assert.Equal(t, Folder, group.Folder)
		require.Len(t, group.Rules, len(groups[i].Alerts))
		for j, rule := range group.Rules {
			alert := groups[i].Alerts[j]
			assert.Equal(t, alert.Name, rule.Title)
			assert.False(t, titles[rule.Title], "%s is there twice", rule.Title)
			titles[rule.Title] = true
			assert.LessOrEqual(t, len(rule.UID), 40, "longer than a uid of Grafana may be: %s", rule.UID)
			require.Len(t, rule.Data, 2)
			measured, compared := rule.Data[0], rule.Data[1]
			assert.Equal(t, []string{PrometheusUID, "__expr__"}, []string{measured.DatasourceUID, compared.DatasourceUID})
			assert.Equal(t, []string{measured.RefID, compared.RefID}, []string{compared.Model.Expression, rule.Condition})
			require.Len(t, compared.Model.Conditions, 1)
			evaluator := compared.Model.Conditions[0].Evaluator
			comparison := map[string]string{"gt": ">", "lt": "<"}[evaluator.Type]
			assert.Equal(t, alert.Expr, fmt.Sprintf("%s %s %v", measured.Model.Expr, comparison, evaluator.Params[0]))
			assert.Equal(t, cmp.Or(alert.For, "0s"), rule.For)
			assert.Equal(t, alert.Labels, rule.Labels)
			for name, text := range alert.Annotations {
				assert.Equal(t, text, strings.ReplaceAll(rule.Annotations[name], "$values.A.Value", "$value"))
			}
			assert.Len(t, rule.Annotations, len(alert.Annotations))
			assert.NotContains(t, rule.Annotations["description"], "$value ")
		}
	}
	assert.Len(t, titles, len(alerts(t)))
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
