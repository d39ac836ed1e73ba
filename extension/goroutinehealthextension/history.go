// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
)

const (
	// plotPeriod is the age up to which points are kept, pointSpacing the least time
	// between two of them.
	plotPeriod   = time.Hour
	pointSpacing = 5 * time.Second
	// minRestartsKept is how many restarts are kept where fewer are counted.
	minRestartsKept = 100
)

// histories holds what has to outlive the extensions. When the Collector rebuilds its
// pipelines it rebuilds its extensions too, in the same process: if the restarts were
// forgotten with the extension that asked for them, they would never end. They must not
// outlive the process, so they are not on disk.
var histories = struct {
	sync.Mutex
	m map[component.ID]*processHistory
}{m: make(map[component.ID]*processHistory)}

func historyOf(id component.ID) *processHistory {
	histories.Lock()
	defer histories.Unlock()
	p := histories.m[id]
	if p == nil {
		p = new(processHistory)
		histories.m[id] = p
	}
	return p
}

// processHistory is what has happened in this process.
type processHistory struct {
	mu       sync.Mutex
	restarts []restart // the last ones
	total    int       // of restarts
	points   []point   // of the last hour
}

type restart struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

type point struct {
	At     int64 `json:"t"` // seconds since 1970
	Total  int   `json:"total"`
	Excess int   `json:"excess"`
}

// addRestart keeps the last restarts, at least as many as given, which is how many are
// counted.
func (h *processHistory) addRestart(r restart, keep int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.total++
	h.restarts = append(h.restarts, r)
	if n, keep := len(h.restarts), max(keep, minRestartsKept); n > keep {
		h.restarts = append([]restart(nil), h.restarts[n-keep:]...)
	}
}

// restartsSince returns the number of restarts after begin, that of all, and the last.
func (h *processHistory) restartsSince(begin time.Time) (n, total int, last *restart) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range h.restarts {
		if r.At.After(begin) {
			n++
		}
	}
	if len(h.restarts) > 0 {
		r := h.restarts[len(h.restarts)-1]
		last = &r
	}
	return n, h.total, last
}

func (h *processHistory) addPoint(at time.Time, total, excess int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.points); n > 0 {
		since := at.Unix() - h.points[n-1].At
		if since < 0 {
			// The clock has been set back. Points of the future would end the plot and
			// never grow old.
			h.points = slices.DeleteFunc(h.points, func(p point) bool { return p.At > at.Unix() })
		} else if since < int64(pointSpacing.Seconds()) {
			return
		}
	}
	h.points = append(h.points, point{At: at.Unix(), Total: total, Excess: excess})
	begin, old := at.Add(-plotPeriod).Unix(), 0
	for h.points[old].At < begin {
		old++
	}
	if old > 0 {
		h.points = append(h.points[:0], h.points[old:]...)
	}
}

func (h *processHistory) plot() []point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]point{}, h.points...)
}
