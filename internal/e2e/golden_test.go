// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

// TestGoldenRecords has the receiver read each captured log and compares what arrives with
// the records beside it.
func TestGoldenRecords(t *testing.T) {
	captured, err := filepath.Glob("../../testdata/golden/*.bin")
	require.NoError(t, err)
	require.NotEmpty(t, captured)
	for _, input := range captured {
		name := strings.TrimSuffix(filepath.Base(input), ".bin")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(input)
			require.NoError(t, err)
			got := recordsOf(t, name, body)
			output := strings.TrimSuffix(input, ".bin") + ".yaml"
			if *update {
				require.NoError(t, golden.WriteLogsToFile(output, got))
			}
			want, err := golden.ReadLogs(output)
			require.NoError(t, err)
			require.NoError(t, plogtest.CompareLogs(want, got))
		})
	}
}

// recordsOf returns what the receiver makes of the log of a container that has ended.
func recordsOf(t *testing.T, name string, body []byte) plog.Logs {
	t.Helper()
	flavor := enginetest.Docker20()
	if strings.Contains(name, "podman") {
		flavor = enginetest.Podman4()
	}
	engine := enginetest.New(flavor)
	container := engine.Add(enginetest.ContainerSpec{
		ID: strings.Repeat("0123456789abcdef", 4), Name: "web", Image: "acme/web:1.2", Running: true, TTY: strings.HasPrefix(name, "tty"),
	})
	container.Raw(body)

	factory := dockerlogsreceiver.NewFactory()
	cfg := factory.CreateDefaultConfig().(*dockerlogsreceiver.Config)
	cfg.Endpoint, cfg.StartAt = engine.Listen(t), dockerlogsreceiver.StartAtBeginning
	cfg.Strategy = dockerlogsreceiver.StrategyPolling
	telemetry := componenttest.NewTelemetry()
	set := receivertest.NewNopSettings(factory.Type())
	set.TelemetrySettings = telemetry.NewTelemetrySettings()
	set.BuildInfo.Version = "0.1.0"
	var sink consumertest.LogsSink
	r, err := factory.CreateLogs(t.Context(), set, cfg, &sink)
	require.NoError(t, err)
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	logstest.Eventually(t, "records", func() bool { return sink.LogRecordCount() > 0 })
	container.Exit(0) // so that a last line without an end is one
	logstest.Eventually(t, "the end of the log", func() bool { return logstest.Sum(telemetry, "captures") == 0 })
	require.NoError(t, r.Shutdown(t.Context()))
	assert.Zero(t, logstest.Sum(telemetry, "gaps"))
	require.NoError(t, telemetry.Shutdown(t.Context()))

	all := sink.AllLogs()
	for _, more := range all[1:] {
		from := more.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
		from.MoveAndAppendTo(all[0].ResourceLogs().At(0).ScopeLogs().At(0).LogRecords())
	}
	return all[0]
}

// TestPipelineFiles runs the configurations of testdata in the distribution, with a fake
// engine and a collector in place of the backend. Documents show some of them.
func TestPipelineFiles(t *testing.T) {
	const receiverREADME = "receiver/dockerlogsreceiver/README.md"
	for file, test := range map[string]pipeline{
		"loki.yaml":      {document: "README.md", exporter: "otlp_http", without: "loki"},
		"otlp.yaml":      {document: receiverREADME, exporter: "otlp_grpc"},
		"strictest.yaml": {document: "docs/guarantees.md", exporter: "otlp_grpc"},
		"overrides.yaml": {exporter: "otlp_grpc", strategies: map[string]int{"polling": 2, "streaming": 1, "hybrid": 1}},
		"adaptive.yaml":  {document: receiverREADME, exporter: "debug", strategies: map[string]int{"adaptive": 4}},
	} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join("..", "..", "testdata", "pipelines", file)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			if test.document != "" {
				document, err := os.ReadFile(filepath.Join("..", "..", test.document))
				require.NoError(t, err)
				config := string(text)
				for strings.HasPrefix(config, "#") {
					_, config, _ = strings.Cut(config, "\n")
				}
				assert.Contains(t, string(document), config, test.document)
			}
			test.run(t, path)
		})
	}
	files, err := filepath.Glob("../../testdata/pipelines/*")
	require.NoError(t, err)
	assert.Len(t, files, 5, "each needs a test")
}

