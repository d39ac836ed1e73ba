// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/reach"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/webui"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
)

// checkListenAddress returns what is wrong with an address to listen on; an empty one is for
// not listening.
func checkListenAddress(addr string) error {
	if addr == "" {
		return nil
	}
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is not a host and a port; write it like localhost:13135, or leave it empty for no status page", addr)
	}
	return nil
}

// serveStatus serves what the board shows, unless that is switched off.
func (r *dockerLogs) serveStatus(ctx context.Context, host component.Host) error {
	cfg := &r.cfg.Status
	if cfg.NetAddr.Endpoint == "" {
		return nil
	}
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return fmt.Errorf("status: endpoint: %w", err)
	}
	r.server, err = cfg.ToServer(ctx, host.GetExtensions(), r.set.TelemetrySettings, r.board.Handler())
	if err != nil {
		return errors.Join(fmt.Errorf("status: %w", err), listener.Close())
	}
	r.set.Logger.Info("what is captured of each container is shown", zap.Stringer("address", listener.Addr()))
	if reach.Open(cfg) {
		r.set.Logger.Warn("the status page answers whoever can reach this address, with the names and images of containers, and asks for no login",
			zap.String("endpoint", cfg.NetAddr.Endpoint),
			zap.String("remedy", "set status: auth, or status: endpoint: localhost:13135; in a container, publish the port on 127.0.0.1 of the host, if at all"))
	}
	r.announcePage(host, webui.Address(cfg, listener.Addr()))
	r.running.Go(func() { // ends with the server, which closes the listener
		pprof.Do(r.delivering, r.labels("status", "", ""), func(context.Context) {
			if err := r.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				r.set.Logger.Error("the status page has failed; capturing goes on", zap.Error(err))
				componentstatus.ReportStatus(host, componentstatus.NewRecoverableErrorEvent(err))
			}
		})
	})
	return nil
}

// closeStatus ends the server, if there is one. A request that has to be cut off is no error.
func (r *dockerLogs) closeStatus(ctx context.Context) {
	if r.server == nil {
		return
	}
	r.announcePage(r.owner.host, "")
	_ = webui.Close(ctx, r.server)
}

// announcePage has the pages of extensions, such as that of goroutine_health, link to ours at
// address; "" takes that back.
func (r *dockerLogs) announcePage(host component.Host, address string) {
	type linker interface {
		LinkPage(component, address string)
	}
	eachExtension(host, func(e linker) { e.LinkPage(r.set.ID.String(), address) })
}

// look adds to an answer what the board is not told.
func (r *dockerLogs) look(now *status.Now) {
	now.Receiver, now.Version = r.set.ID.String(), r.set.BuildInfo.Version
	now.HealthPage = healthPage(r.owner.host)
	now.Clock = r.engine.Now()
	if info := r.info.Load(); info != nil {
		e := &now.Engine
		e.Name = "Docker Engine"
		if r.podman() {
			e.Name = "Podman"
		}
		e.Host, e.Version, e.APIVersion, e.Runtime = info.Name, info.Version, info.APIVersion, info.Runtime
	}
	now.Oldest, now.Pipeline.WaitingBytes = r.outbox.unaccepted()
	now.Pipeline.OldestSeconds = max(0, r.outbox.lag(time.Now()).Seconds())
}

// healthPage returns where an extension such as goroutine_health serves its page; "" if none
// does.
func healthPage(host component.Host) string {
	extensions := host.GetExtensions()
	byName := func(a, b component.ID) int { return strings.Compare(a.String(), b.String()) }
	for _, id := range slices.SortedFunc(maps.Keys(extensions), byName) {
		if h, ok := extensions[id].(interface{ HealthPage() string }); ok && h.HealthPage() != "" {
			return h.HealthPage()
		}
	}
	return ""
}
