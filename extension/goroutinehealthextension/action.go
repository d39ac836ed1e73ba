// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
)

// logLevelChange logs a change of the level, and dumps when it becomes critical.
func (m *monitor) logLevelChange(snap *snapshot) {
	level := snap.finding.Level
	if level == m.level {
		return
	}
	fields := []zap.Field{zap.String("reason", snap.reason), zap.Int("goroutines", snap.counts.Total)}
	switch level {
	case verdict.Healthy:
		m.h.set.Logger.Info("goroutines are healthy again", fields...)
	case verdict.Warning:
		m.h.set.Logger.Warn("goroutines: warning", fields...)
	case verdict.Critical:
		m.h.set.Logger.Error("goroutines: critical", fields...)
	}
	if level == verdict.Critical {
		m.h.dump(snap)
	}
	m.level = level
}

// settleTime is how long the pipelines have to run before the extension acts. The Collector
// says that they do a moment before it listens for signals.
const settleTime = time.Second

// patience is how long the extension waits for its own end, first after it has asked for a
// restart and then after it has asked for a shutdown.
const patience = time.Minute

// act does what is configured for a critical verdict, once: after that comes another
// extension, or the end of the process. It leaves it undone while the pipelines start or
// shut down, when the Collector hears of nothing: the signal would be lost, or would have
// the pipelines restarted that have just been.
func (m *monitor) act(ctx context.Context, snap *snapshot, now time.Time) {
	if snap.finding.Level != verdict.Critical || m.acted || m.h.cfg.OnCritical == ActionReport {
		return
	}
	if ready := m.h.readySince.Load(); ready == nil || now.Sub(*ready) < settleTime {
		return // the verdict is the same at the next count, unless this has helped
	}
	m.acted = true
	reason := snap.reason
	if m.h.cfg.OnCritical == ActionRestart {
		n, _, _ := m.h.history.restartsSince(now.Add(-m.h.cfg.RestartWindow))
		if n < m.h.cfg.MaxRestarts {
			m.h.set.Logger.Warn("restarting the pipelines because of goroutines",
				zap.String("reason", reason), zap.Int("restart", n+1), zap.Int("max_restarts", m.h.cfg.MaxRestarts))
			m.h.history.addRestart(restart{At: now, Reason: reason}, m.h.cfg.MaxRestarts)
			err := m.h.restart()
			if err == nil {
				m.h.running.Go(func() { m.h.awaitRestart(ctx, reason) })
				return
			}
			reason = fmt.Sprintf("%s; the pipelines cannot be restarted: %v", reason, err)
		} else {
			reason = fmt.Sprintf("%s; %d restarts in %v did not help", reason, n, m.h.cfg.RestartWindow)
		}
	}
	m.h.running.Go(func() { m.h.shutDown(ctx, reason) })
}

// awaitRestart waits until ctx ends with the extension. The Collector shuts extensions down
// when it has shut down the pipelines, of which one may hang. Or the signal has brought
// about nothing: with the feature gate service.partialReload the Collector compares the
// configuration and finds it unchanged.
func (h *goroutineHealth) awaitRestart(ctx context.Context, reason string) {
	select {
	case <-ctx.Done():
	case <-time.After(patience):
		h.shutDown(ctx, fmt.Sprintf("%s; the pipelines have not been restarted within %v", reason, patience))
	}
}

// shutDown has the Collector shut down, and ends the process if ctx has not ended with the
// extension by then: receivers have been stopped, so that a process that hangs does nothing.
func (h *goroutineHealth) shutDown(ctx context.Context, reason string) {
	h.set.Logger.Error("shutting down because of goroutines", zap.String("reason", reason))
	h.shutdownReason.Store(&reason)
	h.fatal(errors.New(reason))
	select {
	case <-ctx.Done():
	case <-time.After(patience):
		h.set.Logger.Error("ending the process: a component has not shut down", zap.Duration("waited", patience), zap.String("reason", reason))
		h.exit(1)
	}
}

// reportFatal has the Collector shut down gracefully. It does not wait for that.
func (h *goroutineHealth) reportFatal(reason error) {
	go func() {
		// Reporting blocks until the Collector reads the status. While it shuts down it
		// never does, and it waits for this extension. So nobody waits for this
		// goroutine: it ends with the process at the latest, which is near.
		componentstatus.ReportStatus(h.host, componentstatus.NewFatalErrorEvent(reason))
	}()
}
