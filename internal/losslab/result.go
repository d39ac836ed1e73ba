// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

// Lab is what a run of the laboratory has measured. Durations in its JSON are in nanoseconds.
type Lab struct {
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took_ns"`
	Machine Machine       `json:"machine"`
	Options Settings      `json:"options"`
	Cells   []Cell        `json:"cells"`
}

// Machine is where it was measured.
type Machine struct {
	Cores   int    `json:"cores"`
	CPU     string `json:"cpu"`
	Kernel  string `json:"kernel"`
	Go      string `json:"go"`
	Engine  string `json:"engine"`
	API     string `json:"api"`
	Private bool   `json:"private"` // the engine; the processor time of another is not known
}

// Settings are how it was measured.
type Settings struct {
	Duration   time.Duration `json:"duration_ns"` // for which a cell's containers write
	Lifetime   time.Duration `json:"lifetime_ns"` // of short-lived follows
	Containers int           `json:"containers"`  // of a fleet
	Seed       uint64        `json:"seed"`
	// Receiver is what the receiver was configured with beyond its defaults, by the keys of its
	// YAML.
	Receiver map[string]any `json:"receiver,omitempty"`
}

// Find returns the cell of a strategy and a profile, nil if it was not measured.
func (l *Lab) Find(strategy, profile string) *Cell {
	for i := range l.Cells {
		if c := &l.Cells[i]; c.Strategy == strategy && c.Profile == profile {
			return c
		}
	}
	return nil
}

// ReadFile reads what Save has written.
func ReadFile(path string) (*Lab, error) {
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

// Save writes it as JSON, with a line for each cell.
func (l *Lab) Save(path string) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("encode the results: %w", err)
	}
	const cell = `{"strategy":`
	text = bytes.ReplaceAll(text, []byte(cell), []byte("\n"+cell))
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
