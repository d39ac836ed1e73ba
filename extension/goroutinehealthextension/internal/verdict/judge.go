// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"slices"
	"time"
)

// Level grades a finding.
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
	// confirmations is how many samples in a row have to be above a threshold, or back
	// below, before that counts. The start of a pipeline, or of a thousand containers at
	// once, is over by then.
	confirmations = 3
	// clearShare is the share of a threshold below which it is no longer exceeded.
	clearShare = 0.8
	// clearGrowthShare is the same for growth, which falls slowly with the window.
	clearGrowthShare = 0.5
)

// Limits bound what is healthy.
type Limits struct {
	Warning, Critical int
	GrowthPerMinute   float64
	Window, For       time.Duration
}

// Sample is the result of a count.
type Sample struct {
	At     time.Time
	Excess int // goroutines above what the captures need
}

// Finding is the result of judging the samples so far.
type Finding struct {
	Level Level
	Since time.Time // of the level
	// Growth is the growth per minute over the window.
	Growth float64
	// Growing is how long Growth has been above the limit; 0 until it has been for long
	// enough.
	Growing time.Duration
	// Above is the threshold that is exceeded, 0 if none is.
	Above int
	// Leaked is the number of goroutines that provably never wake.
	Leaked int
	Excess int
}

// Pressure reports whether there should be fewer goroutines. A proven leak alone is no
// reason to save on those that work.
func (f Finding) Pressure() bool { return f.Above > 0 || f.Growing > 0 }

// Judge turns samples into findings, slowly enough that they do not flap.
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
		warning: threshold{limit: limits.Warning}, critical: threshold{limit: limits.Critical},
	}
}

// Observe adds a sample and returns the finding. leaked is the number of goroutines that
// had leaked when the runtime last looked.
func (j *Judge) Observe(s Sample, leaked int) Finding {
	j.samples = append(j.samples, s)
	begin := s.At.Add(-j.limits.Window)
	j.samples = slices.DeleteFunc(j.samples, func(old Sample) bool { return old.At.Before(begin) })

	f := Finding{Excess: s.Excess, Leaked: leaked}
	if s.At.Sub(j.samples[0].At) >= j.limits.Window/2 { // before that, it would be noise
		f.Growth = slope(j.samples)
	}
	f.Growing = j.growingFor(s.At, f.Growth)
	critical, warning := j.critical.update(s.Excess), j.warning.update(s.Excess)
	switch {
	case critical:
		f.Level, f.Above = Critical, j.limits.Critical
	case warning:
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

// growingFor returns for how long growth has been above the limit, 0 until that is long
// enough.
func (j *Judge) growingFor(now time.Time, perMinute float64) time.Duration {
	limit := j.limits.GrowthPerMinute
	if j.growing {
		limit *= clearGrowthShare
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

// threshold is exceeded after several samples above its limit, and until as many are well
// below.
type threshold struct {
	limit    int
	exceeded bool
	contrary int // samples in a row that say otherwise
}

// update adds a sample and reports whether the threshold is exceeded.
func (t *threshold) update(n int) bool {
	contrary := n >= t.limit
	if t.exceeded {
		contrary = float64(n) < clearShare*float64(t.limit)
	}
	if !contrary {
		t.contrary = 0
	} else if t.contrary++; t.contrary >= confirmations {
		t.exceeded, t.contrary = !t.exceeded, 0
	}
	return t.exceeded
}
