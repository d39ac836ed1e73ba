// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
)

const (
	// A census comes early once this many goroutines, as many as a follow has, and this
	// share of all have come or gone since the last one: captures may be among them.
	minTurnover   = 3
	turnoverShare = 0.05
	// costShare is the share of a processor's time up to which a census comes early, for
	// processes in which goroutines always come and go.
	costShare = 0.01

	// A census comes at once when the count has moved by this much and by this share: to
	// judge it by the need of before would raise an alarm.
	minJump   = 50
	jumpShare = 0.1
)

// monitor counts and judges. Its goroutine alone touches its fields.
type monitor struct {
	h     *goroutineHealth
	judge *verdict.Judge

	census        *census.Census
	atCensus      counts          // of the goroutines, just before it
	ended         map[string]bool // containers that were not captured at the census
	trail         []aboveAt       // the censuses of the window and the one before it
	leaked        *census.Census
	leaksLookedAt time.Time // when the monitor was made, until it has looked
	creators      creators  // replaced, never changed: snapshots share it
	level         verdict.Level
	acted         bool // an extension acts once in its life

	censusFailureLogged bool
}

// aboveAt is what a census has found above need.
type aboveAt struct {
	taken time.Time
	above map[census.Origin]int
}

func newMonitor(h *goroutineHealth) *monitor {
	return &monitor{
		h: h, leaksLookedAt: time.Now(),
		judge: verdict.New(verdict.Limits{
			Warning: h.cfg.Warning, Critical: h.cfg.Critical,
			GrowthPerMinute: h.cfg.GrowthPerMinute, Window: h.cfg.Window, For: h.cfg.For,
		}),
	}
}

