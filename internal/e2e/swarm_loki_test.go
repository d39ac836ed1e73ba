// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"sync"
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

// troubledLoki stands in the place of Loki. It records each request before it accepts it. Now and then it is slow, refuses,
// or records a request and hangs up.
type troubledLoki struct {
	authorization string // that a request must have

	mu       sync.Mutex
	checker  loggen.Checker
	requests int
	lines    map[lineName]string // log.record.uid
	hosts    map[string]int      // records by docker.swarm.node.id
	repeated int
	wrong    []string // what should not have come, the first few
}

// lineName is a line of loggen's, whose source is the id of a Swarm task.
type lineName struct {
	task string
	seq  uint64
}

const (
	slowEvery, refuseEvery, hangUpEvery = 10, 25, 40 // requests
	slowness                            = 250 * time.Millisecond
)

func startTroubledLoki(t testing.TB, network *dockerd.Network, port int, authorization string) *troubledLoki {
	t.Helper()
	l := &troubledLoki{authorization: authorization, lines: make(map[lineName]string), hosts: make(map[string]int)}
	listener, err := network.Listen(port)
	require.NoError(t, err)
	server := &http.Server{Handler: l, ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		assert.ErrorIs(t, <-ended, http.ErrServerClosed)
	})
	return l
}

// ServeHTTP implements http.Handler.
func (l *troubledLoki) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, err := decode(r)
	if err != nil { // the gateway was stopped or killed while it sent
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if r.URL.Path != "/otlp/v1/logs" || r.Header.Get("Authorization") != l.authorization {
		http.Error(w, "wrong path or authorization", http.StatusUnauthorized)
		return
	}
	n := l.count()
	if n%refuseEvery == 0 {
		http.Error(w, "too busy", http.StatusServiceUnavailable)
		return
	}
	if n%slowEvery == 0 {
		time.Sleep(slowness)
	}
	l.record(data)
	if n%hangUpEvery == 0 {
		panic(http.ErrAbortHandler)
	}
	accept(w)
}

func (l *troubledLoki) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests++
	return l.requests
}

func (l *troubledLoki) record(data plog.Logs) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for resource, record := range logstest.Records(data) {
		if logstest.Text(resource, "service.namespace") != "shop" { // a gateway's own
			continue
		}
		body, uid := logstest.Body(record), logstest.Text(record.Attributes(), "log.record.uid")
		l.hosts[logstest.Text(resource, "docker.swarm.node.id")]++
		if l.checker.Add(body, logstest.Text(record.Attributes(), "log.iostream") == "stderr") == loggen.Damaged {
			l.isWrong("damaged: %q", body)
			continue
		}
		name, err := nameOf(body)
		if err != nil || name.task != logstest.Text(resource, "docker.swarm.task.id") {
			l.isWrong("from another task: %q in %v", body, resource.AsRaw())
			continue
		}
		switch had, again := l.lines[name]; {
		case !again:
			l.lines[name] = uid
		case had == uid:
			l.repeated++
		default:
			l.isWrong("line %v came as %s and as %s", name, had, uid)
		}
	}
}

func (l *troubledLoki) isWrong(format string, args ...any) {
	if len(l.wrong) < 10 {
		l.wrong = append(l.wrong, fmt.Sprintf(format, args...))
	}
}

// settle removes the lines that have arrived, and returns how many are left.
func (l *troubledLoki) settle(pending map[lineName]struct{}) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range pending {
		if _, have := l.lines[name]; have {
			delete(pending, name)
		}
	}
	return len(pending)
}

// from returns how many records of a node have arrived.
func (l *troubledLoki) from(node string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.hosts[node]
}

// nameOf reads which line of loggen's a body is.
func nameOf(body []byte) (lineName, error) {
	fields := bytes.SplitN(body, []byte{' '}, 3)
	if len(fields) < 3 {
		return lineName{}, fmt.Errorf("%q is no line of loggen's", body)
	}
	seq, err := strconv.ParseUint(string(fields[1]), 10, 64)
	return lineName{string(fields[0]), seq}, err
}

// TestTroubledLoki shows that what TestSwarm asserts can fail.
func TestTroubledLoki(t *testing.T) {
	l := &troubledLoki{lines: make(map[lineName]string), hosts: make(map[string]int)}
	o := loggen.Options{Source: "task"}
	send := func(body, uid string) {
		data := plog.NewLogs()
		from := data.ResourceLogs().AppendEmpty()
		for key, value := range map[string]string{"service.namespace": "shop", "docker.swarm.task.id": "task", "docker.swarm.node.id": "node"} {
			from.Resource().Attributes().PutStr(key, value)
		}
		record := from.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(time.Now()))
		record.Body().SetStr(body)
		record.Attributes().PutStr("log.record.uid", uid)
		record.Attributes().PutStr("log.iostream", "stdout")
		l.record(data)
	}
	first, second := string(o.Line(1).Body), string(o.Line(2).Body)
	send(first, "a")
	send(first, "a")
	assert.Equal(t, 1, l.repeated)
	assert.Empty(t, l.wrong)
	send(first, "b")
	send(second+"?", "c")
	elsewhere := loggen.Options{Source: "other"}
	send(string(elsewhere.Line(1).Body), "d")
	assert.Len(t, l.wrong, 3)
	pending := map[lineName]struct{}{{"task", 1}: {}, {"task", 2}: {}}
	assert.Equal(t, 1, l.settle(pending))
	assert.Contains(t, pending, lineName{"task", 2})
	assert.Equal(t, 5, l.from("node"))
}
