// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
)

// maxComponents bounds the values of the attribute component. Those with the fewest
// goroutines are counted together as otherComponent.
const (
	maxComponents  = 50
	otherComponent = "other"
)

// registerMetrics registers the metrics that read the latest snapshot.
func (h *goroutineHealth) registerMetrics() error {
	return errors.Join(
		h.tel.RegisterGoroutineHealthExcessCallback(func(_ context.Context, o metric.Int64Observer) error {
			if snap := h.latest.Load(); snap.census != nil {
				o.Observe(int64(snap.finding.Excess))
			}
			return nil
		}),
		h.tel.RegisterGoroutineHealthGoroutinesCallback(func(_ context.Context, o metric.Int64Observer) error {
			if snap := h.latest.Load(); snap.census != nil {
				for component, states := range limitComponents(snap.census.Components) {
					for state, n := range states {
						o.Observe(int64(n), metric.WithAttributes(attribute.String("component", component), attribute.String("state", string(state))))
					}
				}
			}
			return nil
		}),
		h.tel.RegisterGoroutineHealthGrowthCallback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(h.latest.Load().finding.Growth)
			return nil
		}),
		h.tel.RegisterGoroutineHealthLeakedCallback(func(_ context.Context, o metric.Int64Observer) error {
			snap := h.latest.Load()
			if snap.leaked == nil {
				return nil
			}
			if snap.leaked.Total == 0 {
				o.Observe(0) // the runtime has looked, and there are none
			}
			for component, states := range limitComponents(snap.leaked.Components) {
				o.Observe(int64(sum(states)), metric.WithAttributes(attribute.String("component", component)))
			}
			return nil
		}),
		h.tel.RegisterGoroutineHealthRestartsCallback(func(_ context.Context, o metric.Int64Observer) error {
			_, total, _ := h.history.restartsSince(time.Time{})
			o.Observe(int64(total))
			return nil
		}),
		h.tel.RegisterGoroutineHealthVerdictCallback(func(_ context.Context, o metric.Int64Observer) error {
			o.Observe(int64(h.latest.Load().finding.Level))
			return nil
		}),
	)
}

func sum(states map[census.State]int) (n int) {
	for _, count := range states {
		n += count
	}
	return n
}

// componentsBySize returns the components, those with the most goroutines first.
func componentsBySize(components map[string]map[census.State]int) []string {
	return slices.SortedFunc(maps.Keys(components), func(a, b string) int {
		return cmp.Or(cmp.Compare(sum(components[b]), sum(components[a])), cmp.Compare(a, b))
	})
}

// limitComponents merges the smallest components where there are too many.
func limitComponents(components map[string]map[census.State]int) map[string]map[census.State]int {
	if len(components) <= maxComponents {
		return components
	}
	kept := make(map[string]map[census.State]int, maxComponents)
	others := maps.Clone(components[otherComponent])
	if others == nil {
		others = make(map[census.State]int)
	}
	for _, component := range componentsBySize(components) {
		switch {
		case component == otherComponent:
		case len(kept) < maxComponents-1:
			kept[component] = components[component]
		default:
			for state, n := range components[component] {
				others[state] += n
			}
		}
	}
	kept[otherComponent] = others
	return kept
}
