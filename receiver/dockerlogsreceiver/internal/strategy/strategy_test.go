// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package strategy

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

func newTestStrategy(name Name) Strategy {
	return New(name, Settings{
		Lifetime: 30 * time.Second,
		Interval: 5 * time.Second, MaxInterval: 30 * time.Second,
		HybridInterval: 2 * time.Second, HybridBuffer: 8 << 20,
		AdaptiveInterval: time.Second,
	})
}

func TestStreamingFollowsForGood(t *testing.T) {
	s := newTestStrategy(Streaming)
	for _, o := range []Observed{{First: true}, {Records: 1}, {Cut: true}, {Event: true}, {Pressure: true}} {
		assert.Equal(t, Plan{Follow: true}, s.Next(o))
	}
}

func TestShortLivedFollowsForAWhile(t *testing.T) {
	s := newTestStrategy(ShortLived)
	lives := make(map[time.Duration]bool)
	for range 100 {
		p := s.Next(Observed{})
		assert.True(t, p.Follow)
		assert.Zero(t, p.Wait)
		near(t, 30*time.Second, p.Life)
		lives[p.Life] = true
	}
	assert.Greater(t, len(lives), 50, "lifetimes are spread")
}

func TestPollingWaits(t *testing.T) {
	s := newTestStrategy(Polling)
	tests := []struct {
		name string
		seen Observed
		wait time.Duration
	}{
		{"silent", Observed{}, 10 * time.Second},
		{"silent still", Observed{}, 20 * time.Second},
		{"silent for long", Observed{}, 30 * time.Second},
		{"silent for very long", Observed{}, 30 * time.Second},
		{"a line", Observed{Records: 1}, 5 * time.Second},
		{"another", Observed{Records: 1}, 5 * time.Second},
		{"silent", Observed{}, 10 * time.Second},
		{"a full batch", Observed{Records: 1000, Full: true}, 0},
		{"no more", Observed{}, 5 * time.Second},
		{"silent", Observed{}, 10 * time.Second},
		{"silent still", Observed{}, 20 * time.Second},
		{"adaptive's worries", Observed{Records: 1, Cut: true, Pressure: true}, 5 * time.Second},
	}
	quick(t, s, Observed{First: true}, 5*time.Second)
	for _, tt := range tests {
		p := s.Next(tt.seen)
		assert.False(t, p.Follow, tt.name)
		t.Log(tt.name, p.Wait)
		near(t, tt.wait, p.Wait)
	}
}

// quick holds that polling starts at once, and with short waits that double up to the
// interval, whatever comes.
func quick(t *testing.T, s Strategy, start Observed, interval time.Duration) {
	t.Helper()
	assert.Zero(t, s.Next(start).Wait)
	for i, want := 0, 2*quickPoll; want < interval; i, want = i+1, 2*want {
		near(t, want, s.Next(Observed{Records: i % 2}).Wait)
	}
	near(t, interval, s.Next(Observed{}).Wait)
}

func TestHybridWaitsAlike(t *testing.T) {
	s := newTestStrategy(Hybrid)
	quick(t, s, Observed{First: true}, 2*time.Second)
	defer quick(t, s, Observed{Event: true}, 2*time.Second)
	for _, o := range []Observed{{}, {}, {}, {Records: 1}, {}} {
		p := s.Next(o)
		assert.False(t, p.Follow)
		near(t, 2*time.Second, p.Wait)
	}
	assert.Zero(t, s.Next(Observed{Full: true, Records: 1}).Wait)
}

// adaptiveTest steps an adaptive strategy through time.
type adaptiveTest struct {
	t   *testing.T
	s   Strategy
	now time.Time
}

func newAdaptiveTest(t *testing.T) *adaptiveTest {
	return &adaptiveTest{t, newTestStrategy(Adaptive), time.Unix(1e9, 0)}
}

// expect tells the strategy what was seen, that much later, and compares the reason for
// which it polls; "" is that it streams.
func (a *adaptiveTest) expect(fallback string, later time.Duration, o Observed) {
	a.t.Helper()
	a.now = a.now.Add(later)
	o.Now = a.now
	p := a.s.Next(o)
	assert.Equal(a.t, fallback, p.Fallback)
	assert.Equal(a.t, fallback == "", p.Follow)
	assert.Zero(a.t, p.Life)
}

