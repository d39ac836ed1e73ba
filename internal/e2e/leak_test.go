// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const leakConfig = `
extensions:
  file_storage: {directory: %s}
  goroutine_health:
    endpoint: %s
    collection_interval: 1s
    census_interval: 1s
    window: 1m
    warning: 200
    critical: 300
    on_critical: restart
    max_restarts: 1
receivers:
  otlp: {protocols: {http: {endpoint: %s}}}` + loadReceiver + `
exporters:` + lossless + `
service:
  extensions: [file_storage, goroutine_health]
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [docker_logs, otlp], exporters: [otlp_grpc]}
`

// TestLeakIsRestartedWithoutLoss makes a working collector leak, twice. The first time
// its pipelines are restarted, and it is healthy again. The second time that counts as
// not having helped: it ends, with a status for which a supervisor starts it anew. No
// line is lost in either.
func TestLeakIsRestartedWithoutLoss(t *testing.T) {
	e := logstest.Engine(t)
	gateway, address, file := startGateway(t)
	api, otlp := freeAddress(t), freeAddress(t)
	config := writeFile(t, "agent.yaml", fmt.Sprintf(leakConfig, t.TempDir(), api, otlp, e.Host(), address))
	l := startLoad(t, e, file)
	agent := start(t, config)
	flows := func() {
		before := l.size()
		require.Eventually(t, func() bool { return l.size() > before+1_000_000 }, patience, 20*time.Millisecond)
	}
	flows()
	require.Equal(t, "healthy", healthOf(t, api).Verdict)

	held := leak(t, otlp, 350)
	leaked := time.Now()
	require.Eventually(t, func() bool { return healthOf(t, api).Restarts.Total == 1 }, patience, 20*time.Millisecond)
	agent.saysTimes(t, "Everything is ready", 2)
	for _, conn := range held {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, err := conn.Read(make([]byte, 1))
		var timeout net.Error
		require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "the restart has not let go of a connection")
		require.Error(t, err)
	}
	require.Eventually(t, func() bool {
		h := healthOf(t, api)
		return h.Verdict == "healthy" && h.Goroutines.Excess > 0 && h.Goroutines.Excess < 200
	}, patience, 20*time.Millisecond)
	flows()
	asked := agent.saidAt(t, "restarting the pipelines because of goroutines", 1)
	down := agent.saidAt(t, "Shutdown complete", 1)
	last, first := around(t, file, down)
	t.Logf("restart asked for %v after the leak, pipelines down %v after that, first line captured again %v after that; no line captured for %v",
		asked.Sub(leaked).Round(time.Millisecond), down.Sub(asked).Round(time.Millisecond),
		first.Sub(down).Round(time.Millisecond), first.Sub(last).Round(time.Millisecond))
	assert.Contains(t, agent.output.String(), "created by net/http.(*Server).Serve")

	leak(t, otlp, 350)
	var exit *exec.ExitError
	select {
	case err := <-agent.ended:
		require.ErrorAs(t, err, &exit, "the exit status is 0, which no supervisor heeds")
		require.Equal(t, 1, exit.ExitCode())
	case <-time.After(patience):
		t.Fatal("the collector goes on")
	}
	require.Contains(t, agent.output.String(), "1 restarts in 1h0m0s did not help")

	agent = start(t, config) // as a supervisor would
	flows()
	l.stop(t)
	repeats := l.check(t, agent, gateway)
	t.Logf("%d lines, 0 lost, %d repeated with the same log.record.uid", l.total, repeats)
}

// leak opens connections to a receiver that it holds, idle, for as long as it runs. Each
// costs it a goroutine. It gives up when the receiver does not answer: a slow machine may
// see the restart before it has them all.
func leak(t testing.TB, address string, n int) (held []net.Conn) {
	t.Helper()
	for range n {
		conn, err := net.DialTimeout("tcp", address, patience)
		if err != nil {
			return held
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = io.WriteString(conn, "POST /v1/logs HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			return held
		}
		require.Equal(t, http.StatusOK, response.StatusCode)
		held = append(held, conn)
	}
	return held
}

// around gives the times when the last line before an instant was captured, and the
// first one after it.
func around(t testing.TB, file string, at time.Time) (last, first time.Time) {
	t.Helper()
	eachRecord(t, file, func(_ pcommon.Map, record plog.LogRecord) {
		switch captured := record.ObservedTimestamp().AsTime(); {
		case captured.After(at):
			if first.IsZero() || captured.Before(first) {
				first = captured
			}
		case captured.After(last):
			last = captured
		}
	})
	require.False(t, last.IsZero() || first.IsZero(), "lines before and after %v", at)
	return last, first
}

// saysTimes waits until the process has printed text that often.
func (c *collector) saysTimes(t testing.TB, text string, n int) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Count(c.output.String(), text) >= n },
		patience, 20*time.Millisecond, "the collector does not say %q %d times", text, n)
}

// saidAt gives the time stamp of the n-th line of the log that has text in it.
func (c *collector) saidAt(t testing.TB, text string, n int) time.Time {
	t.Helper()
	for line := range strings.Lines(c.output.String()) {
		if !strings.Contains(line, text) {
			continue
		}
		if n--; n == 0 {
			stamp, _, _ := strings.Cut(line, "\t")
			at, err := time.Parse("2006-01-02T15:04:05.000Z0700", stamp)
			require.NoError(t, err)
			return at
		}
	}
	t.Fatalf("the collector has not said %q", text)
	return time.Time{}
}
