// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
)

// dockerLogs is the receiver: what all captures share. The containers belong to the owner
// loop alone.
type dockerLogs struct {
	cfg      *Config
	set      receiver.Settings
	next     consumer.Logs
	obs      *receiverhelper.ObsReport
	tel      *metadata.TelemetryBuilder
	selector selector.Selector
	wanted   batch.Attributes
	evidence evidence // of the container that we run in; none with include_self
	self     string   // its id, set by the owner before it starts a capture

	store    *store // nil without storage
	health   health // nil without one
	engine   *engine.Client
	source   *source.Engine
	outbox   *outbox
	owner    *owner
	info     atomic.Pointer[engine.Info] // set by the owner before it starts a capture
	engineUp atomic.Bool                 // what the owner found last
	captured sync.Map                    // ids of the containers whose captures run
	board    *status.Board               // what is shown; nil where nothing is
	server   *http.Server                // which shows it
	pressure atomic.Bool                 // what health reported last

	warnDropped  sync.Once
	warnFiles    sync.Once
	warnLabels   sync.Once
	warnEvents   sync.Once
	running      sync.WaitGroup  // the owner loop, which waits for the captures and the outbox
	reading      context.Context // of all requests
	stopReading  func()
	delivering   context.Context // of what is being delivered; outlives the reading
	stopDelivery func()

	ownEvidence   func() evidence                   // tests
	configureDial func(*engine.Config)              // tests
	openWatcher   func() (*fsnotify.Watcher, error) // tests replace it
}

func newDockerLogs(set receiver.Settings, cfg *Config, next consumer.Logs) (*dockerLogs, error) {
	obs, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID: set.ID, Transport: "http", LongLivedCtx: true, ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	tel, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	return &dockerLogs{cfg: cfg, set: set, next: next, obs: obs, tel: tel, ownEvidence: ownEvidence, openWatcher: fsnotify.NewWatcher}, nil
}

// Start implements component.Component. It does not wait for the engine.
func (r *dockerLogs) Start(ctx context.Context, host component.Host) error {
	settings := engine.Config{
		Endpoint:   cmp.Or(r.cfg.Endpoint, engine.EndpointFromEnv()),
		APIVersion: r.cfg.APIVersion,
		Timeout:    r.cfg.Timeout,
		Observe:    r.countRequest,
	}
	if r.cfg.TLS.HasValue() {
		var err error
		if settings.TLS, err = r.cfg.TLS.Get().LoadTLSConfig(ctx); err != nil {
			return fmt.Errorf("tls: %w", err)
		}
	}
	if r.configureDial != nil {
		r.configureDial(&settings)
	}
	var err error
	if r.selector, err = r.cfg.selector(); err != nil {
		return err
	}
	if r.wanted, err = r.cfg.attributes(); err != nil {
		return err
	}
	if r.engine, err = engine.New(settings); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if settings.Exposed() {
		r.set.Logger.Warn("the engine's API is reached over a network without TLS: whoever can reach this address is root on the engine's host, "+
			"unless a proxy there allows reading only, and whoever sees the traffic reads the lines and the environment of all containers",
			zap.String("endpoint", settings.Endpoint), zap.String("remedy", "set tls, or use the engine's socket, or a proxy in a network that nothing else is in"))
	}
	r.source = (&source.Engine{
		Client: r.engine, MaxLogSize: int(r.cfg.MaxLogSize), BySeconds: r.podman, Suppressed: r.countSuppressed,
		Files: source.Files{Root: r.cfg.File.Root, DataRoot: r.dataRoot},
	}).Init()
	if !r.cfg.IncludeSelf {
		r.evidence = r.ownEvidence()
	}
	if r.health, err = findHealth(host, r.cfg.Adaptive.Health); err != nil {
		return err
	}
	if r.store, err = openStore(ctx, host, r.cfg.Storage, r.set.ID, r.set.Logger); err != nil {
		return err
	}
	r.reading, r.stopReading = context.WithCancel(context.Background())
	r.delivering, r.stopDelivery = context.WithCancel(context.Background())
	if r.cfg.Status.NetAddr.Endpoint != "" {
		r.board = status.New(r.look)
	}
	r.owner = newOwner(r, host) // here, since what is written once Start has returned is ours
	r.outbox = newOutbox(r.cfg.Batch, r.deliver, r.owner.positionsChanged, r.countBuffered)
	r.initCounters()
	if err := r.observe(); err != nil {
		return err
	}
	if err := r.serveStatus(ctx, host); err != nil {
		return errors.Join(err, r.store.close(ctx))
	}
	r.announceCaptures(host, func(id string) bool { _, captured := r.captured.Load(id); return captured })
	go pprof.Do(r.delivering, r.labels("deliver", "", ""), func(context.Context) { r.outbox.run() }) // the owner ends it
	r.running.Go(func() { r.owner.run(r.reading) })
	return nil
}

// shutdownGrace is how long Shutdown waits, once its context has ended, for what heeds the end of
// its own: the call of the pipeline, and then positions are stored and the storage is closed,
// before the Collector goes on to stop that.
const shutdownGrace = time.Second

// Shutdown implements component.Component. It ends the reading, lets what is in hand
// be delivered until ctx ends, and waits for every goroutine, but for no pipeline that is deaf.
func (r *dockerLogs) Shutdown(ctx context.Context) error {
	defer r.tel.Shutdown()
	if r.reading == nil {
		return nil // never started
	}
	r.closeStatus(ctx)
	r.announceCaptures(r.owner.host, nil)
	r.stopReading()
	defer r.stopDelivery()
	done := make(chan struct{})
	go func() { // ends with the owner loop, whose own end the caller may not wait for
		r.running.Wait()
		r.engine.Close()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	r.stopDelivery()
	grace := time.NewTimer(shutdownGrace)
	defer grace.Stop()
	select {
	case <-done:
		return nil
	case <-grace.C:
		return fmt.Errorf("the pipeline still holds a batch: %w", ctx.Err())
	}
}

// selected reports whether to capture a container.
func (r *dockerLogs) selected(c engine.Summary) bool {
	return c.ID != r.self && r.selector.Selects(c)
}

// podman reports whether the engine is Podman, once it has been reached.
func (r *dockerLogs) podman() bool { return r.info.Load().Runtime == "podman" }

// dataRoot returns the engine's directory, "" of one whose files are not read: Podman's have
// another format, and its API other time stamps.
func (r *dockerLogs) dataRoot() string {
	if r.podman() {
		return ""
	}
	return r.info.Load().DataRoot
}

// announceCaptures has extensions such as goroutine_health ask which containers are captured;
// nil takes that back.
func (r *dockerLogs) announceCaptures(host component.Host, captured func(containerID string) bool) {
	type asker interface {
		Captures(component string, captured func(containerID string) bool)
	}
	eachExtension(host, func(e asker) { e.Captures(r.set.ID.String(), captured) })
}

// eachExtension calls do with the extensions that have the methods of E.
func eachExtension[E any](host component.Host, do func(E)) {
	for _, extension := range host.GetExtensions() {
		if e, ok := extension.(E); ok {
			do(e)
		}
	}
}

// labels name a goroutine, and those of the HTTP transport that it causes, in profiles.
// role is capture, for one container, deliver or status.
func (r *dockerLogs) labels(role, id, name string) pprof.LabelSet {
	labels := []string{"otelcol.component.kind", "receiver", "otelcol.component.id", r.set.ID.String(), "role", role}
	if id != "" {
		labels = append(labels, "container.id", id, "container.name", name)
	}
	return pprof.Labels(labels...)
}
