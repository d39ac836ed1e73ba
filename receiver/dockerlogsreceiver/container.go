// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// capture reads the log of one container. Its goroutine is started by the owner
// loop, runs the whole line from the socket to the pipeline, and ends when the
// container has ended and been read, is not selected, or the receiver stops.
//
//	engine.Logs ─> stream.Reader ─> continuity.judge ─> batch ─> deliver ─> position.commit
type capture struct {
	r  *dockerLogs
	id string
	// poke asks to look at the container again: something happened to it. One
	// that is left when the capture ends makes the owner start it anew.
	poke chan struct{}

	// saved is what storage keeps of the position; shared with the owner.
	saved checkpoint
	// What adaptive is to heed, set by the owner; and, for the owner to choose by, how
	// many records have come.
	adaptive atomic.Bool
	// wanted tells that the container is selected, as far as is known.
	wanted    atomic.Bool
	granted   atomic.Bool
	delivered atomic.Int64
	// recall ends the follow that is open, if any.
	recall atomic.Pointer[context.CancelCauseFunc]

	// Touched by the capture's goroutine alone, and by the owner before it
	// starts and after it has ended.
	pos      position
	details  engine.Container
	resource pcommon.Resource
	name     Strategy // how the container is read
	strategy strategy
	seen     observed
	fallback string // of the strategy adaptive
	batch    *batch // being filled, nil while there is nothing to deliver
	// parting are the lines that the last read left without their ends. They are all
	// that there will be of them if the container is removed before the next.
	parting []stream.Record
	buffer  *buffer // of the strategy hybrid, else nil
	state   captureState
	rate    rate
	wait    backoff.ExponentialBackOff
	silence time.Duration // how long the next follow may be silent
	polled  bool          // the strategy's last plan was not to follow
	slot    bool          // the capture has leave to catch up, see dockerLogs.acquire
	look    bool          // the container is to be inspected before the next read
	behind  bool          // there may be more to read than a follow should begin with
	reach   int           // the least tail, after a follow that did not reach back far enough
	atEnd   bool          // the log has been read to where the container's last run ended
	poison  poison
	ended   ending // why the goroutine ended
	warned  bool   // that the log cannot be read has been logged
}

// captureState is what a capture is doing, as a metric names it.
type captureState string

const (
	stateNone       captureState = ""
	stateOpening    captureState = "opening"
	stateReading    captureState = "reading"
	stateFollowing  captureState = "following"
	stateWaiting    captureState = "waiting"
	stateUnreadable captureState = "unreadable"
)

// ending is why a capture's goroutine ended.
type ending uint8

const (
	endStopped    ending = iota // the container does not run, and all of its log has been read
	endRemoved                  // the engine no longer knows it
	endExcluded                 // it is not selected
	endUnreadable               // its log driver cannot be read
	endCanceled                 // the receiver stops
)

const (
	minReopenWait = 500 * time.Millisecond
	maxReopenWait = 30 * time.Second
)

func newCapture(r *dockerLogs, id string, pos position) *capture {
	c := &capture{
		r: r, id: id, pos: pos,
		poke: make(chan struct{}, 1),
		wait: backoff.ExponentialBackOff{
			InitialInterval: minReopenWait, MaxInterval: maxReopenWait, Multiplier: 2, RandomizationFactor: 0.5,
		},
	}
	c.saved.reset(&pos)
	c.adaptive.Store(r.cfg.Strategy == StrategyAdaptive) // until it is looked at
	return c
}

// notify asks the capture to look again. It does not block.
func (c *capture) notify() {
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// poked tells whether a notification is left that the capture has not heeded, and
// takes it.
func (c *capture) poked() bool {
	select {
	case <-c.poke:
		return true
	default:
		return false
	}
}

// run captures until there is nothing more to capture.
func (c *capture) run(ctx context.Context) {
	c.wait.Reset()
	c.silence = minSilence
	c.look, c.behind, c.polled = true, true, false
	c.seen = observed{first: true}
	c.setState(stateOpening)
	why := c.capture(ctx)
	if c.buffer != nil {
		if err := c.buffer.flush(); err != nil && why != endCanceled {
			c.log().Debug("what had been read is not delivered, because the receiver stops", zap.Error(err))
			why = endCanceled
		}
		c.collect()
		c.buffer = nil
	}
	c.ended = why
	if why != endUnreadable {
		c.setState(stateNone)
	}
}

func (c *capture) capture(ctx context.Context) ending {
	for {
		err := c.step(ctx)
		var done ended
		switch {
		case errors.As(err, &done):
			return done.why
		case ctx.Err() != nil:
			return endCanceled
		case err == nil:
			continue
		}
		reason := reasonOf(err)
		c.look, c.behind = c.look || reason.look, c.behind || reason.look
		if reason.name != "" {
			c.r.countReopen(reason.name)
			c.log().Debug("opening the log again", zap.String("reason", reason.name), zap.Error(err))
		}
		if reason.pause && !c.pause(ctx, c.wait.NextBackOff()) {
			return endCanceled
		}
	}
}

// ended is the error of a step after which there is none.
type ended struct{ why ending }

func (ended) Error() string { return "capture ended" }

// step does what the strategy wants next. An error tells why the log has to be opened
// again, or that the capture has ended.
func (c *capture) step(ctx context.Context) error {
	event := c.poked()
	if event && c.polled {
		// The container may have ended: what it wrote last, before it is removed.
		c.look = true
		if err := c.catchUp(ctx); err != nil {
			return err
		}
	}
	event = event || c.look
	if event {
		c.look = true
		if err := c.inspect(ctx); err != nil {
			return err
		}
		c.look = false
	}
	if !c.details.Running {
		if err := c.catchUp(ctx); err != nil {
			return err
		}
		if c.look || len(c.poke) > 0 {
			return nil // it may have been started meanwhile
		}
		return ended{endStopped}
	}
	c.seen.now, c.seen.event = time.Now(), event
	c.seen.granted, c.seen.pressure = c.granted.Load(), c.r.pressure.Load()
	next := c.strategy.next(c.seen)
	c.seen.lived, c.seen.cut = 0, false // told once
	c.polled = !next.follow
	c.changed(next.fallback)
	if !c.pause(ctx, next.wait) {
		return ctx.Err()
	}
	if len(c.poke) > 0 {
		return nil // something happened: look first
	}
	if !next.follow {
		return c.catchUp(ctx)
	}
	if c.behind {
		if err := c.catchUp(ctx); err != nil {
			return err
		}
	}
	return c.follow(ctx, next.life)
}

// reconsider makes an adaptive capture ask its strategy again.
func (c *capture) reconsider() {
	if cancel := c.recall.Load(); cancel != nil {
		(*cancel)(errRecalled)
	}
	c.notify()
}

// pause waits, and returns at once when something happens to the container. It is false
// when the receiver stops.
func (c *capture) pause(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return ctx.Err() == nil
	}
	c.setState(stateWaiting)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.poke:
		c.notify() // still unheeded
	case <-ctx.Done():
		return false
	}
	return true
}

func (c *capture) setState(state captureState) {
	if c.state == state {
		return
	}
	c.r.countCapture(c.name, c.state, -1)
	c.r.countCapture(c.name, state, +1)
	c.state = state
}
