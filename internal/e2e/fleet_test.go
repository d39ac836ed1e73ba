// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const fleetAgent = `
extensions:
  file_storage: {directory: %q}
  goroutine_health: {endpoint: %s, dump_directory: %q}
receivers:
  docker_logs: {batch: {max_bytes: 64KiB}} # else most of it would fit into the agent's memory
service:
  telemetry: {metrics: {readers: [{pull: {exporter: {prometheus: {host: %s, port: %s}}}}]}}
`

const fleetGateway = `
extensions:
  file_storage: {directory: %q}
  health_check: {endpoint: %s}
receivers:
  otlp: {protocols: {http: {endpoint: %s}}}
exporters:
  otlp_http: {headers: {Authorization: none}}
service:
  telemetry: {metrics: {level: none}}
`

// jsonFileOverhead is how much longer a line of 120 bytes is in a json-file, at most: with its stream and time, and with the
// characters in it that JSON escapes.
const jsonFileOverhead = 71 + 2*30

// TestGatewayAway takes the gateway away while containers write: nothing is lost of one whose files hold what it writes
// meanwhile, by the formula of docs/fleet.md. Of one with a tenth of that, what the engine has thrown away is lost, and is
// counted as a gap.
//
//	DOCKERLOGS_MEASURE=1 DOCKERLOGS_MEASURE_AWAY=10m go test -run TestGatewayAway -v -timeout 30m ./internal/e2e
//
// is the same with ten minutes, and with containers that go on writing.
func TestGatewayAway(t *testing.T) {
	const (
		lineSize = 120 + jsonFileOverhead
		maxFile  = 3
	)
	rate, away, margin := 500, 20*time.Second, 20*time.Second
	measured := os.Getenv("DOCKERLOGS_MEASURE") == "1"
	if measured {
		rate, away = 100, time.Minute
		if text := os.Getenv("DOCKERLOGS_MEASURE_AWAY"); text != "" {
			var err error
			away, err = time.ParseDuration(text)
			require.NoError(t, err)
		}
	}
	// What the formula says for one container, of which a file may just have been emptied.
	maxSize := rate * lineSize * int((away+margin)/time.Second) / (maxFile - 1)
	sizes := map[string]int{"enough": maxSize, "short": maxSize / 10}

	e := logstest.Engine(t)
	var options []loggen.Options
	for name := range sizes {
		options = append(options, loggen.Options{Source: name, Rate: float64(rate), Lines: uint64(rate * int(away/time.Second)), StderrShare: 0.2})
	}
	if measured { // they write while the gateway comes back, and beyond
		for i := range options {
			options[i].Lines += uint64(rate * 30)
		}
	}
	loki := startSink(t, 0, options)
	storage, address := t.TempDir(), freeAddress(t)
	gateway := func() *collector {
		cmd := exec.Command(binary(t), "--config="+filepath.Join(deploy, "swarm", "gateway.yaml"),
			"--config="+writeFile(t, "here.yaml", fmt.Sprintf(fleetGateway, storage, freeAddress(t), address)))
		cmd.Env = append(os.Environ(), "LOKI_ENDPOINT="+loki.server.URL)
		return launch(t, cmd)
	}
	first := gateway()
	metrics := freeAddress(t)
	host, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	cmd := exec.Command(binary(t), "--config="+filepath.Join(deploy, "swarm", "agent.yaml"),
		"--config="+writeFile(t, "here.yaml", fmt.Sprintf(fleetAgent, t.TempDir(), freeAddress(t), t.TempDir(), host, port)))
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.Host(), "GATEWAY=http://"+address)
	agent := launch(t, cmd)

	var writers []*dockerd.Container
	for _, o := range options {
		c, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{
			LogOpts: map[string]string{"max-size": fmt.Sprint(sizes[o.Source]), "max-file": fmt.Sprint(maxFile)},
		}))
		require.NoError(t, err)
		writers = append(writers, c)
	}
	arrived := func(name string) uint64 { return loki.checker.Tallies()[name].Seen }
	logstest.Eventually(t, "lines of both arrive", func() bool { return arrived("enough") > 0 && arrived("short") > 0 })
	first.terminate(t)
	began := time.Now()
	ended := func() {
		for _, c := range writers {
			_, err := c.Wait(t.Context())
			require.NoError(t, err)
		}
	}
	if measured {
		time.Sleep(away)
	} else {
		ended()
	}
	before := map[string]uint64{"enough": arrived("enough"), "short": arrived("short")}
	absence := time.Since(began).Round(time.Second)
	second := gateway()
	began = time.Now()
	logstest.Eventually(t, "lines arrive again", func() bool { return arrived("enough") > before["enough"] })
	t.Logf("lines arrive again after %v", time.Since(began).Round(100*time.Millisecond))
	ended()
	for _, o := range options {
		logstest.Eventually(t, "the last line of "+o.Source+" arrives", func() bool { return loki.checker.Tallies()[o.Source].Last == o.Lines })
	}
	gaps := scrape(t, metrics)["otelcol_docker_logs_gaps"]
	agent.terminate(t)
	second.terminate(t)
	require.NoError(t, loki.failure)

	for i, o := range options {
		tally := loki.checker.Tallies()[o.Source]
		assert.Zero(t, tally.Damaged, "%v", tally.Examples)
		file, err := writers[i].LogPath(t.Context())
		require.NoError(t, err)
		t.Logf("%s, max-size %d, max-file %d: %d lines, %d before the gateway went for %v, %d lost; %.0f bytes a line",
			o.Source, sizes[o.Source], maxFile, o.Lines, before[o.Source], absence, tally.Lost, bytesPerLine(t, file))
		if o.Source == "enough" {
			assert.Zero(t, tally.Lost)
			continue
		}
		assert.Positive(t, tally.Lost, "else the test shows nothing")
	}
	assert.EqualValues(t, 1, gaps)
}

// bytesPerLine is how long a line is in a container's files.
func bytesPerLine(t testing.TB, newest string) float64 {
	t.Helper()
	files, err := filepath.Glob(newest + "*")
	require.NoError(t, err)
	size, lines := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		size, lines = size+len(text), lines+bytes.Count(text, []byte{'\n'})
	}
	return float64(size) / float64(lines)
}
