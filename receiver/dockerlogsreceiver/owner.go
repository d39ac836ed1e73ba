// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

const (
	// listInterval is how often the list of containers is read again, in case an
	// event has been missed.
	listInterval = 60 * time.Second
	// listIntervalAlone is that where the engine's events are not available, or not
	// reliable: a loaded Podman loses some.
	listIntervalAlone = 10 * time.Second
	// eventsRetry is how long after GET /events was denied it is tried again.
	eventsRetry = 5 * time.Minute
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
	finished chan *container // whose captures have ended
	active   int             // captures that have not
	listed   bool            // the engine's containers have been seen once
	sought   bool            // so has been the container that we run in, found or not
	floor    int64           // engine's time at our start, in nanoseconds
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
		<-o.finished
		o.active--
	}
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
	if o.r.store == nil {
		return
	}
	if err := o.r.store.client.Close(ctx); err != nil {
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
		case c := <-o.finished:
			o.captureEnded(ctx, c)
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

// session is one subscription to the engine's events. It returns when that ends, or is
// not granted.
func (o *owner) session(ctx context.Context) error {
	if o.r.store != nil && !o.r.store.loaded {
		// Before the positions are known nothing can be read: it would be read anew.
		known, err := o.r.store.load(ctx)
		if err != nil {
			return err
		}
		o.listed = known
	}
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
	if o.r.podman() {
		interval = listIntervalAlone
	}
	var retry <-chan time.Time
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
		retry = time.After(eventsRetry)
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
		if err := o.dispatch(ctx, tick.C, lost); err != nil {
			return err
		}
		select {
		case <-retry:
			return errEventsAgain
		default:
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
	o.r.source.Files.Forget()
	if err := o.findSelf(ctx); err != nil {
		return err
	}
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

// errEventsAgain ends a session without events, so that the next one asks for them.
var errEventsAgain = errors.New("time to ask for events again")

// engineDown reports, once, that the engine cannot be reached, or not used.
func (o *owner) engineDown(err error) {
	o.r.engineUp.Store(false)
	log := o.r.set.Logger
	if version := new(engine.VersionError); errors.As(err, &version) && !o.versionLogged {
		o.versionLogged = true
		log.Error("the Docker Engine does not serve this version of its API; capturing goes on as soon as it does", zap.Error(err))
	} else if !o.outageLogged {
		log.Warn("the Docker Engine does not answer; capturing goes on where it was as soon as it does", zap.Error(err))
	}
	if o.outageLogged {
		return
	}
	o.outageLogged = true
	componentstatus.ReportStatus(o.host, componentstatus.NewRecoverableErrorEvent(err))
}

// eventsDenied reports, once, that the engine, or a proxy before it, denies its events.
func (o *owner) eventsDenied(err error) {
	if o.eventsDeniedLogged {
		return
	}
	o.eventsDeniedLogged = true
	o.r.set.Logger.Warn("GET /events is denied; containers are found by listing them, and short-lived ones may be missed",
		zap.Duration("interval", listIntervalAlone), zap.Error(err), zap.String("remedy", "allow GET /events in the proxy before the engine"))
}

func (o *owner) engineUp() {
	o.r.engineUp.Store(true)
	info := o.r.info.Load()
	fields := []zap.Field{zap.String("engine", info.Name), zap.String("version", info.Version), zap.String("api_version", info.APIVersion)}
	if !o.outageLogged {
		o.r.set.Logger.Debug("connected to the Docker Engine", fields...)
		return
	}
	o.outageLogged, o.versionLogged = false, false
	o.r.set.Logger.Info("the Docker Engine answers again", fields...)
	componentstatus.ReportStatus(o.host, componentstatus.NewEvent(componentstatus.StatusOK))
}
