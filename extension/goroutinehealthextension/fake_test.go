// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/metadata"
)

var (
	readLoop = census.Origin{Component: "docker_logs", Kind: "receiver", Function: "net/http.(*persistConn).readLoop"}
	queue    = census.Origin{Component: "exporterhelper", Kind: "exporter", Function: "go.opentelemetry.io/collector/exporter/exporterhelper/internal/queue.(*asyncQueue[...]).Start.func1"}
)

// fakeSource is a source of counts that a test sets.
type fakeSource struct {
	mu         sync.Mutex
	containers int // each with three goroutines, as a follow has
	first      int // number of the first of them
	created    int // goroutines, ever
	last       int // count
	took       time.Duration
	above      map[census.Origin]int
	proven     map[census.Origin]int
	err        error // of a census
	censuses   atomic.Int32
	looks      atomic.Int32 // for leaks
	traces     atomic.Int32
}

func newFakeSource() *fakeSource {
	return &fakeSource{above: map[census.Origin]int{queue: 40}, took: 1234 * time.Microsecond}
}

func (f *fakeSource) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeSource) count() counts {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 3 * f.containers
	for _, count := range f.above {
		n += count
	}
	f.created += max(0, n-f.last)
	f.last = n
	return counts{Total: n, Waiting: n - 2, Running: 2, created: f.created}
}

func (f *fakeSource) census() (*census.Census, error) {
	total := f.count().Total
	f.mu.Lock()
	defer f.mu.Unlock()
	f.censuses.Add(1)
	if f.err != nil {
		return nil, f.err
	}
	c := of(f.above)
	c.Total, c.Need, c.Took = total, 3*f.containers, f.took
	for i := f.first; i < f.first+f.containers; i++ {
		id, name := fmt.Sprintf("%08x%056x", uint32(i+1)*2654435761, i), fmt.Sprintf("web-%d", i+1)
		if i == 0 {
			name = "" // a component that does not label it
		}
		c.Containers[id] = &census.Container{ID: id, Name: name, Component: "docker_logs", Count: 3, Need: 3}
	}
	if f.containers > 0 {
		if c.Components["docker_logs"] == nil {
			c.Components["docker_logs"] = map[census.State]int{}
		}
		c.Components["docker_logs"][census.IO] += 3 * f.containers
	}
	return c, nil
}

func (f *fakeSource) leaked() (*census.Census, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks.Add(1)
	return of(f.proven), nil
}

func (*fakeSource) canFindLeaks() bool { return true }

func (f *fakeSource) creators(int) map[string]string {
	f.traces.Add(1)
	return map[string]string{readLoop.Function: "net/http.(*Transport).dialConn"}
}

func of(origins map[census.Origin]int) *census.Census {
	c := &census.Census{
		Origins: map[census.Origin]int{}, Above: map[census.Origin]int{},
		Components: map[string]map[census.State]int{}, Containers: map[string]*census.Container{},
	}
	for origin, n := range origins {
		c.Total += n
		c.Origins[origin], c.Above[origin] = n, n
		c.Components[origin.Component] = map[census.State]int{census.Select: n}
	}
	return c
}

// replace has all containers go and as many others come.
func (f *fakeSource) replace() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.first += f.containers
	f.created += 3 * f.containers
}

// health is an extension with a fake source, and what it did.
type health struct {
	*goroutineHealth
	fake     *fakeSource
	logs     *observer.ObservedLogs
	tel      *componenttest.Telemetry
	restarts atomic.Int32
	reason   atomic.Value // of the shutdown, an error
	exited   atomic.Int32 // the status with which the process was ended, 0 if it was not
}

// newHealth makes an extension without an endpoint. change may be nil.
func newHealth(t *testing.T, history *processHistory, change func(*Config)) *health {
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.NetAddr.Endpoint = ""
	if change != nil {
		change(cfg)
	}
	require.NoError(t, cfg.Validate())
	core, logs := observer.New(zapcore.DebugLevel)
	tel := componenttest.NewTelemetry()
	set := extension.Settings(extensiontest.NewNopSettings(metadata.Type))
	set.TelemetrySettings = tel.NewTelemetrySettings()
	set.Logger = zap.New(core)
	h := &health{fake: newFakeSource(), logs: logs, tel: tel}
	h.goroutineHealth = newGoroutineHealth(set, cfg, h.fake, history)
	h.goroutineHealth.restart = func() error { h.restarts.Add(1); return nil }
	h.goroutineHealth.fatal = func(err error) { h.reason.Store(err) }
	h.goroutineHealth.exit = func(status int) { h.exited.Store(int32(status)) }
	return h
}

func (h *health) start(t *testing.T) *health {
	require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
	require.NoError(t, h.Ready())
	return h
}

// fatal is why the extension asked the Collector to shut down, if it has.
func (h *health) fatal() error {
	err, _ := h.reason.Load().(error)
	return err
}
