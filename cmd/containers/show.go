// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// Colours of ECMA-48. All have two digits: text/tabwriter counts the sequences, so all cells
// of a column must have sequences of one length.
const (
	red    = 31
	green  = 32
	yellow = 33
	plain  = 39
	grey   = 90
)

var stateColours = map[string]int{
	"reading": green, "following": green, "delayed": yellow, "waiting": yellow, "unreadable": red, "ended": grey, "left_out": grey,
}

// waits tells whether the container has to wait for something else than its next lines.
func (c container) waits() bool {
	switch c.WaitsFor.What {
	case "", "lines", "next_poll", "file_change":
		return false
	}
	return true
}

func (c container) stateColour() int {
	if c.State == "waiting" && !c.waits() {
		return green
	}
	return cmp.Or(stateColours[c.State], plain)
}

// warn tells what holds for all containers and is not as it should be.
func (a answer) warn(w io.Writer) {
	if !a.Engine.Connected {
		fmt.Fprintf(w, "The engine has not answered since %s: %s\n", when(a.Engine.Since, a.Now), cell(a.Engine.Error))
	}
	if a.Pipeline.State == "refusing" {
		fmt.Fprintf(w, "The pipeline has taken nothing since %s: %s\n", when(a.Pipeline.Since, a.Now), cell(a.Pipeline.Error))
	}
}

// table prints a line for each container, by name.
func (a answer) table(out io.Writer, wide, colours bool) error {
	paint := func(colour int, text string) string {
		if !colours {
			return text
		}
		return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
	}
	slices.SortStableFunc(a.Containers, func(x, y container) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.ID, y.ID))
	})
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { fmt.Fprintln(w, strings.Join(cells, "\t")) }
	header := []string{"NAME", paint(plain, "STATE"), "STRATEGY", "LINES", "/S", "BEHIND", paint(plain, "GAPS")}
	if wide {
		header = append(header, "ID", "IMAGE", "SOURCE", "LAST LINE")
	}
	row(append(header, "WHY")...)
	// Two names may both find a container. Its id is sorted by, as others may have its name too.
	for _, c := range slices.CompactFunc(a.Containers, func(x, y container) bool { return x.ID == y.ID }) {
		cells := []string{cell(c.Name), paint(c.stateColour(), cell(spaced(c.State))), cell(c.Strategy), "-", "-", "-", paint(plain, "-")}
		if c.captured() {
			gaps := plain
			if c.GapCount > 0 {
				gaps = red
			}
			cells = append(cells[:3], words.Count(c.Records), fmt.Sprintf("%.1f", c.RecordsPerSecond),
				duration(c.BehindSeconds), paint(gaps, words.Count(c.GapCount)))
		}
		if wide {
			cells = append(cells, cell(c.ID[:min(len(c.ID), idLength)]), cell(c.Image), cell(c.Source), when(c.LastRecord, a.Now))
		}
		row(append(cells, cell(c.why(a.Now)))...)
	}
	return w.Flush()
}

// captured tells whether the container is captured, or was: others have no strategy.
func (c container) captured() bool { return c.Strategy != "" && c.Reason == nil }

// why says what keeps a container from being followed, and what may be missing.
func (c container) why(now time.Time) string {
	var why []string
	switch {
	case c.Reason != nil:
		why = append(why, c.Reason.String())
	case c.waits():
		why = append(why, "waits for "+c.WaitsFor.Text)
	}
	if len(c.Gaps) > 0 && c.Reason == nil { // else the reason says it
		last := c.Gaps[len(c.Gaps)-1]
		why = append(why, fmt.Sprintf("gap at %s: %s", when(last.Time, now), cmp.Or(last.Text, last.Reason)))
	}
	return strings.Join(why, "; ")
}

func (r reason) String() string {
	if strings.Contains(r.Text, r.By) {
		return r.Text
	}
	return fmt.Sprintf("%s (%s)", r.Text, r.By)
}
