// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

var defaultConfig = filepath.Join(root, "otelcol-config.yaml")

// TestDefaultConfig runs what `make run` does: it prints the lines of containers, each on one.
func TestDefaultConfig(t *testing.T) {
	output, err := exec.Command(binary(t), "validate", "--config="+defaultConfig).CombinedOutput()
	require.NoError(t, err, "%s", output)

	e := logstest.Engine(t)
	c := start(t, defaultConfig, "DOCKER_HOST="+e.Host())
	o := loggen.Options{Source: "on-the-console", Lines: 100}
	_, err = e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
	require.NoError(t, err)
	c.says(t, string(o.Line(o.Lines).Body))
	shown := metricsPage(t, "http://localhost:13135/api/v1/containers?name="+o.Source)
	assert.Contains(t, shown, fmt.Sprintf(`"records":%d,`, o.Lines), "the status page has it")
	assert.Contains(t, shown, `"health_page":"http://localhost:13134/"`)
	c.terminate(t)
	for seq := uint64(1); seq <= o.Lines; seq++ {
		assert.Contains(t, c.output.String(), " | "+string(o.Line(seq).Body)+"\n")
	}
}

var goModule = regexp.MustCompile(`(?m)^\s+- gomod: (\S+ \S+)$`)

// TestComponents looks for every component that the distribution should have.
func TestComponents(t *testing.T) {
	manifest, err := os.ReadFile(filepath.Join(root, "builder-config.yaml"))
	require.NoError(t, err)
	output, err := exec.Command(binary(t), "components").Output()
	require.NoError(t, err)
	wanted := goModule.FindAllStringSubmatch(string(manifest), -1)
	require.Greater(t, len(wanted), 20)
	for _, module := range wanted {
		assert.Contains(t, string(output), "module: "+module[1]+"\n")
	}
	for _, name := range []string{"docker_logs", "console", "goroutine_health"} {
		assert.Contains(t, string(output), "- name: "+name+"\n")
	}
}

// TestLeakProfile makes sure that the binary can tell which goroutines never wake.
func TestLeakProfile(t *testing.T) {
	info, err := buildinfo.ReadFile(binary(t))
	require.NoError(t, err)
	for _, setting := range info.Settings {
		if setting.Key == "GOEXPERIMENT" {
			assert.Contains(t, setting.Value, "goroutineleakprofile")
			return
		}
	}
	t.Error("built without GOEXPERIMENT")
}

// parseMetrics sums the samples of every metric in Prometheus' text format. Names are
// without the suffixes for unit and type.
func parseMetrics(text string) map[string]float64 {
	values := make(map[string]float64)
	for line := range strings.Lines(text) {
		name, value := line[:strings.IndexAny(line, "{ ")], line[strings.LastIndexByte(line, ' ')+1:]
		number, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || strings.HasPrefix(line, "#") {
			continue
		}
		for _, suffix := range []string{"_total", "_count", "_sum", "_bucket", "_seconds", "_bytes_total"} {
			if strings.HasSuffix(name, "_docker_logs"+suffix) {
				break
			}
			name = strings.TrimSuffix(name, suffix)
		}
		values[name] += number
	}
	return values
}
