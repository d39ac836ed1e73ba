// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// Lab is what a run of the laboratory has measured. Durations are in nanoseconds in its JSON, as their names say.
type Lab struct {
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took_ns"`
	Machine Machine       `json:"machine"`
	Options Settings      `json:"options"`
	Cells   []Cell        `json:"cells"`
	Claims  *Claims       `json:"claims,omitempty"`
}

// Machine is where it was measured.
type Machine struct {
	Cores   int    `json:"cores"`
	CPU     string `json:"cpu"`
	Kernel  string `json:"kernel"`
	Go      string `json:"go"`
	Engine  string `json:"engine"`
	API     string `json:"api"`
	Private bool   `json:"private"` // the engine; of another, the processor time is not known
}

// Settings are what the run was asked for.
type Settings struct {
	Duration   time.Duration `json:"duration_ns"` // for which a cell's containers write
	Lifetime   time.Duration `json:"lifetime_ns"` // of the follows that are short-lived
	Containers int           `json:"containers"`  // of the profile fleet
	Seed       uint64        `json:"seed"`
}

// Cell is one strategy reading one profile.
type Cell struct {
	Strategy   string `json:"strategy"`
	Profile    string `json:"profile"`
	Containers int    `json:"containers"`
	// Invalid says why the figures are none, empty if they are.
	Invalid  string `json:"invalid,omitempty"`
	Attempts int    `json:"attempts"`

	Written    uint64        `json:"written"`
	Delivered  uint64        `json:"delivered"`
	Lost       uint64        `json:"lost"`
	LostRuns   uint64        `json:"lost_runs"`
	Repeated   uint64        `json:"repeated"`
	Damaged    uint64        `json:"damaged"`
	Gaps       int64         `json:"gaps"`
	Suppressed int64         `json:"suppressed"`
	Latency    []Quantile    `json:"latency,omitempty"`
	Elapsed    time.Duration `json:"elapsed_ns"`   // until all lines had come or were given up
	LastLine   time.Duration `json:"last_line_ns"` // until the last one that came
	Requests   int64         `json:"requests"`     // to the engine
	// RequestsPerMinute is while the containers wrote, when all readers were under way.
	RequestsPerMinute float64 `json:"requests_per_minute"`

	Goroutines Goroutines `json:"goroutines"`
	Resident   Resident   `json:"resident"`
	CPU        CPU        `json:"cpu"`
	Generator  Generator  `json:"generator"`
	Series     Series     `json:"series"`
}

// Quantile is how old a share of the lines were when they came, at most.
type Quantile struct {
	Share float64       `json:"share"`
	Age   time.Duration `json:"age_ns"`
}

// Goroutines are those beyond what the process had before the reader was started.
type Goroutines struct {
	Peak   int     `json:"peak"`
	Growth float64 `json:"growth_per_minute"` // while the containers wrote, when all readers were under way
	Left   int     `json:"left"`              // after the end
	Leaked int     `json:"leaked"`            // of these, proven by the runtime never to wake; -1: not known
}

// Resident is the client's memory in RAM, in bytes.
type Resident struct {
	Before int64 `json:"before"` // the reader was started
	Peak   int64 `json:"peak"`
}

// CPU is processor time while the client was at work.
type CPU struct {
	Client    time.Duration `json:"client_ns"`
	Daemon    time.Duration `json:"daemon_ns"`    // the writing of the log included; 0 where it is not known
	Generator time.Duration `json:"generator_ns"` // all of its containers
	Others    time.Duration `json:"others_ns"`    // the rest of the machine
}

// Generator is whether the containers wrote as they should.
type Generator struct {
	Late   uint64        `json:"late_lines"` // written more than 100 ms after they were due
	MaxLag time.Duration `json:"max_lag_ns"`
}

// Series is how it went: a value each half second.
type Series struct {
	Seconds    []float64 `json:"seconds"`
	Goroutines []int     `json:"goroutines"`
	Resident   []float64 `json:"resident_mib"`
}

// disturbed is how many cores others may use beside a cell: with more, it is measured again.
const disturbed = 0.5

// Disturbed tells whether the machine did much else meanwhile, of which latencies are longer, and what is lost is more.
func (c *Cell) Disturbed() bool { return c.others() > disturbed }

// others is how many cores others used, on average.
func (c *Cell) others() float64 {
	if c.Elapsed <= 0 {
		return 0
	}
	return c.CPU.Others.Seconds() / c.Elapsed.Seconds()
}

// Age is that of a share of the lines at most, 0 if there were none.
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

// LinesPerSecond is how many lines came, until the last one.
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

// take copies a client's result, and says whether it counts.
func (c *Cell) take(r *client.Result, written map[string]uint64) {
	for _, n := range written {
		c.Written += n
	}
	c.Delivered, c.Lost, c.LostRuns, c.Repeated, c.Damaged = r.Delivered, r.Lost, r.LostRuns, r.Repeated, r.Damaged
	c.Gaps, c.Suppressed, c.Elapsed, c.LastLine, c.Requests = r.Gaps, r.Suppressed, r.Elapsed, r.LastLine, r.Requests
	for _, q := range r.Latency {
		c.Latency = append(c.Latency, Quantile(q))
	}
	c.Goroutines.Left, c.Goroutines.Leaked = r.Left, r.Leaked
	c.CPU.Client = r.CPU
	switch {
	case r.Error != "":
		c.Invalid = "the client did not end in order: " + r.Error
	case c.Generator.MaxLag > maxLag:
		c.Invalid = fmt.Sprintf("the generator fell behind: %d of %d lines were late, by up to %v",
			c.Generator.Late, c.Written, c.Generator.MaxLag.Round(time.Millisecond))
	}
}

// Find is the cell of a strategy and a profile, nil if it was not measured.
func (l *Lab) Find(strategy, profile string) *Cell {
	for i := range l.Cells {
		if c := &l.Cells[i]; c.Strategy == strategy && c.Profile == profile {
			return c
		}
	}
	return nil
}

// Load reads what Save has written.
func Load(path string) (*Lab, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var l Lab
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &l, nil
}

// Save writes it as JSON, each cell on a line of its own.
func (l *Lab) Save(path string) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode the results: %w", err)
	}
	const cell = `{"strategy":`
	text = bytes.ReplaceAll(text, []byte(cell), []byte("\n"+cell))
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
