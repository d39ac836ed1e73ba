// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

const (
	// listInterval is how often the list of containers is read again, in case an
	// event has been missed.
	listInterval = 60 * time.Second
	// listIntervalAlone is that where the engine's events are not to be had, or not to
	// be relied on: a loaded Podman loses some.
	listIntervalAlone = 10 * time.Second
	// keepInterval is how often positions are stored.
	keepInterval = time.Second
	// The wait before the engine is tried again doubles from the first to the
	// second of these.
	minConnectWait = 500 * time.Millisecond
	maxConnectWait = 30 * time.Second
)

// owner knows which containers there are. Its goroutine alone touches its fields:
// events, ticks and the ends of captures all come to it.
type owner struct {
	r        *dockerLogs
	host     component.Host
	began    time.Time
	known    map[string]*tracked // by container id
	events   chan engine.Event
	finished chan *tracked // captures that have ended
	active   int           // captures that have not
	listed   bool          // the engine's containers have been seen once
	down     bool          // the engine is away, and that has been said
	denied   bool          // events are not to be had, and that has been said
	floor    int64         // engine's time at our start, in nanoseconds
	streams  streams
	keep     <-chan time.Time // time to keep house
}

// tracked is a container that has been seen.
type tracked struct {
	capture *capture
	active  bool // its goroutine runs; until it ends only that touches the rest of capture
	missing bool // it was not in the last list
	name    string
}

func newOwner(r *dockerLogs, host component.Host) *owner {
	return &owner{
		r: r, host: host, began: time.Now(),
		known: make(map[string]*tracked), events: make(chan engine.Event, 64), finished: make(chan *tracked),
		streams: streams{limit: r.cfg.Adaptive.MaxStreams},
	}
}

// run keeps in touch with the engine until ctx ends, and returns when every capture
// has ended and the positions are stored.
func (o *owner) run(ctx context.Context) {
	if o.r.store != nil {
		o.listed = o.r.store.load(ctx)
	}
	defer o.finish()
	wait := backoff.ExponentialBackOff{
		InitialInterval: minConnectWait, MaxInterval: maxConnectWait, Multiplier: 2, RandomizationFactor: 0.5,
	}
	wait.Reset()
	keep := time.NewTicker(keepInterval)
	defer keep.Stop()
	o.keep = keep.C
	for {
		connected := time.Now()
		err := o.session(ctx)
		if ctx.Err() != nil {
			return
		}
		if time.Since(connected) > maxConnectWait {
			wait.Reset()
		}
		pause := wait.NextBackOff()
		o.r.set.Logger.Debug("lost touch with the engine", zap.Error(err), zap.Duration("next_attempt_in", pause))
		timer := time.NewTimer(pause)
		err = o.serve(ctx, timer.C, nil)
		timer.Stop()
		if err != nil {
			return
		}
	}
}

// finish waits for the captures, storing what they deliver last.
func (o *owner) finish() {
	for o.active > 0 {
		select {
		case <-o.finished:
			o.active--
		case <-o.keep:
			o.keepHouse()
		}
	}
	for _, t := range o.known {
		t.capture.setState(stateNone) // of one that cannot be read
	}
	if o.r.store == nil {
		return
	}
	// Not ctx, which has ended; a storage that hangs is for the Collector to judge.
	o.r.store.flush(context.Background(), time.Now(), o.known)
	if err := o.r.store.client.Close(context.Background()); err != nil {
		o.r.set.Logger.Warn("closing the storage failed", zap.Error(err))
	}
}

