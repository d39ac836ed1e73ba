// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"math/rand/v2"
	"time"
)

// A strategy decides when and how the log of one container is read, and nothing
// else: reading, proving continuity, delivering and recovering from errors are
// the capture's and the same for all. It does no I/O, and keeps no time but that
// which it is told.
type strategy interface {
	next(observed) plan
}

// observed is what a capture tells its strategy before each read.
type observed struct {
	now     time.Time
	first   bool // nothing has been read yet
	event   bool // the engine reported an event of the container
	records int  // that the last read delivered
	full    bool // it filled a batch, so that there may be more by now
	// Of the last read, where it was a follow: how long it lived, and whether
	// something other than its plan or its container ended it.
	lived time.Duration
	cut   bool
	// What adaptive heeds: whether the budget has a stream for this container, and
	// whether the process is under pressure.
	granted  bool
	pressure bool
}

// begin forgets the last read.
func (o *observed) begin() { o.first, o.records, o.full = false, 0, false }

// plan is what a strategy wants next.
type plan struct {
	wait   time.Duration // before the read; an event ends it
	follow bool          // follow the log, else read what is new
	life   time.Duration // of the follow; 0 = until it ends
	// Why adaptive does not stream, "" if it does or for any other strategy.
	fallback string
}

// newStrategy makes the strategy of that name for one container.
func newStrategy(cfg *Config, name Strategy) strategy {
	switch name {
	case StrategyStreaming:
		return streaming{}
	case StrategyPolling:
		return newPolling(cfg.Polling)
	case StrategyHybrid:
		return &polling{interval: cfg.Hybrid.Interval, longest: cfg.Hybrid.Interval}
	case StrategyAdaptive:
		return &adaptive{polling: newPolling(cfg.Polling)}
	default:
		return shortLived{lifetime: cfg.ShortLived.Lifetime}
	}
}

// streaming follows, and follows again.
type streaming struct{}

func (streaming) next(observed) plan { return plan{follow: true} }

// shortLived follows for a while and then again.
type shortLived struct{ lifetime time.Duration }

func (s shortLived) next(observed) plan { return plan{follow: true, life: jitter(s.lifetime)} }

// quickPoll is the wait, doubled each time, with which polling begins when a container
// has started, or something else has happened to it: it may be gone soon.
const quickPoll = 10 * time.Millisecond

// polling reads what is new, now and then. The waits double up to the longest while
// the container is silent. Hybrid is polling at a fixed interval; its buffer is the
// capture's.
type polling struct {
	interval, longest time.Duration
	wait              time.Duration
}

func newPolling(cfg PollingConfig) *polling {
	return &polling{interval: cfg.Interval, longest: cfg.MaxInterval}
}

func (s *polling) next(o observed) plan {
	switch {
	case o.first || o.event:
		s.wait = quickPoll
		return plan{}
	case o.full:
		// Doubled, it is the interval: a read at once that finds nothing is no silence.
		s.wait = min(s.wait, s.interval/2)
		return plan{}
	case s.wait < s.interval:
		s.wait = min(max(2*s.wait, quickPoll), s.interval)
	case o.records > 0:
		s.wait = s.interval
	default:
		s.wait = min(max(2*s.wait, s.interval), s.longest)
	}
	return plan{wait: jitter(s.wait)}
}

const (
	// So many follows in a row that were cut, each before it had lived so long, make
	// adaptive poll for a while, longer each time.
	cutsTolerated = 3
	wellLived     = time.Minute
	minRecovery   = time.Minute
	maxRecovery   = 15 * time.Minute
	// calm is how long pressure, or the lack of a stream, must be over before
	// adaptive streams again.
	calm = 30 * time.Second
)

// adaptive streams, and polls while streams do not thrive.
type adaptive struct {
	polling  *polling
	cuts     int
	recovery time.Duration
	denied   bool      // by pressure or budget, when it was last asked
	until    time.Time // polls at least till then
	fallback string    // why it polls
}

func (s *adaptive) next(o observed) plan {
	switch {
	case o.lived >= wellLived:
		s.cuts, s.recovery = 0, 0
	case o.cut:
		s.cuts++
	case o.lived > 0:
		s.cuts = 0
	}
	switch {
	case o.pressure:
		s.fallback, s.denied = "pressure", true
	case !o.granted:
		s.fallback, s.denied = "budget", true
	case s.denied: // until now
		s.denied, s.until = false, o.now.Add(calm)
	case s.cuts >= cutsTolerated:
		s.cuts = 0
		s.recovery = min(max(2*s.recovery, minRecovery), maxRecovery)
		s.fallback, s.until = "cuts", o.now.Add(s.recovery)
	case !o.now.Before(s.until):
		s.fallback = ""
	}
	if s.fallback == "" {
		return plan{follow: true}
	}
	poll := s.polling.next(o)
	poll.fallback = s.fallback
	return poll
}

// jitter spreads what would otherwise happen to many containers at once.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d - d/10 + rand.N(d/5+1)
}
