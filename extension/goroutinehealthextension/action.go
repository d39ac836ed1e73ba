// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
)

// tell logs a change of the level, once.
func (w *watch) tell(f *found) {
	level := f.finding.Level
	if level == w.level {
		return
	}
	fields := []zap.Field{zap.String("reason", f.reason), zap.Int("goroutines", f.counts.Total)}
	switch level {
	case verdict.Healthy:
		w.h.set.Logger.Info("goroutines are healthy again", fields...)
	case verdict.Warning:
		w.h.set.Logger.Warn("goroutines: warning", fields...)
	case verdict.Critical:
		w.h.set.Logger.Error("goroutines: critical", fields...)
	}
	if level == verdict.Critical {
		w.h.dump(f)
	}
	w.level = level
}

// act does what is configured for a critical verdict. It is done once: what comes
// then is another extension, or the end.
func (w *watch) act(f *found, now time.Time) {
	if f.finding.Level != verdict.Critical || w.acted || w.h.cfg.OnCritical == ActionReport {
		return
	}
	w.acted = true
	reason := f.reason
	if w.h.cfg.OnCritical == ActionRestart {
		n, _, _ := w.h.past.restartsSince(now.Add(-w.h.cfg.RestartWindow))
		if n < w.h.cfg.MaxRestarts {
			w.h.set.Logger.Warn("restarting the pipelines because of goroutines",
				zap.String("reason", reason), zap.Int("restart", n+1), zap.Int("max_restarts", w.h.cfg.MaxRestarts))
			w.h.past.addRestart(restart{At: now, Reason: reason})
			err := w.h.restart()
			if err == nil {
				return
			}
			reason = fmt.Sprintf("%s; the pipelines cannot be restarted: %v", reason, err)
		} else {
			reason = fmt.Sprintf("%s; %d restarts in %v did not help", reason, n, w.h.cfg.RestartWindow)
		}
	}
	w.h.set.Logger.Error("shutting down because of goroutines", zap.String("reason", reason))
	w.h.shutdown.Store(&reason)
	w.h.fatal(errors.New(reason))
}

// reportFatal makes the Collector shut down gracefully. It does not wait for that.
func (h *goroutineHealth) reportFatal(reason error) {
	go func() {
		// Reporting blocks until the Collector takes note, which it does not do when
		// it is shutting down already, and that waits for us. So nobody waits for
		// this goroutine; it ends with the process at the latest, which is near.
		componentstatus.ReportStatus(h.host, componentstatus.NewFatalErrorEvent(reason))
	}()
}
