// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/reach"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/webui"
)

//go:embed page.html
var html string

// page is the whole page: it loads nothing but the status.
var page = webui.Page(html)

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
	if reach.Open(&h.cfg.ServerConfig) {
		h.set.Logger.Warn("the page answers whoever can reach this address, with the names of containers and functions, and asks for no login",
			zap.String("endpoint", h.cfg.ServerConfig.NetAddr.Endpoint),
			zap.String("remedy", "set auth, or endpoint: localhost:13134; in a container, publish the port on 127.0.0.1 of the host, if at all"))
	}
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
	mux.Handle("GET /{$}", page)
	mux.HandleFunc("GET /api/v1/status", h.serveStatus)
	return mux
}

// HealthPage returns where the page is served, for components that link to it: a URL, or
// :PORT where it is on all addresses; "" where it is on none. A component finds this method by
// a type assertion on the extension and need not import it.
func (h *goroutineHealth) HealthPage() string { return webui.Address(&h.cfg.ServerConfig, h.addr) }

// LinkPage has the page show a link to that of another component, at an address as HealthPage
// returns one; "" takes the link away. A component finds this method as it finds HealthPage.
func (h *goroutineHealth) LinkPage(component, address string) {
	if address == "" {
		h.pages.Delete(component)
		return
	}
	h.pages.Store(component, address)
}

func (h *goroutineHealth) serveStatus(w http.ResponseWriter, _ *http.Request) {
	s, code := h.status(time.Now()), http.StatusOK
	if s.Verdict == verdict.Critical {
		code = http.StatusServiceUnavailable
	}
	webui.Answer(w, code, s)
}
