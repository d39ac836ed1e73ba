// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

const (
	// storeInterval is how often positions are stored at most; they are when the pipeline
	// has accepted something.
	storeInterval = 100 * time.Millisecond
	// tickInterval is how often pressure and the budget are looked at.
	tickInterval = time.Second
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
	known    map[string]*container // by id
	events   chan engine.Event
	held     []heldEvent
	finished chan *container // whose captures have ended
	active   int             // captures that have not
	listed   bool            // the engine's containers have been seen once
	sought   bool            // so has been the container that we run in, found or not
	floor    int64           // engine's time at our start, in nanoseconds
	looked   time.Time       // engine's time when its containers were last listed, else at our start; whole seconds
	budget   budget
	tick     <-chan time.Time
	watcher  *fileWatcher // of the files of captures that rest

	accepted chan struct{} // the pipeline has accepted something
	storeDue <-chan time.Time
	stored   time.Time // when positions were stored last

	outageLogged       bool
	versionLogged      bool // of the API, that it is not served
	eventsDeniedLogged bool
}

// container is a container that has been seen.
type container struct {
	capture *capture
	active  bool // its goroutine runs; until it ends only that touches the rest of capture
	resting bool // it does not, until its files change or something happens
	missing bool // it was not in the last list
	died    bool // and has not been started since, as events say
	removed bool // as an event says
	name    string
}

func newOwner(r *dockerLogs, host component.Host) *owner {
	return &owner{
		r: r, host: host, began: time.Now(),
		known: make(map[string]*container), events: make(chan engine.Event, 64), finished: make(chan *container),
		budget: budget{limit: r.cfg.Adaptive.MaxStreams}, accepted: make(chan struct{}, 1), watcher: newFileWatcher(r.set.Logger, r.openWatcher),
	}
}

// positionsChanged is called when the pipeline has accepted something. It does not block.
func (o *owner) positionsChanged() { notify(o.accepted) }

// run keeps in touch with the engine until ctx ends, and returns when every capture has
// ended, the outbox is empty and the positions are stored.
func (o *owner) run(ctx context.Context) {
	tick := time.NewTicker(tickInterval)
	defer tick.Stop()
	o.tick = tick.C
	defer o.finish()
	wait := newBackOff(minConnectWait, maxConnectWait)
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
		o.r.set.Logger.Debug("the session with the engine ended", zap.Error(err), zap.Duration("next_attempt_in", pause))
		timer := time.NewTimer(pause)
		err = o.dispatch(ctx, timer.C, nil)
		timer.Stop()
		if err != nil {
			return
		}
	}
}

// finish waits for the captures and for what they deliver last, and stores positions.
func (o *owner) finish() {
	for o.active > 0 {
		c := <-o.finished
		o.active--
		o.r.captured.Delete(c.capture.target.id)
	}
	o.tellRest()
	for _, c := range o.known {
		c.capture.setState(stateNone) // of one that cannot be read, or rests
		c.capture.source.CloseFiles()
	}
	o.watcher.close()
	o.r.outbox.close()
	// Not the receiver's context, which has ended; a storage that hangs is for the
	// Collector to judge.
	ctx := context.Background()
	for empty := false; !empty; o.storePositions(ctx) {
		select {
		case <-o.accepted:
		case <-o.r.outbox.empty:
			empty = true
		}
	}
	if err := o.r.store.close(ctx); err != nil {
		o.r.set.Logger.Warn("the storage could not be closed", zap.Error(err))
	}
}

// dispatch does what comes up until wake fires, the subscription is lost, or ctx ends.
func (o *owner) dispatch(ctx context.Context, wake <-chan time.Time, lost <-chan error) error {
	for {
		changes, lostChanges := o.watcher.events()
		select {
		case event := <-o.events:
			o.handleEvent(ctx, event)
			o.tell(event)
		case c := <-o.finished:
			o.captureEnded(ctx, c)
			o.releaseEvents(false)
		case event := <-changes:
			o.filesChanged(ctx, o.watcher.byPath[event.Name])
		case <-lostChanges:
			o.watcher.swept = time.Time{}
		case <-o.accepted:
			o.scheduleStore()
		case <-o.storeDue:
			o.storePositions(o.r.delivering)
		case <-o.tick:
			o.onTick(ctx)
		case <-wake:
			return nil
		case err := <-lost:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// tellRest hands on all events that have come.
func (o *owner) tellRest() {
	for {
		select {
		case event := <-o.events:
			o.tell(event)
		default:
			o.releaseEvents(true)
			return
		}
	}
}

func (o *owner) scheduleStore() {
	if o.r.store != nil && o.storeDue == nil {
		o.storeDue = time.After(storeInterval - time.Since(o.stored))
	}
}

// storePositions stores what has changed; what could not be stored is tried again.
func (o *owner) storePositions(ctx context.Context) {
	o.storeDue = nil
	if o.r.store == nil || !o.r.store.loaded {
		return
	}
	o.r.store.flush(ctx, time.Now(), o.known)
	o.stored = time.Now()
}

// onTick stores positions, looks at files, passes pressure on, and deals the follows of adaptive out anew.
func (o *owner) onTick(ctx context.Context) {
	o.storePositions(o.r.delivering) // of containers that have written nothing yet
	o.releaseEvents(false)
	for _, id := range o.watcher.sweep(time.Now()) {
		o.filesChanged(ctx, id)
	}
	if o.r.health != nil {
		if pressure := o.r.health.Pressure(); o.r.pressure.Swap(pressure) != pressure {
			for _, l := range o.budgeted() {
				l.Replan()
			}
		}
	}
	if now := time.Now(); now.Sub(o.budget.dealt) >= dealInterval {
		o.budget.dealt = now
		for _, l := range o.budget.deal(o.budgeted()) {
			l.Replan()
		}
	}
}
