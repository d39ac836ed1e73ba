// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"io"
	"runtime/pprof"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// maxCatchUps bounds how many logs are read at a time without being followed, so
// that a thousand containers do not storm an engine that comes back.
const maxCatchUps = 16

const (
	// readBuffer holds the largest frame that an engine sends, a chunk of 16,384 bytes
	// with its header and time stamp, twice over.
	readBuffer = 32 << 10
	// followBuffer is smaller: there may be thousands of follows, most of them idle.
	followBuffer = 4 << 10
)

// dockerLogs is the receiver: what all captures share. The containers belong to
// the owner loop alone.
type dockerLogs struct {
	cfg      *Config
	set      receiver.Settings
	next     consumer.Logs
	obs      *receiverhelper.ObsReport
	tel      *metadata.TelemetryBuilder
	selector selector
	self     string // id of the container that we run in

	store  *store // nil without storage
	health health // nil without one
	engine *engine.Client
	info   atomic.Pointer[engine.Info] // set by the owner before it starts a capture

	catchUps    chan struct{} // holds as many values as captures catch up
	readers     sync.Pool     // *stream.Reader
	followers   sync.Pool     // *stream.Reader, of follows
	batches     sync.Pool     // *batch
	warnDropped sync.Once
	lag         lag
	engineUp    atomic.Bool // what the owner found last

	pressure      atomic.Bool     // what health says
	running       sync.WaitGroup  // the owner loop, which waits for the captures
	reading       context.Context // of all requests
	stopReading   func()
	delivering    context.Context // of what is being delivered; outlives the reading
	stopDelivery  func()
	configureDial func(*engine.Config) // tests
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
	selector, err := newSelector(cfg)
	if err != nil {
		return nil, err
	}
	r := &dockerLogs{
		cfg: cfg, set: set, next: next, obs: obs, tel: tel, selector: selector,
		catchUps: make(chan struct{}, maxCatchUps),
		batches:  sync.Pool{New: func() any { return new(batch) }},
	}
	if err := r.observe(); err != nil {
		return nil, err
	}
	r.readers.New = func() any { return stream.NewReader(readBuffer) }
	r.followers.New = func() any { return stream.NewReader(followBuffer) }
	return r, nil
}

// Start implements component.Component. It does not wait for the engine.
func (r *dockerLogs) Start(ctx context.Context, host component.Host) error {
	settings := engine.Config{
		Endpoint:   first(r.cfg.Endpoint, engine.EndpointFromEnv()),
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
	if r.engine, err = engine.New(settings); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if !r.cfg.IncludeSelf {
		r.self = selfID()
	}
	if r.health, err = findHealth(host, r.cfg.Adaptive.Health); err != nil {
		return err
	}
	if r.store, err = openStore(ctx, host, r.cfg.Storage, r.set.ID, r.set.Logger); err != nil {
		return err
	}
	r.reading, r.stopReading = context.WithCancel(context.Background())
	r.delivering, r.stopDelivery = context.WithCancel(context.Background())
	r.countNone()
	owner := newOwner(r, host) // here, for what is written once Start has returned is ours
	r.running.Go(func() { owner.run(r.reading) })
	return nil
}

// Shutdown implements component.Component. It ends the reading, lets what is in hand
// be delivered until ctx ends, and waits for every goroutine.
func (r *dockerLogs) Shutdown(ctx context.Context) error {
	defer r.tel.Shutdown()
	if r.reading == nil {
		return nil // never started
	}
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
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the pipeline still holds a batch: %w", ctx.Err())
	}
}

// acquire waits for leave to catch up. It is false when ctx ends first.
func (r *dockerLogs) acquire(ctx context.Context) bool {
	select {
	case r.catchUps <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (r *dockerLogs) release() { <-r.catchUps }

// getReader gives a reader of an answer that is, or is not, followed.
func (r *dockerLogs) getReader(src io.Reader, tty, follow bool) *stream.Reader {
	d := r.pool(follow).Get().(*stream.Reader)
	d.Reset(src, tty, int(r.cfg.MaxLogSize))
	return d
}

func (r *dockerLogs) putReader(d *stream.Reader, follow bool) {
	d.Reset(nil, false, 0)
	r.pool(follow).Put(d)
}

func (r *dockerLogs) pool(follow bool) *sync.Pool {
	if follow {
		return &r.followers
	}
	return &r.readers
}

func (r *dockerLogs) getBatch() *batch { return r.batches.Get().(*batch) }

func (r *dockerLogs) putBatch(b *batch) {
	b.reset()
	r.batches.Put(b)
}

// selected tells whether to capture a container.
func (r *dockerLogs) selected(c engine.Summary) bool {
	return c.ID != r.self && r.selector.selects(c)
}

// labels name a goroutine that works for a container, and the HTTP transport's that it
// causes, in profiles. role is capture or deliver.
func (r *dockerLogs) labels(id, role string) pprof.LabelSet {
	return pprof.Labels("otelcol.component.kind", "receiver", "otelcol.component.id", r.set.ID.String(),
		"role", role, "container.id", id)
}
