// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

const (
	// Figures is the file that Save writes, below the root of the repository.
	Figures  = "docs/conformance.json"
	document = "docs/conformance.md"
	// The tables stand between these.
	begin = "<!-- made by enginematrix render -->\n"
	end   = "<!-- end of what enginematrix render made -->\n"
)

// WriteDocument writes the tables into the document below root.
func (m *Matrix) WriteDocument(root string) error {
	path := filepath.Join(root, document)
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	if text, err = m.insert(text); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// insert replaces the tables in the text of the document.
func (m *Matrix) insert(text []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, fmt.Errorf("%s has no place for the tables between %q and %q", document, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return slices.Concat(before, []byte(begin), m.tables(), []byte(end), after), nil
}

// tables has one for each engine: a row for each scenario, a column for each strategy, all in the order in which they
// were first recorded.
func (m *Matrix) tables() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\nMade on %s, on %d cores with Linux %s.\n", m.Date, m.Cores, m.Kernel)
	scenarios := distinct(m.Cells, func(c Cell) string { return c.Scenario })
	for _, engine := range distinct(m.Cells, func(c Cell) string { return c.Engine }) {
		cells := slices.DeleteFunc(slices.Clone(m.Cells), func(c Cell) bool { return c.Engine != engine })
		strategies := distinct(cells, func(c Cell) string { return c.Strategy })
		fmt.Fprintf(&b, "\n## %s\n\n| Scenario |", engine)
		for _, strategy := range strategies {
			fmt.Fprintf(&b, " `%s` |", strategy)
		}
		fmt.Fprintf(&b, "\n| -------- |%s\n", strings.Repeat(" --- |", len(strategies)))
		for _, scenario := range scenarios {
			if row := line(cells, scenario, strategies); row != "" {
				fmt.Fprintf(&b, "| %s |%s\n", scenario, row)
			}
		}
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// line returns the cells of a scenario, nothing if it was not run.
func line(cells []Cell, scenario string, strategies []string) string {
	if !slices.ContainsFunc(cells, func(c Cell) bool { return c.Scenario == scenario }) {
		return ""
	}
	var b strings.Builder
	for _, strategy := range strategies {
		i := slices.IndexFunc(cells, func(c Cell) bool { return c.Scenario == scenario && c.Strategy == strategy })
		if i < 0 {
			b.WriteString(" |") // not run
			continue
		}
		fmt.Fprintf(&b, " %s |", cells[i].Seen)
	}
	return b.String()
}

// String is "9,000" if all of 9,000 lines came once, else it says what did not.
func (s Seen) String() string {
	text := words.Count(uint64(s.Written))
	separator := ": "
	say := func(n int, what string) {
		if n > 0 {
			text += separator + words.Count(uint64(n)) + " " + what
			separator = ", "
		}
	}
	say(s.Lost, "lost")
	say(s.Repeated, "repeated")
	say(s.Damaged, "damaged")
	if s.Gaps == 1 {
		say(1, "gap")
	} else {
		say(s.Gaps, "gaps")
	}
	return text
}

// distinct returns what the cells have, in the order of the first of each.
func distinct(cells []Cell, of func(Cell) string) (all []string) {
	for _, c := range cells {
		if text := of(c); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}
