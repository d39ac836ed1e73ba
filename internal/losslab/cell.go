// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
)

// maxLag is how late a line may be written. A burst is what a container writes in a second;
// with more, the generator has fallen behind.
const maxLag = time.Second

// defaultSettle is how long goroutines have to end after their reader was stopped. What is
// left then is counted as left behind.
const defaultSettle = 5 * time.Second

// Cell is one strategy reading one profile.
type Cell struct {
	Strategy   string `json:"strategy"`
	Profile    string `json:"profile"`
	Containers int    `json:"containers"`
	// Invalid is why the figures do not count; empty if they do.
	Invalid string `json:"invalid,omitempty"`
	Written uint64 `json:"written"` // lines

	client.Result
	// Load is that of all strategies of the profile where they are measured together.
	Load      Load      `json:"load"`
	Generator Generator `json:"generator"`
}

// Generator is how late the containers wrote.
type Generator struct {
	Late   uint64        `json:"late_lines"` // written more than 100 ms after they were due
	MaxLag time.Duration `json:"max_lag_ns"`
}

// measure has strategies read one profile's containers at the same time, each in a process of
// its own.
func (l *laboratory) measure(ctx context.Context, p Profile, strategies []string) ([]Cell, error) {
	w, err := l.startWriters(ctx, p)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err := w.remove(); err != nil {
			l.logf("        remove the containers: %v", err) // the figures are good all the same
		}
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	clients := make([]*process, len(strategies))
	pids := make([]int, len(strategies))
	for i, strategy := range strategies {
		job := client.Job{
			Endpoint: l.engine.Host(), DataRoot: l.dataRoot, Strategy: strategy, Sources: w.sources,
			Lifetime: cmp.Or(p.Lifetime, l.Lifetime), Receiver: l.Receiver,
		}
		if p.Budget > 0 {
			job.MaxStreams = max(1, len(w.sources)/p.Budget)
		}
		if clients[i], err = startClient(ctx, l.Client, job); err != nil {
			return nil, err
		}
		defer clients[i].end()
		if _, err := clients[i].next(ctx); err != nil { // Ready
			return nil, err
		}
		pids[i] = clients[i].cmd.Process.Pid
	}

	before, err := readUsage(l.engine.Pid(), pids)
	if err != nil {
		return nil, err
	}
	if err := w.begin(); err != nil {
		return nil, fmt.Errorf("let the containers write: %w", err)
	}
	lines, lateness, err := w.wait(ctx, l.length(p))
	if err != nil {
		return nil, err
	}
	for i, c := range clients {
		finish := client.Finish{Written: lines, Quiet: quiet(p, strategies[i]), Settle: cmp.Or(l.Settle, defaultSettle)}
		if err := c.orders.Encode(finish); err != nil {
			return nil, errClient
		}
	}
	for _, c := range clients {
		if _, err := c.next(ctx); err != nil { // Drained
			return nil, err
		}
	}
	after, err := readUsage(l.engine.Pid(), pids)
	if err != nil {
		return nil, err
	}

	load := after.since(before)
	if !l.engine.Private() {
		load.Others = 0 // the engine's own time is in it
	}

	cells := make([]Cell, len(strategies))
	for i, c := range clients {
		m, err := c.next(ctx)
		if err != nil {
			return nil, err
		}
		cells[i] = Cell{
			Strategy: strategies[i], Profile: p.Name, Containers: len(w.containers),
			Result: *m.Result, Load: load, Generator: lateness,
		}
		for _, n := range lines {
			cells[i].Written += n
		}
		cells[i].Invalid = cells[i].fault(p)
	}
	return cells, nil
}

// quiet is how long after the last line that came a client is given up: more than a poll. The
// receiver is not given up for long, because it has to deliver everything there is.
func quiet(p Profile, strategy string) time.Duration {
	switch {
	case strategy == client.None:
		return 0
	case p.Overrun:
		return 15 * time.Second
	case slices.Contains(client.ReceiverStrategies, strategy):
		return 2 * time.Minute
	default:
		return 3*time.Second + naive.Intervals[strategy]*3/2
	}
}

// fault is why the figures do not count, if they do not. Where the engine discards lines in any
// case, it does not matter when they were written.
func (c *Cell) fault(p Profile) string {
	switch {
	case c.Error != "":
		return "the client did not stop in order: " + c.Error
	case c.Generator.MaxLag > maxLag && !p.Overrun:
		return fmt.Sprintf("the generator fell behind: %d of %d lines were late, by up to %v",
			c.Generator.Late, c.Written, c.Generator.MaxLag.Round(time.Millisecond))
	}
	return ""
}

// disturbance is how many cores others may use beside a cell before it counts as disturbed.
const disturbance = 0.5

// Disturbed reports whether others used so much of the machine that latencies are longer and
// naive clients lose more.
func (c *Cell) Disturbed() bool { return c.Load.Cores(c.Load.Others) > disturbance }

// Age is the greatest age of a share of the lines, 0 if there were none.
func (c *Cell) Age(share float64) time.Duration {
	for _, q := range c.Latency {
		if q.Share >= share {
			return q.Age
		}
	}
	return 0
}

// LossShare is the part of the lines that was lost.
func (c *Cell) LossShare() float64 {
	if c.Written == 0 {
		return 0
	}
	return float64(c.Lost) / float64(c.Written)
}

// LinesPerSecond is the rate at which lines came, until the last one.
func (c *Cell) LinesPerSecond() float64 {
	if c.LastLine <= 0 {
		return 0
	}
	return float64(c.Delivered) / c.LastLine.Seconds()
}

// PerMillion is processor time in seconds per million lines written.
func (c *Cell) PerMillion(used time.Duration) float64 {
	if c.Written == 0 {
		return 0
	}
	return used.Seconds() / float64(c.Written) * 1e6
}
