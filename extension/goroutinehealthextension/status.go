// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
)

// Bounds of the lists of a status.
const (
	listedComponents = 50
	listedFunctions  = 20
	listedContainers = 100
)

// status is the body of the API's answer. The README documents it.
type status struct {
	Verdict  verdict.Level `json:"verdict"`
	Reason   string        `json:"reason"`
	Since    time.Time     `json:"since"`
	Now      time.Time     `json:"now"`
	Pressure bool          `json:"pressure"`

	Goroutines struct {
		counts
		Needed int `json:"needed"`
		Excess int `json:"excess"`
	} `json:"goroutines"`
	GrowthPerMinute float64       `json:"growth_per_minute"`
	Leaked          statusLeaked  `json:"leaked"`
	Limits          statusLimits  `json:"limits"`
	Census          *statusCensus `json:"census,omitempty"`

	Components []statusComponent `json:"components"`
	Functions  []statusFunction  `json:"functions"`
	Containers struct {
		Total  int               `json:"total"`
		Listed []statusContainer `json:"listed"`
	} `json:"containers"`

	Restarts struct {
		Total    int      `json:"total"`
		InWindow int      `json:"in_window"`
		Last     *restart `json:"last,omitempty"`
	} `json:"restarts"`
	Dumps   []dumpInfo   `json:"dumps"`
	History []point      `json:"history"`
	Pages   []statusPage `json:"pages,omitempty"`
}

// statusPage is the page of another component.
type statusPage struct {
	Name    string `json:"name"`
	Address string `json:"address"` // webui.Address
}

type statusLeaked struct {
	Supported bool       `json:"supported"`
	Total     int        `json:"total"`
	Looked    *time.Time `json:"looked,omitempty"`
}

type statusLimits struct {
	Warning              int     `json:"warning"`
	Critical             int     `json:"critical"`
	GrowthPerMinute      float64 `json:"growth_per_minute"`
	WindowSeconds        float64 `json:"window_seconds"`
	ForSeconds           float64 `json:"for_seconds"`
	OnCritical           Action  `json:"on_critical"`
	MaxRestarts          int     `json:"max_restarts"`
	RestartWindowSeconds float64 `json:"restart_window_seconds"`
}

type statusCensus struct {
	Taken       time.Time `json:"taken"`
	TookSeconds float64   `json:"took_seconds"`
}

type statusComponent struct {
	Component  string               `json:"component"`
	Kind       string               `json:"kind,omitempty"`
	Goroutines int                  `json:"goroutines"`
	Above      int                  `json:"above"` // need
	Grown      int                  `json:"grown"` // over the window
	Leaked     int                  `json:"leaked"`
	States     map[census.State]int `json:"states"`
}

type statusFunction struct {
	Component string `json:"component"`
	Function  string `json:"function"`
	Creator   string `json:"creator,omitempty"`
	Above     int    `json:"above"`
	Grown     int    `json:"grown"`
}

type statusContainer struct {
	ID         string `json:"id"`
	Name       string `json:"name,omitempty"`
	Component  string `json:"component"`
	Goroutines int    `json:"goroutines"`
	Needed     int    `json:"needed"`
}

func (h *goroutineHealth) status(now time.Time) *status {
	snap := h.latest.Load()
	s := &status{
		Verdict: snap.finding.Level, Reason: snap.reason, Since: snap.finding.Since, Now: now, Pressure: snap.finding.Pressure(),
		GrowthPerMinute: snap.finding.Growth, Leaked: statusLeaked{Supported: h.src.canFindLeaks()},
		Limits: statusLimits{
			Warning: h.cfg.Warning, Critical: h.cfg.Critical, GrowthPerMinute: h.cfg.GrowthPerMinute,
			WindowSeconds: h.cfg.Window.Seconds(), ForSeconds: h.cfg.For.Seconds(), OnCritical: h.cfg.OnCritical,
			MaxRestarts: h.cfg.MaxRestarts, RestartWindowSeconds: h.cfg.RestartWindow.Seconds(),
		},
		Components: []statusComponent{}, Functions: []statusFunction{}, Dumps: []dumpInfo{}, History: h.history.plot(),
	}
	s.Goroutines.counts = snap.counts
	s.Goroutines.Excess = snap.finding.Excess
	s.Goroutines.Needed = snap.counts.Total - snap.finding.Excess
	s.Containers.Listed = []statusContainer{}
	if snap.leaked != nil {
		s.Leaked.Total, s.Leaked.Looked = snap.leaked.Total, &snap.leaked.Taken
	}
	if snap.census != nil {
		s.Census = &statusCensus{Taken: snap.census.Taken, TookSeconds: snap.census.Took.Seconds()}
		s.addCensus(snap)
	}
	s.Restarts.InWindow, s.Restarts.Total, s.Restarts.Last = h.history.restartsSince(now.Add(-h.cfg.RestartWindow))
	if dumps, err := h.listDumps(); err == nil && dumps != nil {
		s.Dumps = dumps
	}
	for name, address := range h.pages.Range {
		s.Pages = append(s.Pages, statusPage{Name: name.(string), Address: address.(string)})
	}
	slices.SortFunc(s.Pages, func(a, b statusPage) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

func (s *status) addCensus(snap *snapshot) {
	rows := make(map[string]*statusComponent)
	listed := first(componentsBySize(snap.census.Components), listedComponents)
	for _, component := range listed {
		states := snap.census.Components[component]
		rows[component] = &statusComponent{Component: component, Goroutines: sum(states), States: states}
	}
	add := func(origins map[census.Origin]int, f func(*statusComponent, census.Origin, int)) {
		for origin, n := range origins {
			if row := rows[origin.Component]; row != nil {
				f(row, origin, n)
			}
		}
	}
	add(snap.census.Origins, func(row *statusComponent, o census.Origin, _ int) { row.Kind = cmp.Or(row.Kind, o.Kind) })
	add(snap.census.Above, func(row *statusComponent, _ census.Origin, n int) { row.Above += n })
	add(snap.grown, func(row *statusComponent, _ census.Origin, n int) { row.Grown += n })
	if snap.leaked != nil {
		add(snap.leaked.Origins, func(row *statusComponent, _ census.Origin, n int) { row.Leaked += n })
	}
	for _, component := range listed {
		s.Components = append(s.Components, *rows[component])
	}
	for _, origin := range first(descending(snap.census.Above), listedFunctions) {
		s.Functions = append(s.Functions, statusFunction{
			Component: origin.Component, Function: origin.Function, Creator: snap.creators.of(origin.Function),
			Above: snap.census.Above[origin], Grown: snap.grown[origin],
		})
	}
	s.Containers.Total = len(snap.census.Containers)
	for _, c := range first(containersByExcess(snap.census), listedContainers) {
		s.Containers.Listed = append(s.Containers.Listed, statusContainer{
			ID: c.ID, Name: c.Name, Component: c.Component, Goroutines: c.Count, Needed: c.Need,
		})
	}
}

func containersByExcess(c *census.Census) []*census.Container {
	return slices.SortedFunc(maps.Values(c.Containers), func(a, b *census.Container) int {
		return cmp.Or(cmp.Compare(b.Excess(), a.Excess()), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

func first[T any](list []T, n int) []T { return list[:min(n, len(list))] }
