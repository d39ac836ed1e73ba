// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadatatest"
)

const (
	stdout = enginetest.Stdout
	stderr = enginetest.Stderr
)

// fixture is a receiver between a fake engine and a sink.
type fixture struct {
	t       *testing.T
	virtual bool // in a bubble, where time is virtual
	cfg     *Config
	engine  *enginetest.Engine
	sink    *logstest.Sink
	host    *host
	logs    *observer.ObservedLogs
	tel     *componenttest.Telemetry
	r       *dockerLogs
	stopped bool
}

// inBubble runs a test in virtual time. What must hold after every scenario is
// checked at its end.
func inBubble(t *testing.T, test func(f *fixture), options ...enginetest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, options...)
		f.virtual = true
		test(f)
	})
}

func newFixture(t *testing.T, options ...enginetest.Option) *fixture {
	core, logs := observer.New(zapcore.InfoLevel)
	f := &fixture{
		t: t, cfg: createDefaultConfig().(*Config), engine: enginetest.New(options...), sink: &logstest.Sink{},
		host: &host{Host: componenttest.NewNopHost()}, logs: logs, tel: componenttest.NewTelemetry(),
	}
	f.cfg.Strategy = StrategyStreaming
	set := metadatatest.NewSettings(f.tel)
	set.Logger = zap.New(core)
	var err error
	f.r, err = newDockerLogs(set, f.cfg, f.sink)
	require.NoError(t, err)
	f.r.openWatcher = func() (*fsnotify.Watcher, error) { return nil, errors.ErrUnsupported } // its goroutine stops virtual time
	f.r.configureDial = func(c *engine.Config) { c.Dial = f.engine.Dial }
	t.Cleanup(func() {
		f.stop()
		f.engine.Close()
		f.checkInvariants()
		assert.NoError(t, f.tel.Shutdown(context.Background()))
	})
	return f
}

// start starts the receiver, a second after whatever the engine has done so far.
func (f *fixture) start() {
	f.t.Helper()
	if f.virtual {
		time.Sleep(time.Second)
	}
	require.NoError(f.t, f.r.Start(f.t.Context(), f.host))
	f.settle()
}

func (f *fixture) stop() {
	if !f.stopped {
		f.stopped = true
		f.sink.Open()
		assert.NoError(f.t, f.r.Shutdown(context.Background()))
	}
}

// settle waits until nothing moves without time passing.
func (f *fixture) settle() {
	if f.virtual {
		synctest.Wait()
	}
}

// pass lets virtual time pass.
func (f *fixture) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// eventually waits for a condition, ten minutes of virtual time or twenty seconds of
// real time.
func (f *fixture) eventually(what string, cond func() bool) {
	f.t.Helper()
	patience := 20 * time.Second
	if f.virtual {
		patience = 10 * time.Minute
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		f.settle()
		if cond() {
			return
		}
		if time.Since(began) > patience {
			f.t.Fatalf("waited in vain for %s; delivered %s; logged %v", what, summary(f.sink.Bodies()), f.messages())
		}
	}
}

// expect waits for the delivery of as many lines and compares them with all that has
// been delivered since the beginning.
func (f *fixture) expect(bodies ...string) {
	f.t.Helper()
	f.eventually(fmt.Sprint(len(bodies), " lines"), func() bool { return len(f.sink.Bodies()) >= len(bodies) })
	f.settle()
	require.Equal(f.t, bodies, f.sink.Bodies())
}

// expectLines is expect for the lines that write makes.
func (f *fixture) expectLines(from, to int) {
	f.t.Helper()
	f.expect(numbered(from, to)...)
}

// container adds a running container that has no log yet.
func (f *fixture) container(name string) *enginetest.Container {
	return f.engine.Add(enginetest.ContainerSpec{Name: name, Running: true})
}

// write logs numbered lines.
func write(c *enginetest.Container, from, to int) {
	c.Write(stdout, strings.Join(numbered(from, to), "\n")+"\n")
}

func numbered(from, to int) []string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprint("line ", i))
	}
	return list
}

func summary(bodies []string) string {
	if len(bodies) > 20 {
		return fmt.Sprintf("%d lines, the last are %q", len(bodies), bodies[len(bodies)-20:])
	}
	return fmt.Sprintf("%q", bodies)
}

// following waits until that many follows are open.
func (f *fixture) following(n int) {
	f.t.Helper()
	f.eventually(fmt.Sprint(n, " follows"), func() bool { return f.engine.OpenFollows() == n })
}

// messages are the log messages of at least level info, each with its level.
func (f *fixture) messages() []string {
	var list []string
	for _, entry := range f.logs.All() {
		list = append(list, entry.Level.String()+": "+entry.Message)
	}
	return list
}

func (f *fixture) logged(level zapcore.Level, text string) int {
	return f.logs.FilterLevelExact(level).FilterMessageSnippet(text).Len()
}

// requests counts the requests of a kind so far.
func (f *fixture) requests(kind enginetest.Kind) int { return len(f.requestsOf(kind)) }

func (f *fixture) requestsOf(kind enginetest.Kind) []enginetest.Request {
	var list []enginetest.Request
	for _, req := range f.engine.Requests() {
		if req.Kind == kind {
			list = append(list, req)
		}
	}
	return list
}

// metric sums the data points of one of the receiver's sums that have the attributes.
func (f *fixture) metric(name string, attributes ...string) int64 {
	return logstest.Sum(f.tel, name, attributes...)
}

// checkInvariants checks what must hold after every scenario.
func (f *fixture) checkInvariants() {
	seen := make(map[string]string)
	for _, rec := range f.sink.All() {
		if other, ok := seen[rec.UID]; ok {
			f.t.Errorf("two records have the log.record.uid %s: %.50q and %.50q", rec.UID, other, rec.Body)
		}
		seen[rec.UID] = rec.Body
	}
	for _, point := range logstest.Points(f.tel, "captures") {
		assert.Zero(f.t, point.Value, "captures %v after the end", point.Attributes.ToSlice())
	}
	var all metricdata.ResourceMetrics
	require.NoError(f.t, f.tel.Reader.Collect(context.Background(), &all))
	text := fmt.Sprint(all)
	for _, req := range f.requestsOf(enginetest.KindInspect) {
		assert.NotContains(f.t, text, req.Container, "a metric has a container's id")
	}
}

// host records the statuses that are reported to it.
type host struct {
	component.Host
	mu       sync.Mutex
	reported []componentstatus.Status
}

func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reported = append(h.reported, event.Status())
}

func (h *host) statuses() []componentstatus.Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]componentstatus.Status(nil), h.reported...)
}