// serve does what comes up until wake fires, the subscription is lost, or ctx ends.
func (o *owner) serve(ctx context.Context, wake <-chan time.Time, lost <-chan error) error {
	for {
		select {
		case event := <-o.events:
			o.happened(ctx, event)
		case t := <-o.finished:
			o.captureEnded(ctx, t)
		case <-o.keep:
			o.keepHouse()
		case <-wake:
			return nil
		case err := <-lost:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// keepHouse stores positions and sees to the streams of adaptive.
func (o *owner) keepHouse() {
	if o.r.store != nil {
		o.r.store.flush(o.r.delivering, time.Now(), o.known)
	}
	if o.r.health != nil {
		if pressure := o.r.health.Pressure(); o.r.pressure.Swap(pressure) != pressure {
			for _, c := range o.adaptives() {
				c.reconsider()
			}
		}
	}
	if now := time.Now(); now.Sub(o.streams.ranked) >= rankInterval {
		o.streams.ranked = now
		for _, c := range o.streams.deal(o.adaptives()) {
			c.reconsider()
		}
	}
}

// session is one subscription to the engine's events. It returns when that ends, or
// cannot be had.
func (o *owner) session(ctx context.Context) error {
	if err := o.connect(ctx); err != nil {
		o.engineDown(err)
		return err
	}
	watch, cancel := context.WithCancel(ctx)
	subscribed, lost := make(chan struct{}), make(chan error, 1)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() { // ends with watch, or with the subscription
		lost <- o.r.engine.Events(watch, func() { close(subscribed) }, func(event engine.Event) {
			select {
			case o.events <- event:
			case <-watch.Done():
			}
		})
	})

	// Subscribed first and listed then, nothing falls between the two. An engine may
	// keep its answer to the subscription until there is an event.
	patience := time.NewTimer(o.r.cfg.Timeout)
	defer patience.Stop()
	interval := listInterval
	if o.r.info.Load().Runtime == "podman" {
		interval = listIntervalAlone
	}
	select {
	case <-subscribed:
	case <-patience.C:
	case err := <-lost:
		if !engine.IsDenied(err) {
			return err
		}
		// Without events there is still the list, which then has to be read more often.
		interval = listIntervalAlone
		o.eventsDenied(err)
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := o.reconcile(ctx, true); err != nil {
		o.engineDown(err)
		return err
	}
	o.engineUp()

	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := o.serve(ctx, tick.C, lost); err != nil {
			return err
		}
		if err := o.reconcile(ctx, false); err != nil {
			o.engineDown(err)
			return err
		}
	}
}

func (o *owner) connect(ctx context.Context) error {
	if err := o.r.engine.Connect(ctx); err != nil {
		return err
	}
	info, err := o.r.engine.Info(ctx)
	if err != nil {
		return err
	}
	o.r.info.Store(&info)
	if o.floor == 0 {
		now := info.Now
		if now.IsZero() {
			now = time.Now()
		}
		// What has been written since we started is ours, also where the engine
		// came later.
		o.floor = now.Add(-time.Since(o.began)).UnixNano()
	}
	return nil
}

// engineDown takes note that the engine cannot be reached, or not used.
func (o *owner) engineDown(err error) {
	o.r.engineUp.Store(false)
	if o.down {
		return
	}
	o.down = true
	o.r.set.Logger.Warn("the Docker Engine does not answer; capturing goes on where it was as soon as it does", zap.Error(err))
	componentstatus.ReportStatus(o.host, componentstatus.NewRecoverableErrorEvent(err))
}

// eventsDenied tells once that the engine, or a proxy before it, keeps its events.
func (o *owner) eventsDenied(err error) {
	if o.denied {
		return
	}
	o.denied = true
	o.r.set.Logger.Warn("GET /events is denied; containers are found by listing them, and short-lived ones may be missed; "+
		"allow it in the proxy before the engine", zap.Duration("interval", listIntervalAlone), zap.Error(err))
}

func (o *owner) engineUp() {
	o.r.engineUp.Store(true)
	info := o.r.info.Load()
	fields := []zap.Field{zap.String("engine", info.Name), zap.String("version", info.Version), zap.String("api_version", info.APIVersion)}
	if !o.down {
		o.r.set.Logger.Debug("connected to the Docker Engine", fields...)
		return
	}
	o.down = false
	o.r.set.Logger.Info("the Docker Engine answers again", fields...)
	componentstatus.ReportStatus(o.host, componentstatus.NewEvent(componentstatus.StatusOK))
}
