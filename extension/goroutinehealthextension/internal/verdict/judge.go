// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"
	"time"
)

// Level is how bad it is.
type Level int

// The levels.
const (
	Healthy Level = iota
	Warning
	Critical
)

func (l Level) String() string { return [...]string{"healthy", "warning", "critical"}[l] }

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

const (
	// streak is how many samples in a row have to be above a threshold, or back
	// below, until that counts. A pipeline that starts, or a thousand containers
	// that are opened at once, has passed by then.
	streak = 3
	// clearAt is the part of a threshold below which it no longer holds.
	clearAt = 0.8
	// clearGrowthAt is the same for growth, which comes down slowly with the window.
	clearGrowthAt = 0.5
)

// Limits are what is judged by.
type Limits struct {
	Warning, Critical int
	GrowthPerMinute   float64
	Window, For       time.Duration
}

// Sample is a count.
type Sample struct {
	At     time.Time
	Excess int // goroutines above what the captures need
}

// Finding is what has been found.
type Finding struct {
	Level Level
	Since time.Time // of the level
	// Growth is the growth per minute over the window.
	Growth float64
	// Growing is for how long growth has been above the limit; 0 while that has not
	// been for long enough.
	Growing time.Duration
	// Above is the threshold that is exceeded, 0 if none is.
	Above int
	// Leaked is how many goroutines are proven to never wake.
	Leaked int
	Excess int
}

// Pressure tells whether fewer goroutines would be better. A proven leak alone is no
// reason to save on those that work.
func (f Finding) Pressure() bool { return f.Above > 0 || f.Growing > 0 }

// Judge comes to a finding from samples, slowly enough not to change its mind.
type Judge struct {
	limits            Limits
	samples           []Sample // of the window
	warning, critical threshold
	growingSince      time.Time
	growing           bool
	last              Finding
}

// New returns a Judge that has seen nothing.
func New(limits Limits) *Judge {
	return &Judge{
		limits:  limits,
		warning: threshold{at: limits.Warning}, critical: threshold{at: limits.Critical},
	}
}

// Observe takes a sample, and how many goroutines have leaked as of the last look.
func (j *Judge) Observe(s Sample, leaked int) Finding {
	j.samples = append(j.samples, s)
	begin := s.At.Add(-j.limits.Window)
	j.samples = slices.DeleteFunc(j.samples, func(old Sample) bool { return old.At.Before(begin) })

	f := Finding{Excess: s.Excess, Leaked: leaked}
	if s.At.Sub(j.samples[0].At) >= j.limits.Window/2 { // else it is noise
		f.Growth = slope(j.samples)
	}
	f.Growing = j.growth(s.At, f.Growth)
	switch {
	case j.critical.exceeded(s.Excess):
		f.Level, f.Above = Critical, j.limits.Critical
		j.warning.exceeded(s.Excess)
	case j.warning.exceeded(s.Excess):
		f.Level, f.Above = Warning, j.limits.Warning
	case f.Growing > 0 || leaked > 0:
		f.Level = Warning
	}
	f.Since = j.last.Since
	if f.Level != j.last.Level || f.Since.IsZero() {
		f.Since = s.At
	}
	j.last = f
	return f
}

// growth tells for how long it has been growing, if that is long enough.
func (j *Judge) growth(now time.Time, perMinute float64) time.Duration {
	limit := j.limits.GrowthPerMinute
	if j.growing {
		limit *= clearGrowthAt
	}
	if perMinute < limit {
		j.growing, j.growingSince = false, time.Time{}
		return 0
	}
	if j.growingSince.IsZero() {
		j.growingSince = now
	}
	lasted := now.Sub(j.growingSince)
	j.growing = j.growing || lasted >= j.limits.For
	if !j.growing {
		return 0
	}
	return max(lasted, 1)
}

// threshold is exceeded after several samples above it, and until as many are well
// below.
type threshold struct {
	at    int
	is    bool
	count int // samples in a row that say otherwise
}

func (t *threshold) exceeded(n int) bool {
	other := n >= t.at
	if t.is {
		other = float64(n) < clearAt*float64(t.at)
	}
	if !other {
		t.count = 0
		return t.is
	}
	if t.count++; t.count >= streak {
		t.is, t.count = !t.is, 0
	}
	return t.is
}
