// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
)

const (
	// plotted is how long points are kept for the plot, and pointEvery how far they
	// are apart at least.
	plotted    = time.Hour
	pointEvery = 5 * time.Second
)

// pasts holds what has to outlive the extension. When the Collector builds its
// pipelines anew it builds its extensions anew too, in the same process: were the
// restarts forgotten with the extension that asked for them, it would restart for
// ever. They must not outlive the process, which is why they are not on disk.
var pasts = struct {
	sync.Mutex
	m map[component.ID]*past
}{m: make(map[component.ID]*past)}

func pastOf(id component.ID) *past {
	pasts.Lock()
	defer pasts.Unlock()
	p := pasts.m[id]
	if p == nil {
		p = new(past)
		pasts.m[id] = p
	}
	return p
}

// past is what happened in this process.
type past struct {
	mu       sync.Mutex
	restarts []restart // the last maxRestartsKept
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

const maxRestartsKept = 100

func (p *past) addRestart(r restart) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total++
	p.restarts = append(p.restarts, r)
	if n := len(p.restarts); n > maxRestartsKept {
		p.restarts = append([]restart(nil), p.restarts[n-maxRestartsKept:]...)
	}
}

// restartsSince returns how many there were since then, how many in all, and the last.
func (p *past) restartsSince(begin time.Time) (n, total int, last *restart) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.restarts {
		if r.At.After(begin) {
			n++
		}
	}
	if len(p.restarts) > 0 {
		r := p.restarts[len(p.restarts)-1]
		last = &r
	}
	return n, p.total, last
}

func (p *past) addPoint(at time.Time, total, excess int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.points); n > 0 && at.Unix()-p.points[n-1].At < int64(pointEvery.Seconds()) {
		return
	}
	p.points = append(p.points, point{At: at.Unix(), Total: total, Excess: excess})
	begin, old := at.Add(-plotted).Unix(), 0
	for p.points[old].At < begin {
		old++
	}
	if old > 0 {
		p.points = append(p.points[:0], p.points[old:]...)
	}
}

func (p *past) plot() []point {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]point{}, p.points...)
}
