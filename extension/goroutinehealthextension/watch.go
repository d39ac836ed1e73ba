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

// watch counts and judges. Its goroutine alone touches its fields.
type watch struct {
	h     *goroutineHealth
	judge *verdict.Judge

	census   *census.Census
	trail    []*census.Census // of the window, for what has grown in it
	leaked   *census.Census
	leakedAt time.Time // of the last look, or of the start
	creators map[string]string
	level    verdict.Level
	acted    bool // nothing is done twice in the life of an extension
	failed   bool // the census cannot be taken, and that has been said
}

func newWatch(h *goroutineHealth) *watch {
	return &watch{
		h: h, creators: map[string]string{}, leakedAt: time.Now(),
		judge: verdict.New(verdict.Limits{
			Warning: h.cfg.Warning, Critical: h.cfg.Critical,
			GrowthPerMinute: h.cfg.GrowthPerMinute, Window: h.cfg.Window, For: h.cfg.For,
		}),
	}
}

func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(w.h.cfg.CollectionInterval)
	defer ticker.Stop()
	for {
		w.step(ctx, time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// step looks once.
func (w *watch) step(ctx context.Context, now time.Time) {
	f := &found{counts: w.h.src.count()}
	if w.due(now, f.counts.Total) {
		w.takeCensus(ctx, now)
	}
	if w.h.cfg.LeakInterval > 0 && now.Sub(w.leakedAt) >= w.h.cfg.LeakInterval {
		w.findLeaks(now)
	}
	excess := f.counts.Total
	if w.census != nil {
		// The census itself is younger than the count.
		excess = max(f.counts.Total-w.census.Need, 0)
	}
	leaked := 0
	if w.leaked != nil {
		leaked = w.leaked.Total
	}
	f.finding = w.judge.Observe(verdict.Sample{At: now, Excess: excess}, leaked)
	f.census, f.leaked, f.grown = w.census, w.leaked, w.grown()
	f.reason = verdict.Reason(f.finding, w.suspect(f), w.leaker(f))
	f.creators = maps.Clone(w.creators)
	w.h.past.addPoint(now, f.counts.Total, excess)
	w.h.found.Store(f)
	w.tell(f)
	w.act(f, now)
}

// due tells whether it is time for a census.
func (w *watch) due(now time.Time, total int) bool {
	if w.census == nil || now.Sub(w.census.Taken) >= w.h.cfg.CensusInterval {
		return true
	}
	moved := total - w.census.Total
	moved = max(moved, -moved)
	return moved >= movedMuch && 10*moved >= w.census.Total
}

func (w *watch) takeCensus(ctx context.Context, now time.Time) {
	c, err := w.h.src.census()
	if err != nil {
		if !w.failed {
			w.failed = true
			w.h.set.Logger.Warn("cannot tell whose goroutines there are; going on by their number alone", zap.Error(err))
		}
		return
	}
	w.failed = false
	w.h.tel.GoroutineHealthCensusDuration.Record(ctx, c.Took.Seconds())
	c.Taken = now
	w.census = c
	w.trail = append(w.trail, c)
	// One from before the window stays, to compare with.
	for len(w.trail) > 2 && now.Sub(w.trail[1].Taken) >= w.h.cfg.Window {
		w.trail[0] = nil
		w.trail = w.trail[1:]
	}
}

func (w *watch) findLeaks(now time.Time) {
	w.leakedAt = now
	if !w.h.src.findsLeaks() {
		return
	}
	leaked, err := w.h.src.leaked()
	if err != nil {
		w.h.set.Logger.Debug("cannot look for leaked goroutines", zap.Error(err))
		return
	}
	leaked.Taken = now
	w.leaked = leaked
}

// grown is what has grown over the window, above what the captures need.
func (w *watch) grown() map[census.Origin]int {
	grown := make(map[census.Origin]int)
	if len(w.trail) < 2 {
		return grown
	}
	before := w.trail[0].Above
	for origin, n := range w.census.Above {
		if d := n - before[origin]; d > 0 {
			grown[origin] = d
		}
	}
	return grown
}

// suspect is who to name: what grew most over the window, or if nothing did, what
// there is most of.
func (w *watch) suspect(f *found) *verdict.Suspect {
	if w.census == nil || (f.finding.Above == 0 && f.finding.Growing == 0) {
		return nil
	}
	before := map[census.Origin]int{}
	if len(w.trail) > 1 {
		before = w.trail[0].Above
	}
	origin, grown, ok := verdict.Most(before, w.census.Above, census.Origin.Compare)
	if !ok {
		if origin, _, ok = verdict.Most(nil, w.census.Above, census.Origin.Compare); !ok {
			return nil
		}
	}
	return w.name(origin, w.census.Above[origin], grown)
}

// leaker is who has most of the leaked goroutines.
func (w *watch) leaker(f *found) *verdict.Suspect {
	if f.finding.Leaked == 0 {
		return nil
	}
	origin, _, ok := verdict.Most(nil, w.leaked.Origins, census.Origin.Compare)
	if !ok {
		return nil
	}
	return w.name(origin, w.leaked.Origins[origin], 0)
}

func (w *watch) name(origin census.Origin, count, grown int) *verdict.Suspect {
	creator, known := w.creators[origin.Function]
	if !known {
		creator = w.h.src.creator(origin.Function, w.census.Total)
		w.creators[origin.Function] = creator
	}
	return &verdict.Suspect{Component: origin.Component, Function: origin.Function, Creator: creator, Count: count, Grown: grown}
}
