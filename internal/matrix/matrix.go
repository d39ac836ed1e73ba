// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// cellsFile is where tests leave their cells, in the order in which they ran.
const cellsFile = "cells.jsonl"

// Seen is what became of the lines of one scenario.
type Seen struct {
	Written  int `json:"written"`
	Lost     int `json:"lost"`
	Repeated int `json:"repeated"`
	Damaged  int `json:"damaged,omitempty"` // records that are no line, or not all of one
	Gaps     int `json:"gaps"`              // counted by the receiver
}

// Cell is what a strategy saw of a scenario on an engine.
type Cell struct {
	Engine   string `json:"engine"` // with its exact version
	Strategy string `json:"strategy"`
	Scenario string `json:"scenario"`
	Seen
}

// Matrix is what one run saw.
type Matrix struct {
	Date   string // of its end
	Cores  int
	Kernel string
	Cells  []Cell
}

// Append adds a cell to those in a directory, which is made if need be.
func Append(dir string, c Cell) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the directory for cells: %w", err)
	}
	// One write of a few bytes at the end: processes that run at the same time do not mix theirs.
	f, err := os.OpenFile(filepath.Join(dir, cellsFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("open the file of cells: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	return errors.Join(err, f.Close())
}

// Collect reads the cells in a directory.
func Collect(dir string) (*Matrix, error) {
	text, err := os.ReadFile(filepath.Join(dir, cellsFile))
	if err != nil {
		return nil, fmt.Errorf("read what the tests have recorded: %w", err)
	}
	m := &Matrix{Date: time.Now().UTC().Format(time.DateOnly)}
	type key struct{ engine, strategy, scenario string }
	seen := make(map[key]bool)
	for line := range bytes.Lines(text) {
		var c Cell
		if err := json.Unmarshal(line, &c); err != nil {
			return nil, fmt.Errorf("decode a cell: %w", err)
		}
		k := key{c.Engine, c.Strategy, c.Scenario}
		if seen[k] {
			return nil, fmt.Errorf("%s, %s: %q is recorded twice, name one of them otherwise", c.Engine, c.Strategy, c.Scenario)
		}
		seen[k] = true
		m.Cells = append(m.Cells, c)
	}
	return m, nil
}

// Save writes the matrix, a cell to a line, so that a difference shows what has changed.
func (m *Matrix) Save(path string) error {
	cells := make([][]byte, len(m.Cells))
	for i, c := range m.Cells {
		var err error
		if cells[i], err = json.Marshal(c); err != nil {
			return err
		}
	}
	text := fmt.Appendf(nil, "{\n\"date\": %q,\n\"cores\": %d,\n\"kernel\": %q,\n\"cells\": [\n%s\n]}\n",
		m.Date, m.Cores, m.Kernel, bytes.Join(cells, []byte(",\n")))
	return os.WriteFile(path, text, 0o644)
}

// Read reads what Save has written.
func Read(path string) (*Matrix, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the matrix: %w", err)
	}
	m := &Matrix{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("decode %s: %w", path, err)
	}
	return m, nil
}
