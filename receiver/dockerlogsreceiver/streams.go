// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
)

// health is what adaptive wants of an extension, goroutine_health for one.
type health interface {
	// Pressure tells whether the process has too many goroutines to open streams.
	Pressure() bool
}

// findHealth looks the extension of the configuration up; without one it gives nil.
func findHealth(host component.Host, id *component.ID) (health, error) {
	if id == nil {
		return nil, nil
	}
	extension, ok := host.GetExtensions()[*id]
	if !ok {
		return nil, fmt.Errorf("adaptive: health: there is no extension %s; add it to extensions and to service::extensions, or leave health out", id)
	}
	h, ok := extension.(health)
	if !ok {
		return nil, fmt.Errorf("adaptive: health: the extension %s does not tell of pressure, as goroutine_health does", id)
	}
	return h, nil
}

// rankInterval is how often the streams of adaptive are dealt out anew.
const rankInterval = 10 * time.Second

// streams deals the streams of adaptive out to the busiest containers. The owner loop
// alone uses it.
type streams struct {
	limit  int
	ranked time.Time
	rates  map[*capture]rateOf
}

// rateOf is a container's activity since the last deal.
type rateOf struct {
	delivered int64
	fresh     int64
}

// deal grants streams to at most limit of the captures. One that has a stream keeps it
// unless another has been half as busy again. It returns those for which
// something has changed.
func (s *streams) deal(captures []*capture) (changed []*capture) {
	rates := make(map[*capture]rateOf, len(captures))
	weight := func(c *capture) float64 {
		fresh := float64(rates[c].fresh)
		if c.granted.Load() {
			fresh = fresh*1.5 + 1
		}
		return fresh
	}
	for _, c := range captures {
		now := c.delivered.Load()
		rates[c] = rateOf{delivered: now, fresh: now - s.rates[c].delivered}
	}
	s.rates = rates
	slices.SortStableFunc(captures, func(a, b *capture) int { return cmp.Compare(weight(b), weight(a)) })
	for i, c := range captures {
		if granted := i < s.limit; c.granted.Load() != granted {
			changed = append(changed, c)
		}
	}
	for i, c := range captures {
		c.granted.Store(i < s.limit)
	}
	return changed
}
