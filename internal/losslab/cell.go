// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/careless"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// maxLag is how late a line may be written: a burst is what a container writes in a second. With more, the generator has
// fallen behind.
const maxLag = time.Second

// settle is how long goroutines have by default to end after their reader. What is left then is counted as left behind.
const settle = 5 * time.Second

// trial is what to measure at a time: strategies that read the same containers, each in a process of its own. Where
// they are several, the daemon's processor time is of all together.
type trial struct {
	strategies []string
	profile    Profile
	length     time.Duration // for which the containers write
	lifetime   time.Duration
	// lossy says that lines will be missing for sure, so that no reader is waited for as long as ours else are.
	lossy bool
}

// try measures.
func (l *laboratory) try(ctx context.Context, t trial) ([]Cell, error) {
	s, err := l.stage(ctx, t.profile, t.length)
	if err != nil {
		return nil, err
	}
	defer func() { l.warn(s.strike()) }()
	machine, daemon := busy(), daemonCPU(l.engine)
	cells, err := l.observe(ctx, t, s)
	if err != nil {
		return nil, err
	}
	all, served := busy()-machine, daemonCPU(l.engine)-daemon
	wrote, err := containersCPU(ctx, l.engine, s.containers)
	if err != nil {
		return nil, err
	}
	for i := range cells {
		all -= cells[i].CPU.Client
	}
	for i := range cells {
		cells[i].CPU.Daemon, cells[i].CPU.Generator, cells[i].CPU.Others = served, wrote, max(0, all-served-wrote)
	}
	return cells, nil
}

// observe runs the clients beside the containers, until all have ended.
func (l *laboratory) observe(ctx context.Context, t trial, s *scene) ([]Cell, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cells := make([]Cell, len(t.strategies))
	processes := make([]*process, len(t.strategies))
	for i, strategy := range t.strategies {
		cells[i] = Cell{Strategy: strategy, Profile: t.profile.Name, Containers: len(s.containers)}
		job := client.Job{Endpoint: l.engine.Host(), Strategy: strategy, Sources: s.sources, Lifetime: t.lifetime}
		if t.profile.Budget > 0 {
			job.MaxStreams = max(1, len(s.sources)/t.profile.Budget)
		}
		p, err := launch(ctx, l.Client, job)
		if err != nil {
			return nil, err
		}
		defer p.end()
		ready, err := p.awaitReady(ctx)
		if err != nil {
			return nil, err
		}
		processes[i], cells[i].Resident.Before = p, ready.Resident
	}
	started := time.Now()
	if err := s.begin(); err != nil {
		return nil, fmt.Errorf("tell the containers to write: %w", err)
	}
	lines, generator, err := s.written(ctx, t.length)
	if err != nil {
		return nil, err
	}
	wrote := time.Since(started)
	answers := make(chan error, len(processes))
	for i, p := range processes {
		go func() {
			result, err := p.finish(ctx, client.Finish{Written: lines, Quiet: t.quiet(t.strategies[i]), Settle: cmp.Or(l.Settle, settle)})
			if err == nil {
				cells[i].Generator = generator
				cells[i].take(result, lines)
				cells[i].describe(p.samples, wrote)
			}
			answers <- err
		}()
	}
	err = nil
	for range processes {
		err = errors.Join(err, <-answers)
	}
	return cells, err
}

// quiet is how long after the last line that came a client may be given up: a poll and more. Ours are not given up: they
// have to deliver all.
func (t trial) quiet(strategy string) time.Duration {
	switch {
	case strategy == client.None:
		return 0
	case t.lossy:
		return 15 * time.Second
	case slices.Contains(client.Ours, strategy):
		return 2 * time.Minute
	default:
		return 3*time.Second + careless.Intervals[strategy]*3/2
	}
}

// describe takes from the samples how goroutines and memory went, until all lines were written.
func (c *Cell) describe(samples []client.Sample, wrote time.Duration) {
	var counts, requests course
	for i, sample := range samples {
		c.Resident.Peak = max(c.Resident.Peak, sample.Resident)
		c.Goroutines.Peak = max(c.Goroutines.Peak, sample.Goroutines)
		if i%2 == 0 {
			c.Series.Seconds = append(c.Series.Seconds, round(sample.At.Seconds(), 10))
			c.Series.Goroutines = append(c.Series.Goroutines, sample.Goroutines)
			c.Series.Resident = append(c.Series.Resident, round(float64(sample.Resident)/(1<<20), 10))
		}
		if sample.At <= wrote {
			counts.add(sample.At, float64(sample.Goroutines))
			if sample.Requests >= 0 {
				requests.add(sample.At, float64(sample.Requests))
			}
		}
	}
	c.Goroutines.Growth = counts.growth(floor)
	c.RequestsPerMinute = requests.growth(median)
}

// course is how something went.
type course struct {
	minutes, values []float64
}

func (c *course) add(at time.Duration, value float64) {
	c.minutes = append(c.minutes, at.Minutes())
	c.values = append(c.values, value)
}

// growth is by how much more there was in the last quarter than in the one before, per minute: by then all readers are
// under way. level says how much a quarter has.
func (c *course) growth(level func([]float64) float64) float64 {
	n := len(c.values) / 4
	if n == 0 {
		return 0
	}
	end := len(c.values)
	before, last := c.values[end-2*n:end-n], c.values[end-n:]
	return round((level(last)-level(before))/(c.minutes[end-1]-c.minutes[end-1-n]), 10)
}

// floor is the least: those that poll come and go, and what leaks stays.
func floor(values []float64) float64 { return slices.Min(values) }

func median(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

func round(x, to float64) float64 { return math.Round(x*to) / to }
