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

	"github.com/dockerlogs/otelcol-dockerlogs/internal/terminal"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// view prints all that is known of one container.
func (a answer) view(out io.Writer) error {
	c, at := a.Container, func(t time.Time) string { return when(t, a.Now) }
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(title, value string) { fmt.Fprintf(w, "%s\t%s\n", title, cell(value)) }
	row("Name", c.Name)
	row("Id", c.ID)
	row("Image", c.Image)
	row("Log driver", c.Driver)
	row("State", fmt.Sprintf("%s since %s", spaced(c.State), at(c.StateSince)))
	if c.Reason != nil {
		row("Why", c.Reason.String())
		row("What to do", c.Reason.Remedy)
	}
	if c.captured() {
		row("Strategy", fmt.Sprintf("%s (%s), source: %s", c.Strategy, cmp.Or(c.StrategyFrom, "default"), cmp.Or(c.Source, "not known yet")))
		row("Captured", "since "+at(c.Since))
		row("Lines", fmt.Sprintf("%s, %.1f a second; the last at %s", words.Count(c.Records), c.RecordsPerSecond, at(c.LastRecord)))
		row("Bytes", fmt.Sprintf("%s, %.0f a second", words.Count(c.Bytes), c.BytesPerSecond))
		row("Behind", duration(c.BehindSeconds))
		row("Opened again", words.Count(c.Reopens))
		row("Repeats", words.Count(c.Suppressed)+" left out")
		row("Dropped", fmt.Sprintf("%s by the pipeline, %s by the rate limit", words.Count(c.Dropped), words.Count(c.RateLimited)))
		row("Gaps", words.Count(c.GapCount))
	}
	if wait := c.WaitsFor; wait.What != "" {
		text := wait.Text
		if !wait.Until.IsZero() {
			text += ", until " + at(wait.Until)
		}
		row("Waits for", text)
	}
	if len(c.Plot) > 0 {
		row("Ten minutes", plot(c.Plot))
	}
	section := func(title string, events []event) {
		if len(events) > 0 {
			fmt.Fprintf(w, "\n%s\n", title) // without a tab, it ends the columns above
		}
		for _, e := range events {
			text := e.Text
			if e.Remedy != "" {
				text += "; " + e.Remedy
			}
			if e.Times > 1 {
				text += fmt.Sprintf(" (%d times)", e.Times)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\n", at(e.Time), cell(spaced(cmp.Or(e.Kind, e.Reason))), cell(text))
		}
	}
	section("Gaps", c.Gaps)
	section("History", c.History)
	return w.Flush()
}

// plot draws a bar for each number, relative to the greatest. Only 0 is blank.
func plot(numbers []float64) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	most := slices.Max(numbers)
	var drawn strings.Builder
	for _, n := range numbers {
		if n <= 0 {
			drawn.WriteByte(' ')
			continue
		}
		drawn.WriteRune(bars[min(int(n/most*float64(len(bars))), len(bars)-1)])
	}
	return drawn.String()
}

// when shows a local time, with the day if that is not today.
func when(t, now time.Time) string {
	switch t, now := t.Local(), now.Local(); {
	case t.IsZero():
		return "-"
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format(time.TimeOnly)
	default:
		return t.Format(time.DateTime)
	}
}

// duration shows seconds in the precision that matters.
func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// spaced shows a name of the API as words.
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

// cell is text that cannot leave its place in a table, or a dash where there is none.
func cell(text string) string { return cmp.Or(terminal.Text(text, ""), "-") }
