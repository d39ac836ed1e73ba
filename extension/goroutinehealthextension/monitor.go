// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	"maps"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
)

// A census comes early when the count has moved by this much since the last one, and
// by a tenth: what the captures need may have changed with it.
const movedMuch = 50

// monitor counts and judges. Its goroutine alone touches its fields.
type monitor struct {
	h     *goroutineHealth
	judge *verdict.Judge

	census              *census.Census
	trail               []*census.Census // of the window, for what has grown in it
	leaked              *census.Census
	leaksLookedAt       time.Time // of the last look, or of the start
	creators            map[string]string
	level               verdict.Level
	acted               bool // nothing is done twice in the life of an extension
	censusFailureLogged bool
}

func newMonitor(h *goroutineHealth) *monitor {
	return &monitor{
		h: h, creators: map[string]string{}, leaksLookedAt: time.Now(),
		judge: verdict.New(verdict.Limits{
			Warning: h.cfg.Warning, Critical: h.cfg.Critical,
			GrowthPerMinute: h.cfg.GrowthPerMinute, Window: h.cfg.Window, For: h.cfg.For,
		}),
	}
}

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

// step looks once.
func (m *monitor) step(ctx context.Context, now time.Time) {
	f := &snapshot{counts: m.h.src.count()}
	if m.censusDue(now, f.counts.Total) {
		m.takeCensus(ctx, now)
	}
	if m.h.cfg.LeakInterval > 0 && now.Sub(m.leaksLookedAt) >= m.h.cfg.LeakInterval {
		m.lookForLeaks(now)
	}
	excess := f.counts.Total
	if m.census != nil {
		// The census itself is younger than the count.
		excess = max(f.counts.Total-m.census.Need, 0)
	}
	leaked := 0
	if m.leaked != nil {
		leaked = m.leaked.Total
	}
	f.finding = m.judge.Observe(verdict.Sample{At: now, Excess: excess}, leaked)
	f.census, f.leaked, f.grown = m.census, m.leaked, m.grown()
	f.reason = verdict.Reason(f.finding, m.suspect(f), m.leakSuspect(f))
	f.creators = maps.Clone(m.creators)
	m.h.history.addPoint(now, f.counts.Total, excess)
	m.h.latest.Store(f)
	m.logLevelChange(f)
	m.act(f, now)
}

// censusDue reports whether it is time for a census.
func (m *monitor) censusDue(now time.Time, total int) bool {
	if m.census == nil || now.Sub(m.census.Taken) >= m.h.cfg.CensusInterval {
		return true
	}
	moved := total - m.census.Total
	moved = max(moved, -moved)
	return moved >= movedMuch && 10*moved >= m.census.Total
}

func (m *monitor) takeCensus(ctx context.Context, now time.Time) {
	c, err := m.h.src.census()
	if err != nil {
		if !m.censusFailureLogged {
			m.censusFailureLogged = true
			m.h.set.Logger.Warn("cannot tell whose goroutines there are; going on by their number alone", zap.Error(err))
		}
		return
	}
	m.censusFailureLogged = false
	m.h.tel.GoroutineHealthCensusDuration.Record(ctx, c.Took.Seconds())
	c.Taken = now
	m.census = c
	m.trail = append(m.trail, c)
	// One from before the window stays, to compare with.
	for len(m.trail) > 2 && now.Sub(m.trail[1].Taken) >= m.h.cfg.Window {
		m.trail[0] = nil
		m.trail = m.trail[1:]
	}
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

// grown is what has grown over the window, above what the captures need.
func (m *monitor) grown() map[census.Origin]int {
	grown := make(map[census.Origin]int)
	if len(m.trail) < 2 {
		return grown
	}
	before := m.trail[0].Above
	for origin, n := range m.census.Above {
		if d := n - before[origin]; d > 0 {
			grown[origin] = d
		}
	}
	return grown
}

// suspect is who to name: what grew most over the window, or if nothing did, what
// there is most of.
func (m *monitor) suspect(f *snapshot) *verdict.Suspect {
	if m.census == nil || (f.finding.Above == 0 && f.finding.Growing == 0) {
		return nil
	}
	before := map[census.Origin]int{}
	if len(m.trail) > 1 {
		before = m.trail[0].Above
	}
	origin, grown, ok := verdict.Most(before, m.census.Above, census.Origin.Compare)
	if !ok {
		if origin, _, ok = verdict.Most(nil, m.census.Above, census.Origin.Compare); !ok {
			return nil
		}
	}
	return m.name(origin, m.census.Above[origin], grown)
}

// leakSuspect returns who has most of the leaked goroutines.
func (m *monitor) leakSuspect(f *snapshot) *verdict.Suspect {
	if f.finding.Leaked == 0 {
		return nil
	}
	origin, _, ok := verdict.Most(nil, m.leaked.Origins, census.Origin.Compare)
	if !ok {
		return nil
	}
	return m.name(origin, m.leaked.Origins[origin], 0)
}

func (m *monitor) name(origin census.Origin, count, grown int) *verdict.Suspect {
	creator, known := m.creators[origin.Function]
	if !known {
		creator = m.h.src.creator(origin.Function, m.census.Total)
		m.creators[origin.Function] = creator
	}
	return &verdict.Suspect{Component: origin.Component, Function: origin.Function, Creator: creator, Count: count, Grown: grown}
}
