// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/webui"
)

// goroutineHealth is the extension. One goroutine, the monitor's, counts and judges. It
// publishes what it has found as one value, which the metrics, the endpoint and Pressure
// read.
type goroutineHealth struct {
	cfg     *Config
	set     extension.Settings
	tel     *metadata.TelemetryBuilder
	src     source
	history *processHistory

	latest         atomic.Pointer[snapshot]
	shutdownReason atomic.Pointer[string]    // why the extension asked for the shutdown
	readySince     atomic.Pointer[time.Time] // nil while the pipelines do not run

	host    component.Host
	server  *http.Server
	addr    net.Addr // of the server
	running sync.WaitGroup
	stop    context.CancelFunc

	captures sync.Map // functions that tell whether a container is captured, by the names of their components

	pages sync.Map // addresses of the pages that ours links to, by the names of their components

	restart func() error       // restartPipelines, except in tests
	fatal   func(reason error) // reportFatal, except in tests
	exit    func(status int)   // os.Exit, except in tests
}

func newGoroutineHealth(set extension.Settings, cfg *Config, src source, history *processHistory) *goroutineHealth {
	h := &goroutineHealth{cfg: cfg, set: set, src: src, history: history, restart: restartPipelines, exit: os.Exit}
	h.fatal = h.reportFatal
	h.latest.Store(&snapshot{})
	return h
}

// Pressure reports whether components that can work with fewer goroutines should do so:
// there are too many, or ever more. A component finds this method by a type assertion on
// the extension and need not import it.
func (h *goroutineHealth) Pressure() bool { return h.latest.Load().finding.Pressure() }

// Captures has the extension ask a component which containers it captures, so that what one
// leaves behind when it ends is told from what a capture needs; nil takes that back. The
// function is called from another goroutine. A component finds this method as it finds
// Pressure.
func (h *goroutineHealth) Captures(component string, captured func(containerID string) bool) {
	if captured == nil {
		h.captures.Delete(component)
		return
	}
	h.captures.Store(component, captured)
}

// hasEnded reports whether a container's component tells what it captures, and neither this
// nor another captures the container.
func (h *goroutineHealth) hasEnded(c *census.Container) bool {
	if _, tells := h.captures.Load(c.Component); !tells {
		return false
	}
	for _, captured := range h.captures.Range {
		if captured.(func(string) bool)(c.ID) {
			return false
		}
	}
	return true
}

// Start implements component.Component.
func (h *goroutineHealth) Start(ctx context.Context, host component.Host) error {
	h.host = host
	var err error
	if h.tel, err = metadata.NewTelemetryBuilder(h.set.TelemetrySettings); err != nil {
		return err
	}
	if err := h.registerMetrics(); err != nil {
		return errors.Join(err, h.Shutdown(ctx))
	}
	running, stop := context.WithCancel(context.Background())
	h.stop = stop
	labels := pprof.Labels(census.LabelComponent, h.set.ID.String(), census.LabelKind, "extension")
	// The goroutines started here inherit these labels. This one, the Collector's, gets
	// its own back.
	pprof.Do(ctx, labels, func(ctx context.Context) {
		if err = h.serve(ctx); err != nil {
			return
		}
		h.running.Go(func() { newMonitor(h).run(running) })
	})
	if err != nil {
		return errors.Join(err, h.Shutdown(ctx))
	}
	h.set.Logger.Info("watching goroutines", zap.String("on_critical", string(h.cfg.OnCritical)),
		zap.Int("warning", h.cfg.Warning), zap.Int("critical", h.cfg.Critical), zap.Bool("finds_leaks", h.src.canFindLeaks()))
	return nil
}

// Ready implements extensioncapabilities.PipelineWatcher.
func (h *goroutineHealth) Ready() error {
	now := time.Now()
	h.readySince.Store(&now)
	return nil
}

// NotReady implements extensioncapabilities.PipelineWatcher.
func (h *goroutineHealth) NotReady() error {
	h.readySince.Store(nil)
	return nil
}

// Shutdown implements component.Component. It returns an error where the extension itself
// asked for the end of the Collector: a fatal status ends it, but only an error at
// shutdown makes its exit status other than zero. For the same reason a request that has
// to be cut off is no error: at a restart of the pipelines it would end the process.
func (h *goroutineHealth) Shutdown(ctx context.Context) error {
	var err error
	if h.stop != nil {
		h.stop()
	}
	if h.server != nil {
		err = webui.Close(ctx, h.server)
	}
	done := make(chan struct{})
	go func() { // ends once the monitor does, which may be in a census
		h.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	if h.tel != nil {
		h.tel.Shutdown()
	}
	if reason := h.shutdownReason.Swap(nil); reason != nil {
		err = errors.Join(err, fmt.Errorf("shut down because of goroutines: %s", *reason))
	}
	return err
}

// snapshot is what one step of the monitor has found. It does not change.
type snapshot struct {
	counts  counts
	finding verdict.Finding
	reason  string
	census  *census.Census // the last one; nil before the first
	leaked  *census.Census // the last one; nil where the runtime cannot find leaks

	creators creators              // as far as they are known
	grown    map[census.Origin]int // above need, over the window
}
