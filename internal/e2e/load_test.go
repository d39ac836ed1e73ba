// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// loadReceiver captures a load. It takes the engine.
const loadReceiver = `
  docker_logs:
    endpoint: %s
    start_at: beginning
    storage: file_storage
    overrides: # one container for each strategy
      - {match: {name: load-streaming}, strategy: streaming}
      - {match: {name: load-short_lived}, strategy: short_lived}
      - {match: {name: load-polling}, strategy: polling}
      - {match: {name: load-hybrid}, strategy: hybrid}
      - {match: {name: load-adaptive}, strategy: adaptive}
      - {match: {name: load-file}, strategy: file}
    polling: {interval: 200ms, max_interval: 1s}
    hybrid: {interval: 200ms}
`

// lossless is an exporter that has given away what the receiver has been rid of. It
// takes the gateway's address.
const lossless = `
  otlp_grpc:
    endpoint: %s
    tls: {insecure: true}
    sending_queue: {enabled: false}
`

// load is containers that write bursts until they are stopped, one for each strategy,
// and what a gateway has got of them.
type load struct {
	file       string // of the gateway
	reports    string // directory
	options    []loggen.Options
	containers []*dockerd.Container
	total      int // lines, once stopped
}

func startLoad(t testing.TB, e *dockerd.Engine, file string) *load {
	t.Helper()
	l := &load{file: file, reports: t.TempDir()}
	for i, strategy := range logstest.Strategies {
		o := loggen.Options{
			Seed: uint64(i), Source: "load-" + strategy,
			Rate: 200, BurstSize: 2000, BurstEvery: 2 * time.Second, StderrShare: 0.2,
		}
		c, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{
			Binds: []string{l.reports + ":/reports"}, Cmd: []string{"--report=/reports/" + o.Source},
		}))
		require.NoError(t, err)
		l.options, l.containers = append(l.options, o), append(l.containers, c)
	}
	return l
}

// size is that of what the gateway has got.
func (l *load) size() int64 { return size(l.file) }

// size is that of a file, 0 of one that is not there yet.
func size(file string) int64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return info.Size()
}

// stop ends the containers, which tells how many lines there are.
func (l *load) stop(t testing.TB) {
	t.Helper()
	for i, c := range l.containers {
		require.NoError(t, c.Stop(t.Context(), 5*time.Second))
		var report loggen.Report
		text, err := os.ReadFile(filepath.Join(l.reports, l.options[i].Source))
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &report))
		l.options[i].Lines = report.Lines
		l.total += int(report.Lines)
	}
}

// check waits until all lines have arrived, ends the collectors, and looks that no line is
// lost and that each which came again has the log.record.uid of its first time. It
// returns how many came again.
func (l *load) check(t testing.TB, collectors ...*collector) (repeats int) {
	t.Helper()
	type first struct {
		body   string
		stderr bool
	}
	uids := make(map[string]string, l.total) // by line
	firsts := make([]first, 0, l.total)
	read := func() int {
		clear(uids)
		firsts, repeats = firsts[:0], 0
		eachRecord(t, l.file, func(_ pcommon.Map, record plog.LogRecord) {
			uid, _ := record.Attributes().Get("log.record.uid")
			stream, _ := record.Attributes().Get("log.iostream")
			line := string(logstest.Body(record))
			if had, ok := uids[line]; ok {
				repeats++
				assert.Equal(t, had, uid.Str(), "a repeated line has another log.record.uid")
				return
			}
			uids[line] = uid.Str()
			firsts = append(firsts, first{line, stream.Str() == "stderr"})
		})
		return len(firsts)
	}
	// In this goroutine, and not as Eventually does it: a look at the whole file takes long.
	for began := time.Now(); read() < l.total && time.Since(began) < patience; time.Sleep(time.Second) {
	}
	for _, c := range collectors {
		c.terminate(t)
	}
	assert.Equal(t, l.total, read())
	var lines loggen.Checker
	for _, o := range l.options {
		lines.Expect(o)
	}
	for _, f := range firsts {
		lines.Add([]byte(f.body), f.stderr)
	}
	assert.NoError(t, lines.Err())
	return repeats
}

// startGateway starts a collector that writes what it is sent to a file.
func startGateway(t testing.TB) (gateway *collector, address, file string) {
	t.Helper()
	address, file = freeAddress(t), filepath.Join(t.TempDir(), "logs.json")
	return start(t, writeFile(t, "gateway.yaml", fmt.Sprintf(gatewayConfig, address, file))), address, file
}
