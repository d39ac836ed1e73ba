// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

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
)

// session is one subscription to the engine's events. It returns when that ends, or is
// not granted.
func (o *owner) session(ctx context.Context) error {
	if o.r.store != nil && !o.r.store.loaded {
		// Before the positions are known nothing can be read: it would be read anew.
		known, err := o.r.store.load(ctx)
		if err != nil {
			return err
		}
		o.listed, o.looked = known, o.r.store.listed
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
		lost <- o.r.engine.Events(watch, o.r.cfg.Events.Enabled, func() { close(subscribed) }, func(event engine.Event) {
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
	o.engineUp(retry == nil)

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
		began := now.Add(-time.Since(o.began))
		o.floor = began.UnixNano()
		if o.looked.IsZero() {
			o.looked = began.Truncate(time.Second)
		}
	}
	return nil
}

// errEventsAgain ends a session without events, so that the next one asks for them.
var errEventsAgain = errors.New("time to ask for events again")

// engineDown reports, once, that the engine cannot be reached, or not used.
func (o *owner) engineDown(err error) {
	o.r.engineUp.Store(false)
	o.r.board.Disconnected(err)
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

// engineUp reports that the engine answers, and whether it tells of events.
func (o *owner) engineUp(events bool) {
	o.r.engineUp.Store(true)
	o.r.board.Connected(events)
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
