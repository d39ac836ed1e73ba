// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const tracerImage = "tracer:test"

// TestTracesSurviveCrashes kills a collector with SIGKILL, five times, while containers, one
// for each strategy, write stack traces to both streams and the engine rotates their logs:
// each trace is one record, and comes once, or again with its log.record.uid.
//
//	DOCKERLOGS_MEASURE=1 go test -run TestTracesSurviveCrashes -v -timeout 30m ./internal/e2e
//
// is the same with 10,000 traces for each strategy.
func TestTracesSurviveCrashes(t *testing.T) {
	traces := 1000
	if os.Getenv("DOCKERLOGS_MEASURE") == "1" {
		traces = 10_000
	}
	const kills = 5
	e := logstest.Engine(t)
	require.NoError(t, e.Import(t.Context(), tracerImage,
		map[string]string{"/tracer": dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/internal/e2e/testdata/tracer")},
		dockerd.ImageOptions{Entrypoint: []string{"/tracer"}}))
	_, address, file := startGateway(t)
	joining := strings.Replace(crashConfig, loadReceiver, loadReceiver+"    multiline: {preset: java, force_flush_period: 2s}\n", 1)
	config := writeFile(t, "agent.yaml", fmt.Sprintf(joining, t.TempDir(), e.Host(), address))
	var containers []*dockerd.Container
	for _, strategy := range logstest.Strategies {
		c, err := e.Run(t.Context(), dockerd.ContainerSpec{
			Name: "load-" + strategy, Image: tracerImage, Cmd: []string{fmt.Sprint(traces)},
			// As many files as all traces take: a collector that is late on a busy machine finds them all.
			LogOpts: map[string]string{"max-size": "1m", "max-file": fmt.Sprint(traces / 100)},
		})
		require.NoError(t, err)
		containers = append(containers, c)
	}
	for range kills {
		agent := start(t, config)
		before, began := size(file), time.Now()
		// Long enough to have stored a position; else it would never get on.
		require.Eventually(t, func() bool {
			return size(file) > before+int64(1000*traces) && time.Since(began) > 1500*time.Millisecond
		},
			patience, 5*time.Millisecond)
		require.NoError(t, agent.cmd.Process.Kill())
		<-agent.ended
	}
	agent := start(t, config)
	for _, c := range containers {
		code, err := c.Wait(t.Context())
		require.NoError(t, err)
		require.Zero(t, code)
	}
	var books map[string]string // log.record.uid by container and trace
	repeats, lines := 0, 0
	read := func() int {
		books, repeats, lines = make(map[string]string), 0, 0
		eachRecord(t, file, func(resource pcommon.Map, record plog.LogRecord) {
			body := string(logstest.Body(record))
			uid := logstest.Text(record.Attributes(), "log.record.uid")
			var number, n int
			_, err := fmt.Sscanf(body, "com.acme.shop.Failure: number %d has %d lines", &number, &n)
			require.NoError(t, err, body)
			require.Equal(t, trace(number, n), body)
			key := fmt.Sprint(logstest.Text(resource, "container.name"), " ", number)
			if had, again := books[key]; again {
				repeats++
				require.Equal(t, had, uid, key)
				return
			}
			books[key] = uid
			lines += n
		})
		return len(books)
	}
	want := traces * len(containers)
	for began := time.Now(); read() < want && time.Since(began) < patience; time.Sleep(time.Second) {
	}
	agent.terminate(t)
	assert.Equal(t, want, read())
	t.Logf("%d traces, %d lines, %d kills: each whole, 0 lost, %d repeated with the same log.record.uid", want, lines, kills, repeats)
}

// trace is what tracer writes.
func trace(number, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "com.acme.shop.Failure: number %d has %d lines", number, n)
	for line := 1; line < n; line++ {
		fmt.Fprintf(&b, "\n\tat com.acme.shop.Class%d.method(Class%d.java:%d)", line, line, number)
	}
	return b.String()
}
