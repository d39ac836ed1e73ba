// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const (
	backlogSize = 112    // bytes of a line
	rawRead     = "curl" // the log as the engine sends it, into nothing
	scrapeEvery = 100 * time.Millisecond
)

// backlogRow is what it took one reader to read a log that was there.
type backlogRow struct {
	Reader    string  `json:"reader"`
	Round     int     `json:"round"`
	Lines     int     `json:"lines"`
	Received  int     `json:"received"`
	Seconds   float64 `json:"seconds"`
	ReaderCPU float64 `json:"reader_cpu_seconds"`
	DaemonCPU float64 `json:"daemon_cpu_seconds"`
	PeakRSS   float64 `json:"peak_rss_mib"`
}

// measureBacklog has each reader read the log of one container that writes no more, into
// the nop exporter. curl reads it too.
func measureBacklog(t *testing.T, e *dockerd.Engine, lines uint64, readers []measuredReader) (rows []backlogRow) {
	o := loggen.Options{
		Source: "backlog", Lines: lines, UntilSignal: true,
		Sizes: loggen.Sizes{{Min: backlogSize}},
	}
	c, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return lastLine(t, e, c) == string(o.Line(lines).Body) }, patience, scrapeEvery)

	daemon := daemonOf(t, e)
	readers = slices.Clone(readers)
	readers[0] = measuredReader{name: rawRead} // there is nothing that none could show
	for round := range rounds(t) {
		for _, reader := range readers {
			row := backlogRow{Reader: reader.name, Round: round, Lines: int(lines)}
			before := cpuOfAll(t, daemon)
			if reader.name == rawRead {
				row.readRaw(t, e, c)
			} else {
				row.read(t, e, reader)
			}
			row.DaemonCPU = (cpuOfAll(t, daemon) - before).Seconds()
			t.Logf("%+v", row)
			rows = append(rows, row)
		}
		slices.Reverse(readers)
	}
	t.Logf("a log of %d lines of %d bytes, %d round(s)\n%s", lines, backlogSize, rounds(t), backlogTable(rows))
	return rows
}

// lastLine returns the newest line of a container's log.
func lastLine(t testing.TB, e *dockerd.Engine, c *dockerd.Container) string {
	t.Helper()
	answer, err := e.Client().ContainerLogs(t.Context(), c.ID, container.LogsOptions{ShowStdout: true, Tail: "1"})
	if err != nil {
		return ""
	}
	defer func() { _ = answer.Close() }()
	frame, err := io.ReadAll(answer)
	const header = 8
	if err != nil || len(frame) < header {
		return ""
	}
	return string(bytes.TrimSuffix(frame[header:], []byte{'\n'}))
}

// read measures a collector from the moment it is ready until it has accepted all lines.
func (r *backlogRow) read(t *testing.T, e *dockerd.Engine, reader measuredReader) {
	t.Helper()
	c, metrics := reader.startIntoNothing(t, e)
	pid := c.cmd.Process.Pid
	began, before := time.Now(), cpuOf(t, pid)
	accepted := func() int { return int(scrape(t, metrics)["otelcol_receiver_accepted_log_records"]) }
	tick := time.NewTicker(scrapeEvery)
	defer tick.Stop()
	for r.Received = accepted(); r.Received < r.Lines && time.Since(began) < patience; r.Received = accepted() {
		<-tick.C
	}
	r.Seconds, r.ReaderCPU = time.Since(began).Seconds(), (cpuOf(t, pid) - before).Seconds()
	_, r.PeakRSS = residentOf(t, pid)
	c.terminate(t)
	if reader.group == oursGroup {
		assert.Equal(t, r.Lines, r.Received, "%s: lines received", r.Reader)
	}
}

// scrape returns the metrics of a collector, none while it does not answer.
func scrape(t testing.TB, address string) map[string]float64 {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return parseMetrics(string(text))
}

// readRaw measures curl, which throws the log away.
func (r *backlogRow) readRaw(t *testing.T, e *dockerd.Engine, c *dockerd.Container) {
	t.Helper()
	url := fmt.Sprintf("http://engine/v%s/containers/%s/logs?stdout=1&stderr=1&timestamps=1", e.Client().ClientVersion(), c.ID)
	const frame = 8 + len("2006-01-02T15:04:05.000000000Z ") + backlogSize + 1
	cmd := exec.Command("curl", "-s", "-S", "-o", "/dev/null", "-w", "%{size_download}", "--unix-socket", e.Socket(), url)
	began := time.Now()
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	r.Seconds = time.Since(began).Seconds()
	r.ReaderCPU = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	r.Received = int(number(t, string(output))) / frame
	require.Equal(t, r.Lines, r.Received, "lines that the engine has sent")
}

func backlogTable(rows []backlogRow) string {
	names, of := byReader(rows, func(r backlogRow) string { return r.Reader })
	seconds := func(r backlogRow) float64 { return r.Seconds }
	cpu := func(r backlogRow) float64 { return r.ReaderCPU / float64(r.Lines) * 1e6 }
	ratio := func(name, to string, figure func(backlogRow) float64) string {
		return quotient(median(of[name], figure), median(of[to], figure))
	}
	var b strings.Builder
	b.WriteString("| reader | seconds | ÷ curl | ÷ base | ÷ file_log | lines/s | reader s/M lines | ÷ base | ÷ file_log | daemon s/M lines | peak MiB | received |\n")
	b.WriteString("|" + strings.Repeat(" --- |", 12) + "\n")
	for _, name := range names {
		rows, base := of[name], baseOf(name, of)
		fmt.Fprintf(&b, "| %s | %.2f | %s | %s | %s | %.0f | %.2f | %s | %s | %.2f | %.0f | %.0f |\n", name,
			median(rows, seconds), ratio(name, rawRead, seconds), ratio(name, base, seconds), ratio(name, fileLog, seconds),
			median(rows, func(r backlogRow) float64 { return float64(r.Received) / r.Seconds }),
			median(rows, cpu), ratio(name, base, cpu), ratio(name, fileLog, cpu),
			median(rows, func(r backlogRow) float64 { return r.DaemonCPU / float64(r.Lines) * 1e6 }),
			median(rows, func(r backlogRow) float64 { return r.PeakRSS }), median(rows, func(r backlogRow) float64 { return float64(r.Received) }))
	}
	return b.String()
}
