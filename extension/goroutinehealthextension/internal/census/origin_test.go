// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// stack makes a sample whose goroutine runs the functions, the first one given first.
func stack(functions ...string) *sample {
	slices.Reverse(functions)
	return &sample{n: 1, functions: functions}
}

func TestOriginWithoutLabels(t *testing.T) {
	const contrib = "github.com/open-telemetry/opentelemetry-collector-contrib/"
	for _, tt := range []struct {
		stack                     []string
		component, kind, function string
	}{
		{[]string{"runtime.gcBgMarkWorker", "runtime.gopark"}, "runtime", "", "runtime.gcBgMarkWorker"},
		{[]string{"os/signal.loop", "os/signal.signal_recv"}, "runtime", "", "os/signal.loop"},
		{[]string{"example.com/x.work", "runtime.gopark"}, "other", "", "example.com/x.work"},
		{[]string{"net/http.(*persistConn).readLoop", "internal/poll.(*FD).Read"}, "net/http", "", "net/http.(*persistConn).readLoop"},
		{[]string{"google.golang.org/grpc.(*addrConn).run", "net.(*Dialer).Dial"}, "grpc", "", "google.golang.org/grpc.(*addrConn).run"},
		{[]string{"sync.(*WaitGroup).Go.func1", "go.opentelemetry.io/collector/receiver/otlpreceiver.(*otlpReceiver).startHTTPServer.func1", "net/http.(*Server).Serve"}, "otlpreceiver", "receiver", "go.opentelemetry.io/collector/receiver/otlpreceiver.(*otlpReceiver).startHTTPServer.func1"},
		{[]string{"go.opentelemetry.io/collector/exporter/exporterhelper/internal/queue.(*asyncQueue[...]).Start.func1"}, "exporterhelper", "exporter", "go.opentelemetry.io/collector/exporter/exporterhelper/internal/queue.(*asyncQueue[...]).Start.func1"},
		{[]string{contrib + "exporter/fileexporter.(*fileWriter).start.func1"}, "fileexporter", "exporter", contrib + "exporter/fileexporter.(*fileWriter).start.func1"},
		{[]string{contrib + "extension/storage/filestorage.(*fileStorageClient).startCompactionLoop.func1"}, "filestorage", "extension", contrib + "extension/storage/filestorage.(*fileStorageClient).startCompactionLoop.func1"},
		{[]string{"main.main", "go.opentelemetry.io/collector/otelcol.(*Collector).Run", "runtime.selectgo"}, "collector", "", "main.main"},
		{[]string{"go.opentelemetry.io/otel/sdk/metric.(*PeriodicReader).run"}, "telemetry", "", "go.opentelemetry.io/otel/sdk/metric.(*PeriodicReader).run"},
		{[]string{"sync.(*WaitGroup).Go.func1"}, "other", "", "sync.(*WaitGroup).Go.func1"},
	} {
		assert.Equal(t, Origin{Component: tt.component, Kind: tt.kind, Function: tt.function}, stack(tt.stack...).origin(), "%v", tt.stack)
	}
}

func TestState(t *testing.T) {
	for want, functions := range map[State][]string{
		IO:      {"x.f", "internal/poll.(*FD).Read", "internal/poll.runtime_pollWait", "runtime.netpollblock", "runtime.gopark"},
		Select:  {"x.f", "runtime.selectgo", "runtime.gopark"},
		Channel: {"x.f", "runtime.chanrecv1", "runtime.chanrecv", "runtime.gopark"},
		Lock:    {"x.f", "sync.(*Mutex).lockSlow", "internal/sync.runtime_SemacquireMutex", "runtime.semacquire1", "runtime.gopark"},
		Sleep:   {"x.f", "time.Sleep", "runtime.gopark"},
		Syscall: {"x.f", "syscall.Syscall6"},
		Running: {"x.f"},
	} {
		assert.Equal(t, want, stack(functions...).state(), "%v", functions)
	}
	assert.Equal(t, Lock, stack("x.f", "runtime.gopark").state(), "whatever else the runtime waits for")
}

func TestCreators(t *testing.T) {
	assert.Equal(t, map[string]string{
		"net/http.(*persistConn).writeLoop": "net/http.(*Transport).dialConn",
		"x.work":                            "x.(*T).Start",
	}, parseTraces(`goroutine 7 [select, 2 minutes]:
net/http.(*persistConn).writeLoop(0xc0001)
	/go/net/http/transport.go:2600 +0xe7
created by net/http.(*Transport).dialConn in goroutine 6
	/go/net/http/transport.go:1900 +0x17d9

goroutine 8 [chan receive]:
x.(*T).run(...)
	/x.go:1
sync.(*WaitGroup).Go.func1()
	/go/sync/waitgroup.go:1 +0x1
created by sync.(*WaitGroup).Go in goroutine 1
	/go/sync/waitgroup.go:1 +0x1

goroutine 9 [chan receive]:
x.work({0x1, 0x2})
	/x.go:1
created by x.(*T).Start.func1 in goroutine 1
	/x.go:1 +0x1

goroutine 10 [chan receive]:
x.cut()
	/x.go:1
created by x.(*T).St`), "a launcher's name says nothing, and half a name is worse than none")
	assert.Empty(t, Creators(20_001), "that many are not traced")
}

func TestEnclosing(t *testing.T) {
	for function, enclosing := range map[string]string{
		"x.(*T).Start.func1":     "x.(*T).Start",
		"x.(*T).Start.func2.1":   "x.(*T).Start",
		"x.F.gowrap1":            "x.F",
		"x.F[...].func1":         "x.F[...]",
		"x.F-range1":             "x.F",
		"x.(*T).Start.func1.2.3": "x.(*T).Start",
		"x.(*T).Start":           "",
	} {
		assert.Equal(t, enclosing, Enclosing(function), function)
	}
}

func TestShorten(t *testing.T) {
	for function, want := range map[string]string{
		"x.F": "x.F",
		"x.(*T[go.shape.struct { a []int; b map[string][]int }]).run.func1": "x.(*T[...]).run.func1",
		"x.F[...]": "x.F[...]",
		"x.F]odd[": "x.F]odd[",
	} {
		assert.Equal(t, want, shorten(function))
	}
}