func TestAdaptiveStreamsWhileAllIsWell(t *testing.T) {
	a := newAdaptiveTest(t)
	for range 10 {
		a.expect("", time.Hour, Observed{HasStream: true})
		a.expect("", time.Second, Observed{HasStream: true, Cut: true, Lived: wellLived})
	}
}

func TestAdaptiveGivesWayToTheBudget(t *testing.T) {
	a := newAdaptiveTest(t)
	a.expect("budget", 0, Observed{})
	a.expect("budget", time.Hour, Observed{})
	a.expect("budget", time.Hour, Observed{HasStream: true})
	a.expect("budget", Calm-time.Second, Observed{HasStream: true})
	a.expect("budget", 0, Observed{})
	a.expect("budget", 0, Observed{HasStream: true})
	a.expect("budget", Calm-time.Second, Observed{HasStream: true})
	a.expect("", time.Second, Observed{HasStream: true})
}

func TestAdaptiveGivesWayToPressure(t *testing.T) {
	a := newAdaptiveTest(t)
	a.expect("", 0, Observed{HasStream: true})
	a.expect("pressure", time.Hour, Observed{HasStream: true, Pressure: true})
	a.expect("pressure", time.Second, Observed{Pressure: true})
	a.expect("pressure", Calm/2, Observed{HasStream: true})
	a.expect("budget", Calm/4, Observed{})
	a.expect("budget", Calm, Observed{HasStream: true})
	a.expect("", Calm, Observed{HasStream: true})
}

func TestAdaptivePollsAfterCuts(t *testing.T) {
	a := newAdaptiveTest(t)
	cut := Observed{HasStream: true, Cut: true, Lived: 3 * time.Second}
	fine := Observed{HasStream: true}
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
	a.expect("", time.Hour, Observed{HasStream: true, Lived: time.Hour, Cut: true})
	for range cutsTolerated - 1 {
		a.expect("", time.Second, cut)
	}
	a.expect("cuts", time.Second, cut)
	a.expect("", minRecovery, fine)
}

func TestAdaptivePollsWhatWritesMuch(t *testing.T) {
	a := newAdaptiveTest(t)
	a.expect("", 0, Observed{HasStream: true})
	a.expect("busy", time.Minute, Observed{HasStream: true, Busy: true, Lived: time.Minute})
	for range 100 {
		a.expect("busy", time.Second, Observed{HasStream: true, Records: 50, Rate: 50})
	}
	// It is followed again when it has been sparse for a while, not between two bursts.
	a.expect("busy", time.Second, Observed{HasStream: true, Rate: sparseRate})
	a.expect("busy", Calm-time.Second, Observed{HasStream: true, Rate: sparseRate - 1})
	a.expect("busy", 0, Observed{HasStream: true, Rate: sparseRate})
	a.expect("busy", Calm-time.Second, Observed{HasStream: true})
	a.expect("", time.Second, Observed{HasStream: true})
	// What may not be followed is polled as often, if it writes as much.
	a.expect("budget", time.Second, Observed{})
	a.expect("budget", time.Second, Observed{Rate: busyRate - 1})
	a.expect("busy", time.Second, Observed{Rate: busyRate})
	a.expect("pressure", time.Second, Observed{Rate: busyRate, Pressure: true})
	a.expect("busy", time.Second, Observed{Rate: busyRate})
	a.expect("budget", Calm, Observed{})
}

func TestAdaptivePollsTheBusyOften(t *testing.T) {
	s := newTestStrategy(Adaptive)
	s.Next(Observed{HasStream: true})
	near(t, time.Second, s.Next(Observed{HasStream: true, Busy: true}).Wait)
	for range 10 {
		near(t, time.Second, s.Next(Observed{HasStream: true, Records: 0}).Wait)
	}
}

func TestJitter(t *testing.T) {
	for _, d := range []time.Duration{10, time.Millisecond, time.Minute} {
		for range 100 {
			got := Jitter(d)
			assert.GreaterOrEqual(t, got, d-d/10)
			assert.LessOrEqual(t, got, d+d/10)
		}
	}
	assert.Zero(t, Jitter(0))
	assert.Zero(t, Jitter(-time.Second))
}