// pipeline is what a configuration of testdata is to do.
type pipeline struct {
	document   string         // that shows it; "" is none
	exporter   string         // to the backend, or debug
	without    string         // the container that is not captured; "" is none
	strategies map[string]int // how many containers are read by each; nil is not checked
}

const backendConfig = `
receivers:
  otlp: {protocols: {grpc: {endpoint: %s}, http: {endpoint: %s}}}
exporters:
  file: {path: %s}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [file]}
`

// run runs the configuration with four containers, and compares what arrives.
func (p pipeline) run(t *testing.T, path string) {
	t.Helper()
	engine := enginetest.New()
	var containers []*enginetest.Container
	for _, spec := range []enginetest.ContainerSpec{
		{Name: "web"}, {Name: "kafka-1"}, {Name: "job", Labels: map[string]string{"com.acme.bursts": "true"}}, {Name: "loki"},
	} {
		spec.Running = true
		containers = append(containers, engine.Add(spec))
	}
	grpc, http, metrics, file := freeAddress(t), freeAddress(t), freeAddress(t), filepath.Join(t.TempDir(), "logs.json")
	start(t, writeFile(t, "backend.yaml", fmt.Sprintf(backendConfig, grpc, http, file)))

	// The rest is as in the file.
	host, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	settings := []string{
		"receivers::docker_logs::endpoint: " + engine.Listen(t),
		fmt.Sprintf("service::telemetry::metrics::readers: [{pull: {exporter: {prometheus: {host: %s, port: %s}}}}]", host, port),
	}
	switch p.exporter {
	case "debug":
		settings = append(settings, "exporters::debug::verbosity: detailed",
			"extensions::goroutine_health::endpoint: "+freeAddress(t), "receivers::docker_logs::status::endpoint: "+freeAddress(t))
	case "otlp_http":
		settings = append(settings, "exporters::otlp_http::endpoint: http://"+http)
	default:
		settings = append(settings, "exporters::"+p.exporter+"::endpoint: "+grpc, "exporters::"+p.exporter+"::tls::insecure: true")
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	if strings.Contains(string(text), "file_storage:") {
		settings = append(settings, "extensions::file_storage::directory: "+t.TempDir())
	}
	args := []string{"--config=" + path}
	for _, setting := range settings {
		args = append(args, "--config=yaml:"+setting)
	}
	agent := launch(t, exec.Command(binary(t), args...))
	const lines = 10
	var want []string
	for i := range lines {
		for _, c := range containers {
			line := fmt.Sprintf("%s line %d", c.Name(), i)
			c.Write(enginetest.Stdout, line+"\n")
			if c.Name() != p.without {
				want = append(want, line)
			}
		}
	}
	arrived := func() (got []string) {
		if p.exporter == "debug" {
			for _, match := range debugBody.FindAllStringSubmatch(agent.output.String(), -1) {
				got = append(got, match[1])
			}
			return got
		}
		eachRecord(t, file, func(_ pcommon.Map, record plog.LogRecord) { got = append(got, string(logstest.Body(record))) })
		return got
	}
	require.Eventually(t, func() bool { return len(arrived()) >= len(want) }, patience, 50*time.Millisecond)
	if p.strategies != nil {
		assert.Equal(t, p.strategies, strategiesOf(t, "http://"+metrics+"/metrics"))
	}
	agent.terminate(t)
	assert.ElementsMatch(t, want, arrived())
}

// debugBody is how the debug exporter prints the body of a record.
var debugBody = regexp.MustCompile(`(?m)^Body: Str\((.*)\)$`)

// captureMetric is a sample of how many containers are read by a strategy.
var captureMetric = regexp.MustCompile(`(?m)^otelcol_docker_logs_captures\{.*\bstrategy="(\w+)".*\} (\d+)$`)

// strategiesOf returns how many containers are read by each strategy.
func strategiesOf(t *testing.T, url string) map[string]int {
	t.Helper()
	of := make(map[string]int)
	for _, match := range captureMetric.FindAllStringSubmatch(metricsPage(t, url), -1) {
		if n, err := strconv.Atoi(match[2]); assert.NoError(t, err) && n > 0 {
			of[match[1]] += n
		}
	}
	return of
}
