// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/monitoring"
)

const (
	prometheusFiles = root + "/deploy/prometheus"
	// scrapePatience is for what takes scrapes, and evaluations of rules, on a busy machine.
	scrapePatience = 3 * time.Minute
)

// prometheus is a running process of it.
type prometheus struct {
	url    string
	output output
}

// startPrometheus runs Prometheus on deploy's configuration and rules. Only where the
// collector is, and how often it is scraped, are different.
func startPrometheus(t *testing.T, target string) *prometheus {
	t.Helper()
	binary := monitoring.Tool(t, "prometheus")
	dir := t.TempDir()
	text, err := os.ReadFile(prometheusFiles + "/prometheus.yml")
	require.NoError(t, err)
	config := string(text)
	for old, new := range map[string]string{
		"[collector:8888]": "[" + target + "]", "scrape_interval: 15s": "scrape_interval: 1s", "evaluation_interval: 15s": "evaluation_interval: 1s",
	} {
		require.Equal(t, 1, strings.Count(config, old), old)
		config = strings.Replace(config, old, new, 1)
	}
	file := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "rules"), os.DirFS(prometheusFiles+"/rules")))

	address := freeAddress(t)
	p := &prometheus{url: "http://" + address}
	cmd := exec.Command(binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	spawn(t, cmd, &p.output)
	eventually(t, func() error {
		response, err := http.Get(p.url + "/-/ready")
		if err != nil {
			return err
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("prometheus is not ready: %s", response.Status)
		}
		return nil
	})
	return p
}

// eventually waits until there is no error.
func eventually(t *testing.T, condition func() error) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(500 * time.Millisecond) {
		err := condition()
		if err == nil {
			return
		}
		if time.Since(began) > scrapePatience {
			t.Fatalf("still after %v: %v", scrapePatience, err)
		}
	}
}

// get asks the API; a refusal is an error, and so is a query that is wrong.
func (p *prometheus) get(path string, parameters url.Values, into any) error {
	response, err := http.Get(p.url + "/api/v1/" + path + "?" + parameters.Encode())
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("prometheus: %s", answer.Error)
	}
	return nil
}

// sample is one of the values that a query gives.
type sample struct {
	labels map[string]string
	value  float64
}

// query gives the values that are numbers.
func (p *prometheus) query(expr string) ([]sample, error) {
	var data struct {
		ResultType string
		Result     []struct {
			Metric map[string]string
			Value  [2]any // time, value as text
		}
	}
	if err := p.get("query", url.Values{"query": {expr}}, &data); err != nil {
		return nil, fmt.Errorf("%s: %w", expr, err)
	}
	if data.ResultType != "vector" {
		return nil, fmt.Errorf("%s: gives a %s", expr, data.ResultType)
	}
	var samples []sample
	for _, result := range data.Result {
		value, err := strconv.ParseFloat(result.Value[1].(string), 64)
		if err != nil {
			return nil, err
		}
		if !math.IsNaN(value) {
			samples = append(samples, sample{labels: result.Metric, value: value})
		}
	}
	return samples, nil
}

// alert is the state of an alerting rule.
type alert struct {
	Name      string
	State     string // inactive, pending or firing
	Health    string // unknown, ok, or err if its evaluation failed
	LastError string
	Alerts    []struct{ Labels map[string]string }
}

func (p *prometheus) alerts() (map[string]alert, error) {
	var data struct {
		Groups []struct{ Rules []alert }
	}
	if err := p.get("rules", url.Values{"type": {"alert"}}, &data); err != nil {
		return nil, err
	}
	alerts := make(map[string]alert)
	for _, group := range data.Groups {
		for _, rule := range group.Rules {
			alerts[rule.Name] = rule
		}
	}
	return alerts, nil
}
