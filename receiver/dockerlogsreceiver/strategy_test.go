// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// near tells whether a wait is what was meant, give or take the jitter.
func near(t *testing.T, want, got time.Duration) {
	t.Helper()
	assert.InDelta(t, want.Seconds(), got.Seconds(), want.Seconds()/10+1e-6)
}

func newTestStrategy(name Strategy) strategy {
	return newStrategy(createDefaultConfig().(*Config), name)
}

func TestStreamingFollowsForGood(t *testing.T) {
	s := newTestStrategy(StrategyStreaming)
	for _, o := range []observed{{first: true}, {records: 1}, {cut: true}, {event: true}, {pressure: true}} {
		assert.Equal(t, plan{follow: true}, s.next(o))
	}
}

func TestShortLivedFollowsForAWhile(t *testing.T) {
	s := newTestStrategy(StrategyShortLived)
	lives := make(map[time.Duration]bool)
	for range 100 {
		p := s.next(observed{})
		assert.True(t, p.follow)
		assert.Zero(t, p.wait)
		near(t, 30*time.Second, p.life)
		lives[p.life] = true
	}
	assert.Greater(t, len(lives), 50, "lifetimes are spread")
}

func TestPollingWaits(t *testing.T) {
	s := newTestStrategy(StrategyPolling)
	tests := []struct {
		name string
		seen observed
		wait time.Duration
	}{
		{"silent", observed{}, 10 * time.Second},
		{"silent still", observed{}, 20 * time.Second},
		{"silent for long", observed{}, 30 * time.Second},
		{"silent for very long", observed{}, 30 * time.Second},
		{"a line", observed{records: 1}, 5 * time.Second},
		{"another", observed{records: 1}, 5 * time.Second},
		{"silent", observed{}, 10 * time.Second},
		{"a full batch", observed{records: maxBatchRecords, full: true}, 0},
		{"no more", observed{}, 5 * time.Second},
		{"silent", observed{}, 10 * time.Second},
		{"silent still", observed{}, 20 * time.Second},
		{"adaptive's worries", observed{records: 1, cut: true, pressure: true}, 5 * time.Second},
	}
	quick(t, s, observed{first: true}, 5*time.Second)
	for _, tt := range tests {
		p := s.next(tt.seen)
		assert.False(t, p.follow, tt.name)
		t.Log(tt.name, p.wait)
		near(t, tt.wait, p.wait)
	}
}

// quick holds that polling starts at once, and with short waits that double up to the
// interval, whatever comes.
func quick(t *testing.T, s strategy, start observed, interval time.Duration) {
	t.Helper()
	assert.Zero(t, s.next(start).wait)
	for i, want := 0, 2*quickPoll; want < interval; i, want = i+1, 2*want {
		near(t, want, s.next(observed{records: i % 2}).wait)
	}
	near(t, interval, s.next(observed{}).wait)
}

func TestHybridWaitsAlike(t *testing.T) {
	s := newTestStrategy(StrategyHybrid)
	quick(t, s, observed{first: true}, 2*time.Second)
	defer quick(t, s, observed{event: true}, 2*time.Second)
	for _, o := range []observed{{}, {}, {}, {records: 1}, {}} {
		p := s.next(o)
		assert.False(t, p.follow)
		near(t, 2*time.Second, p.wait)
	}
	assert.Zero(t, s.next(observed{full: true, records: 1}).wait)
}

// adaptiveTest steps an adaptive strategy through time.
type adaptiveTest struct {
	t   *testing.T
	s   strategy
	now time.Time
}

func newAdaptiveTest(t *testing.T) *adaptiveTest {
	return &adaptiveTest{t, newTestStrategy(StrategyAdaptive), time.Unix(1e9, 0)}
}

// expect tells the strategy what was seen, that much later, and compares the reason for
// which it polls; "" is that it streams.
func (a *adaptiveTest) expect(fallback string, later time.Duration, o observed) {
	a.t.Helper()
	a.now = a.now.Add(later)
	o.now = a.now
	p := a.s.next(o)
	assert.Equal(a.t, fallback, p.fallback)
	assert.Equal(a.t, fallback == "", p.follow)
	assert.Zero(a.t, p.life)
}

func TestAdaptiveStreamsWhileAllIsWell(t *testing.T) {
	a := newAdaptiveTest(t)
	for range 10 {
		a.expect("", time.Hour, observed{granted: true})
		a.expect("", time.Second, observed{granted: true, cut: true, lived: wellLived})
	}
}

func TestAdaptiveGivesWayToTheBudget(t *testing.T) {
	a := newAdaptiveTest(t)
	a.expect("budget", 0, observed{})
	a.expect("budget", time.Hour, observed{})
	a.expect("budget", time.Hour, observed{granted: true})
	a.expect("budget", calm-time.Second, observed{granted: true})
	a.expect("budget", 0, observed{})
	a.expect("budget", 0, observed{granted: true})
	a.expect("budget", calm-time.Second, observed{granted: true})
	a.expect("", time.Second, observed{granted: true})
}

func TestAdaptiveGivesWayToPressure(t *testing.T) {
	a := newAdaptiveTest(t)
	a.expect("", 0, observed{granted: true})
	a.expect("pressure", time.Hour, observed{granted: true, pressure: true})
	a.expect("pressure", time.Second, observed{pressure: true})
	a.expect("pressure", calm/2, observed{granted: true})
	a.expect("budget", calm/4, observed{})
	a.expect("budget", calm, observed{granted: true})
	a.expect("", calm, observed{granted: true})
}

func TestAdaptivePollsAfterCuts(t *testing.T) {
	a := newAdaptiveTest(t)
	cut := observed{granted: true, cut: true, lived: 3 * time.Second}
	fine := observed{granted: true}
	want := []time.Duration{minRecovery, 2 * minRecovery, 4 * minRecovery, 8 * minRecovery, maxRecovery, maxRecovery}
	for _, recovery := range want {
		for range cutsTolerated - 1 {
			a.expect("", time.Second, cut)
		}
		a.expect("cuts", time.Second, cut)
		a.expect("cuts", recovery-time.Second, fine)
		a.expect("", time.Second, fine)
	}
	// A follow that lives makes up for it.
	a.expect("", time.Hour, observed{granted: true, lived: time.Hour, cut: true})
	for range cutsTolerated - 1 {
		a.expect("", time.Second, cut)
	}
	a.expect("cuts", time.Second, cut)
	a.expect("", minRecovery, fine)
}

func TestJitter(t *testing.T) {
	for _, d := range []time.Duration{10, time.Millisecond, time.Minute} {
		for range 100 {
			got := jitter(d)
			assert.GreaterOrEqual(t, got, d-d/10)
			assert.LessOrEqual(t, got, d+d/10)
		}
	}
	assert.Zero(t, jitter(0))
	assert.Zero(t, jitter(-time.Second))
}
