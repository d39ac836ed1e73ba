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
	// Pressure reports whether the process has too many goroutines to open streams.
	Pressure() bool
}

// findHealth looks the extension of the configuration up; without one it returns nil.
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
		return nil, fmt.Errorf("adaptive: health: the extension %s does not report pressure, as goroutine_health does", id)
	}
	return h, nil
}

// dealInterval is how often the follows of adaptive are dealt out anew.
const dealInterval = 10 * time.Second

// budget deals the follows of adaptive out. The owner loop alone uses it.
type budget struct {
	limit int
	dealt time.Time
	rates map[*link]activity
}

// activity is what a container has written.
type activity struct {
	records int64 // in all
	fresh   int64 // since the last deal
}

// deal grants streams to at most limit of the captures: to those that write most, but none
// to those that write so much that they are polled. One that has a stream keeps it unless
// another has been half as busy again. It returns those for which something has changed.
func (b *budget) deal(links []*link) (changed []*link) {
	rates := make(map[*link]activity, len(links))
	weight := func(l *link) float64 {
		if l.busy.Load() {
			return -1
		}
		fresh := float64(rates[l].fresh)
		if l.hasStream.Load() {
			fresh = fresh*1.5 + 1
		}
		return fresh
	}
	for _, l := range links {
		now := l.records.Load()
		rates[l] = activity{records: now, fresh: now - b.rates[l].records}
	}
	b.rates = rates
	slices.SortStableFunc(links, func(a, b *link) int { return cmp.Compare(weight(b), weight(a)) })
	for i, l := range links {
		if granted := i < b.limit; l.hasStream.Load() != granted {
			changed = append(changed, l)
		}
	}
	for i, l := range links {
		l.hasStream.Store(i < b.limit)
	}
	return changed
}
