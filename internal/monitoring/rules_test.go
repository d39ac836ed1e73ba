// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

const (
	deploy     = "../../deploy"
	rulesFile  = deploy + "/prometheus/rules/otelcol-dockerlogs.yml"
	operations = "../../docs/operations.md"
	runbook    = "https://github.com/dockerlogs/otelcol-dockerlogs/blob/main/docs/operations.md#"
)

// ruleTests returns the files that promtool runs.
func ruleTests(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(deploy + "/prometheus/tests/*.yml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

func alerts(t *testing.T) []Alert {
	t.Helper()
	groups, err := ReadRules(rulesFile)
	require.NoError(t, err)
	var all []Alert
	for _, group := range groups {
		all = append(all, group.Alerts...)
	}
	require.NotEmpty(t, all)
	return all
}

func TestPromtool(t *testing.T) {
	promtool := Tool(t, "promtool")
	for name, args := range map[string][]string{
		"config": {"check", "config", deploy + "/prometheus/prometheus.yml"}, // the rules too
		"tests":  append([]string{"test", "rules"}, ruleTests(t)...),
	} {
		t.Run(name, func(t *testing.T) {
			output, err := exec.Command(promtool, args...).CombinedOutput()
			assert.NoError(t, err, "%s", output)
		})
	}
}

func TestAlerts(t *testing.T) {
	names := make(map[string]bool)
	for _, alert := range alerts(t) {
		t.Run(alert.Name, func(t *testing.T) {
			assert.False(t, names[alert.Name], "there are two")
			names[alert.Name] = true
			_, err := alert.Condition()
			assert.NoError(t, err)
			assert.Contains(t, []string{"warning", "critical"}, alert.Labels["severity"])
			assert.NotEmpty(t, alert.Annotations["summary"])
			assert.Contains(t, alert.Annotations["description"], "$value", "it has to show what was measured")
			assert.NotContains(t, strings.Join([]string{alert.Annotations["summary"], alert.Annotations["description"]}, ""), "${",
				"newer Grafanas take it for a variable of the environment")
			assert.Equal(t, runbook+strings.ToLower(alert.Name), alert.Annotations["runbook_url"])
		})
	}
}

// TestAlertsAreTested checks that promtool's tests have one in which each alert fires, and one
// in which it does not.
func TestAlertsAreTested(t *testing.T) {
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, path := range ruleTests(t) {
		var file struct {
			Tests []struct {
				Alerts []struct {
					Name   string `yaml:"alertname"`
					Expect []any  `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, yaml.Unmarshal(text, &file))
		for _, test := range file.Tests {
			for _, alert := range test.Alerts {
				if len(alert.Expect) > 0 {
					fires[alert.Name] = true
				} else {
					silent[alert.Name] = true
				}
			}
		}
	}
	for _, alert := range alerts(t) {
		assert.True(t, fires[alert.Name], "no test in which %s fires", alert.Name)
		assert.True(t, silent[alert.Name], "no test in which %s does not fire", alert.Name)
	}
}

// TestRunbooks checks that the headings which the alerts link to exist.
func TestRunbooks(t *testing.T) {
	text, err := os.ReadFile(operations)
	require.NoError(t, err)
	for _, alert := range alerts(t) {
		assert.Regexp(t, regexp.MustCompile(`(?m)^#+ `+alert.Name+`$`), string(text))
	}
}

func TestCondition(t *testing.T) {
	for expr, want := range map[string]Condition{
		"a > 0":                               {"a", ">", 0},
		"a{b=\"c or d\"} * (b == bool 2) > 0": {"a{b=\"c or d\"} * (b == bool 2)", ">", 0},
		"(a or on () vector(0)) < 1":          {"(a or on () vector(0))", "<", 1},
		"deriv(a[20m]) * 60 > 1.5":            {"deriv(a[20m]) * 60", ">", 1.5},
	} {
		got, err := Alert{Name: "A", Expr: expr}.Condition()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for expr, want := range map[string]string{
		"absent(a)":          "is not <what is measured>",
		"a >= 3":             "is not <what is measured>",
		"a > b":              "the threshold",
		"a or b > 0":         "binds less tightly",
		"(a) unless (b) < 1": "binds less tightly",
	} {
		_, err := Alert{Name: "A", Expr: expr}.Condition()
		assert.ErrorContains(t, err, want, expr)
	}
}
