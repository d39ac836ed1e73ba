// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/monitoring"
)

const monitoredConfig = `
extensions:
  goroutine_health: {endpoint: "", collection_interval: 1s, census_interval: 1s, leak_interval: 2s, window: 10s}
receivers:
  docker_logs:
    endpoint: %s
    overrides: # one container for each strategy
      - {match: {name: "streaming"}, strategy: streaming}
      - {match: {name: "short_lived"}, strategy: short_lived}
      - {match: {name: "polling"}, strategy: polling}
      - {match: {name: "hybrid"}, strategy: hybrid}
      - {match: {name: "adaptive"}, strategy: adaptive}
      - {match: {name: "file"}, strategy: file}
    short_lived: {lifetime: 2s}
    polling: {interval: 200ms, max_interval: 1s}
    hybrid: {interval: 200ms}
  otlp: {protocols: {grpc: {endpoint: %[2]s}}}
exporters:
  otlp_grpc: {endpoint: %[2]s, tls: {insecure: true}}
  nop:
service:
  telemetry:
    metrics:
      readers: [{pull: {exporter: {prometheus: {host: %[3]s, port: %[4]s}}}}]
  extensions: [goroutine_health]
  pipelines:
    logs: {receivers: [docker_logs], exporters: [otlp_grpc]}
    logs/arrived: {receivers: [otlp], exporters: [nop]}
`

// TestMonitoring has a real Prometheus scrape a collector that works, and asks it all that
// the dashboards and the alerts of deploy ask. Then things go wrong, and it has to tell.
func TestMonitoring(t *testing.T) {
	monitoring.Tool(t, "prometheus")
	e := logstest.Engine(t)
	address, metrics := freeAddress(t), freeAddress(t)
	host, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	c := start(t, writeFile(t, "collector.yaml", fmt.Sprintf(monitoredConfig, e.Host(), address, host, port)))
	_, err = e.RunMany(t.Context(), len(logstest.Strategies), func(i int) dockerd.ContainerSpec {
		o := loggen.Options{Source: logstest.Strategies[i], Rate: 50, StderrShare: 0.2}
		return logstest.Loggen(o, dockerd.ContainerSpec{})
	})
	require.NoError(t, err)
	p := startPrometheus(t, metrics)

	t.Run("dashboards", func(t *testing.T) { p.answers(t, dashboardQueries(t), nil) })
	t.Run("alerts", func(t *testing.T) {
		measured := measuredByAlerts(t)
		p.answers(t, measured, map[string]string{"job": "otelcol-dockerlogs", "instance": metrics})
		var alerts map[string]alert
		eventually(t, func() (err error) {
			alerts, err = p.alerts()
			for name := range measured {
				if health := alerts[name].Health; health != "ok" && err == nil {
					err = fmt.Errorf("the health of %s is %q: %s", name, health, alerts[name].LastError)
				}
			}
			return err
		})
		for name, alert := range alerts {
			assert.NotEqual(t, "firing", alert.State, "%s, of a collector that works", name)
		}
	})
	t.Run("strategies", func(t *testing.T) {
		for _, strategy := range logstest.Strategies {
			samples, err := p.query(fmt.Sprintf("sum(otelcol_docker_logs_captures{strategy=%q})", strategy))
			require.NoError(t, err)
			require.Len(t, samples, 1, strategy)
			assert.EqualValues(t, 1, samples[0].value, strategy)
		}
	})

	// From here on things go wrong. That an alert is pending is enough: that it fires after
	// its time is promtool's to test.
	_, err = e.Run(t.Context(), dockerd.ContainerSpec{Name: "unreadable", Image: logstest.LoggenImage, LogDriver: "none", Cmd: []string{"--source=x", "--rate=1"}})
	require.NoError(t, err)
	p.tells(t, "DockerLogsGaps", map[string]string{"instance": metrics, "reason": "unreadable"})
	if e.Private() {
		require.NoError(t, e.Stop(t.Context()))
		p.tells(t, "DockerEngineUnreachable", map[string]string{"instance": metrics, "receiver": "docker_logs"})
	}
	c.terminate(t)
	p.tells(t, "CollectorDown", map[string]string{"instance": metrics})
}

// dashboardQueries are all queries of the dashboards that Prometheus is asked, and what
// the choice of job and instance is made from.
func dashboardQueries(t *testing.T) map[string]string {
	files, err := filepath.Glob(root + "/deploy/grafana/dashboards/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	queries := make(map[string]string)
	for _, file := range files {
		d, err := monitoring.ReadDashboard(file)
		require.NoError(t, err)
		variables := map[string]string{"job": ".+", "instance": ".+"}
		for _, v := range d.Templating.List {
			if v.Type == "textbox" {
				variables[v.Name] = v.Query.(string)
			}
		}
		for _, v := range d.Templating.List {
			if v.Datasource.UID == monitoring.PrometheusUID {
				parts := labelValues.FindStringSubmatch(monitoring.Fill(v.Query.(string), variables))
				require.NotNil(t, parts, v.Name)
				// The values are those that scraped targets have.
				queries["variable "+v.Name] = fmt.Sprintf(`count by (%[2]s) (%[1]s) and on (%[2]s) up`, parts[1], parts[2])
			}
		}
		for _, panel := range d.All() {
			for _, target := range panel.Targets {
				if target.Datasource.UID == monitoring.PrometheusUID {
					queries[fmt.Sprintf("panel %d %s, %s", panel.ID, panel.Title, target.RefID)] = monitoring.Fill(target.Expr, variables)
				}
			}
		}
	}
	require.NotEmpty(t, queries)
	return queries
}

var labelValues = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)

// measuredByAlerts are what the alerts compare with a threshold.
func measuredByAlerts(t *testing.T) map[string]string {
	files, err := filepath.Glob(prometheusFiles + "/rules/*.yml")
	require.NoError(t, err)
	queries := make(map[string]string)
	for _, file := range files {
		groups, err := monitoring.ReadRules(file)
		require.NoError(t, err)
		for _, group := range groups {
			for _, alert := range group.Alerts {
				condition, err := alert.Condition()
				require.NoError(t, err)
				queries[alert.Name] = condition.Measured
			}
		}
	}
	require.NotEmpty(t, queries)
	return queries
}

// answers waits until each query gives a value with these labels.
func (p *prometheus) answers(t *testing.T, queries, labels map[string]string) {
	t.Helper()
	missing := maps.Clone(queries)
	eventually(t, func() error {
		for name, query := range missing {
			samples, err := p.query(query)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if slices.ContainsFunc(samples, func(s sample) bool { return has(s.labels, labels) }) {
				delete(missing, name)
			}
		}
		if len(missing) > 0 {
			return fmt.Errorf("there is no data for %q", missing)
		}
		return nil
	})
	t.Logf("%d queries have data", len(queries))
}

// tells waits for an alert with these labels.
func (p *prometheus) tells(t *testing.T, name string, labels map[string]string) {
	t.Helper()
	eventually(t, func() error {
		alerts, err := p.alerts()
		if err != nil {
			return err
		}
		for _, one := range alerts[name].Alerts {
			if has(one.Labels, labels) {
				return nil
			}
		}
		return fmt.Errorf("there is no alert %s with %v: %v", name, labels, alerts[name].Alerts)
	})
}

func has(labels, wanted map[string]string) bool {
	for key, value := range wanted {
		if labels[key] != value {
			return false
		}
	}
	return true
}