// run counts and judges until ctx ends, which it does with the extension.
func (m *monitor) run(ctx context.Context) {
	ticker := time.NewTicker(m.h.cfg.CollectionInterval)
	defer ticker.Stop()
	for {
		m.step(ctx, time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// step counts and judges once.
func (m *monitor) step(ctx context.Context, now time.Time) {
	snap := &snapshot{counts: m.h.src.count()}
	if m.censusDue(now, snap.counts) {
		m.takeCensus(ctx, now, snap.counts)
	}
	if m.h.cfg.LeakInterval > 0 && now.Sub(m.leaksLookedAt) >= m.h.cfg.LeakInterval {
		m.lookForLeaks(now)
	}
	excess := snap.counts.Total
	if m.census != nil {
		// Not Census.Excess: the census may be older than the count.
		excess = max(snap.counts.Total-m.census.Need, 0)
	}
	leaked := 0
	if m.leaked != nil {
		leaked = m.leaked.Total
	}
	snap.finding = m.judge.Observe(verdict.Sample{At: now, Excess: excess}, leaked)
	snap.census, snap.leaked, snap.grown = m.census, m.leaked, m.grown()
	snap.reason = verdict.Reason(snap.finding, m.suspect(snap), m.leakSuspect(snap)) // may find creators
	snap.creators = m.creators
	m.h.history.addPoint(now, snap.counts.Total, excess)
	m.h.latest.Store(snap)
	m.logLevelChange(snap)
	m.act(ctx, snap, now)
}

// censusDue reports whether to take a census now that the goroutines have been counted.
func (m *monitor) censusDue(now time.Time, c counts) bool {
	if m.census == nil {
		return true
	}
	age := now.Sub(m.census.Taken)
	before := m.atCensus
	share := func(n int, part float64) bool { return float64(n) >= part*float64(before.Total) }
	more := c.Total - before.Total
	jump := max(more, -more)
	turnover := 2*(c.created-before.created) - more // what has come and what has gone
	switch {
	case age >= m.h.cfg.CensusInterval, jump >= minJump && share(jump, jumpShare):
		return true
	case turnover >= minTurnover && share(turnover, turnoverShare):
		return costShare*age.Seconds() >= m.census.Took.Seconds()
	}
	return false
}

func (m *monitor) takeCensus(ctx context.Context, now time.Time, counted counts) {
	c, err := m.h.src.census()
	if err != nil {
		if !m.censusFailureLogged {
			m.censusFailureLogged = true
			m.h.set.Logger.Warn("cannot attribute goroutines to components; judging by their number alone", zap.Error(err))
		}
		return
	}
	m.censusFailureLogged = false
	m.h.tel.GoroutineHealthCensusDuration.Record(ctx, c.Took.Seconds())
	c.Taken = now
	m.revokeEnded(c)
	m.census, m.atCensus = c, counted
	m.trail = append(m.trail, aboveAt{now, c.Above})
	for len(m.trail) > 2 && now.Sub(m.trail[1].taken) >= m.h.cfg.Window {
		m.trail = slices.Delete(m.trail, 0, 1)
	}
}

// revokeEnded has the goroutines of containers that are not captured any more counted as
// above need, once that was so at the census before too: an end may have been under way.
func (m *monitor) revokeEnded(c *census.Census) {
	ended, still := make(map[string]bool), make(map[string]bool)
	for id, container := range c.Containers {
		if m.h.hasEnded(container) {
			ended[id] = true
			if m.ended[id] {
				still[id] = true
			}
		}
	}
	m.ended = ended
	c.Revoke(still)
}

func (m *monitor) lookForLeaks(now time.Time) {
	m.leaksLookedAt = now
	if !m.h.src.canFindLeaks() {
		return
	}
	leaked, err := m.h.src.leaked()
	if err != nil {
		m.h.set.Logger.Debug("cannot look for leaked goroutines", zap.Error(err))
		return
	}
	leaked.Taken = now
	m.leaked = leaked
}

// grown returns by how much goroutines above need have grown over the window.
func (m *monitor) grown() map[census.Origin]int {
	grown := make(map[census.Origin]int)
	if m.census == nil {
		return grown
	}
	for origin, n := range m.census.Above {
		if d := n - m.trail[0].above[origin]; d > 0 {
			grown[origin] = d
		}
	}
	return grown
}

// suspect returns the origin that grew most over the window or, if none did, the one
// with the most goroutines.
func (m *monitor) suspect(snap *snapshot) *verdict.Suspect {
	if m.census == nil || !snap.finding.Pressure() {
		return nil
	}
	origin, grown, ok := verdict.Most(m.trail[0].above, m.census.Above, census.Origin.Compare)
	if !ok {
		if origin, _, ok = verdict.Most(nil, m.census.Above, census.Origin.Compare); !ok {
			return nil
		}
	}
	return m.newSuspect(snap, origin, m.census.Above[origin], grown)
}

// leakSuspect returns the origin with the most leaked goroutines.
func (m *monitor) leakSuspect(snap *snapshot) *verdict.Suspect {
	if snap.finding.Leaked == 0 {
		return nil
	}
	origin, count, _ := verdict.Most(nil, m.leaked.Origins, census.Origin.Compare)
	return m.newSuspect(snap, origin, count, 0)
}

func (m *monitor) newSuspect(snap *snapshot, origin census.Origin, count, grown int) *verdict.Suspect {
	m.findCreator(origin.Function, snap.counts.Total)
	return &verdict.Suspect{
		Component: origin.Component, Function: origin.Function, Creator: m.creators.of(origin.Function),
		Count: count, Grown: grown,
	}
}

// findCreator has the goroutines traced, once for a function. The text of the program
// bounds how many functions there are.
func (m *monitor) findCreator(function string, goroutines int) {
	if _, known := m.creators[function]; known || census.Enclosing(function) != "" {
		return
	}
	found := creators{function: ""} // also if the trace does not show it
	maps.Copy(found, m.creators)
	maps.Copy(found, m.h.src.creators(goroutines))
	m.creators = found
}

// creators are the functions that create the goroutines which run a function.
type creators map[string]string

// of returns the creator of a function's goroutines, or an empty string.
func (c creators) of(function string) string {
	return cmp.Or(census.Enclosing(function), c[function])
}
