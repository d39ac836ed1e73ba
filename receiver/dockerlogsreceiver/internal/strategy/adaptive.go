// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package strategy

import "time"

const (
	// busyRate is how many records a second make adaptive poll a container, and sparseRate
	// below how many, for as long as Calm, it follows it again. A follow costs the
	// collector and the engine for every line, a poll for every second.
	busyRate   = 10.0
	sparseRate = 3.0
	// So many follows in a row that were cut, each before it had lived so long, make
	// adaptive poll for a while, longer each time.
	cutsTolerated = 3
	wellLived     = time.Minute
	minRecovery   = time.Minute
	maxRecovery   = 15 * time.Minute
	// Calm is how long pressure, the lack of a stream or the writing must be over before
	// adaptive follows again.
	Calm = 30 * time.Second
)

// Why adaptive polls, as a metric names it; Recovered is why it follows again.
const (
	FallbackBudget   = "budget"
	FallbackBusy     = "busy"
	FallbackCuts     = "cuts"
	FallbackPressure = "pressure"
	Recovered        = "recovered"
)

// adaptive, where it does not read files, follows what is silent or writes little, so that a
// line comes at once and silence costs nothing. It polls what writes much, and everything
// while follows do not thrive.
type adaptive struct {
	busy     *polling // of what writes much
	denied   *polling // of what is not to be followed
	cuts     int
	recovery time.Duration
	refused  bool      // by pressure or budget, when it was last asked
	until    time.Time // polls at least till then
	fallback string    // why it polls
}

func newAdaptive(s Settings) *adaptive {
	return &adaptive{
		busy:   &polling{interval: s.AdaptiveInterval, longest: s.AdaptiveInterval, wait: s.AdaptiveInterval},
		denied: &polling{interval: s.Interval, longest: s.MaxInterval},
	}
}

func (s *adaptive) Next(o Observed) Plan {
	switch {
	case o.Lived >= wellLived:
		s.cuts, s.recovery = 0, 0
	case o.Cut:
		s.cuts++
	case o.Lived > 0:
		s.cuts = 0
	}
	switch {
	case o.Pressure:
		s.fallback, s.refused = FallbackPressure, true
	case o.Busy, s.fallback != "" && o.Rate >= busyRate, s.fallback == FallbackBusy && o.Rate >= sparseRate:
		s.fallback, s.refused, s.until = FallbackBusy, false, o.Now.Add(Calm)
	case s.fallback == FallbackBusy && o.Now.Before(s.until):
		// It may write again in a moment.
	case !o.HasStream:
		s.fallback, s.refused = FallbackBudget, true
	case s.refused: // until now
		s.refused, s.until = false, o.Now.Add(Calm)
	case s.cuts >= cutsTolerated:
		s.cuts = 0
		s.recovery = min(max(2*s.recovery, minRecovery), maxRecovery)
		s.fallback, s.until = FallbackCuts, o.Now.Add(s.recovery)
	case !o.Now.Before(s.until):
		s.fallback = ""
	}
	if s.fallback == "" {
		return Plan{Follow: true, MaxRate: busyRate}
	}
	polls := s.denied
	if s.fallback == FallbackBusy {
		polls = s.busy
	}
	poll := polls.Next(o)
	poll.Fallback = s.fallback
	return poll
}
