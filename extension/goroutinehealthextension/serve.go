// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
)

// page is the whole page: it loads nothing but the status.
//
//go:embed page.html
var page []byte

// serve starts the endpoint, unless it is switched off.
func (h *goroutineHealth) serve(ctx context.Context) error {
	if h.cfg.ServerConfig.NetAddr.Endpoint == "" {
		return nil
	}
	listener, err := h.cfg.ServerConfig.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	h.server, err = h.cfg.ServerConfig.ToServer(ctx, h.host.GetExtensions(), h.set.TelemetrySettings, h.handler())
	if err != nil {
		return errors.Join(fmt.Errorf("endpoint: %w", err), listener.Close())
	}
	h.addr = listener.Addr()
	h.running.Go(func() { // ends with the server, which closes the listener
		if err := h.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			h.set.Logger.Error("the endpoint has failed; monitoring continues", zap.Error(err))
			componentstatus.ReportStatus(h.host, componentstatus.NewPermanentErrorEvent(err))
		}
	})
	return nil
}

func (h *goroutineHealth) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage)
	mux.HandleFunc("GET /api/v1/status", h.serveStatus)
	return mux
}

func servePage(w http.ResponseWriter, _ *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy",
		"default-src 'none'; connect-src 'self'; img-src data:; script-src 'unsafe-inline'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	_, _ = w.Write(page)
}

func (h *goroutineHealth) serveStatus(w http.ResponseWriter, _ *http.Request) {
	s := h.status(time.Now())
	body, err := json.Marshal(s)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if s.Verdict == verdict.Critical {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write(append(body, '\n'))
}
