// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// columns are those of every table with all figures.
var columns = []string{
	"strategy", "written", "lost", "repeated", "damaged", "gaps", "p50", "p99", "max", "lines/s", "goroutines", "per min", "left", "leaked",
	"client s/M", "daemon s/M", "RSS MiB", "requests/min",
}

// row formats a cell for columns. The daemon's time is that of the cell if daemonKnown.
func row(c *losslab.Cell, daemonKnown bool) []string {
	daemon, leaked, name := "–", "?", c.Strategy
	if daemonKnown {
		daemon = seconds(c.PerMillion(c.Load.Daemon))
	}
	if c.Goroutines.Leaked >= 0 {
		leaked = fmt.Sprint(c.Goroutines.Leaked)
	}
	if c.Invalid != "" {
		name += " (invalid)"
	}
	if c.Strategy == client.None {
		return []string{
			name, words.Count(c.Written), "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", daemon, "–", "–",
		}
	}
	return []string{
		name, words.Count(c.Written), lost(c), words.Count(c.Repeated), words.Count(c.Damaged), fmt.Sprint(c.Gaps),
		age(c.Age(0.5)), age(c.Age(0.99)), age(c.Age(1)), fmt.Sprintf("%.0f", c.LinesPerSecond()),
		fmt.Sprint(c.Goroutines.Peak), fmt.Sprintf("%+.0f", c.Goroutines.Growth), fmt.Sprint(c.Goroutines.Left), leaked,
		seconds(c.PerMillion(c.CPU)), daemon, mebibytes(c.Resident.Peak), fmt.Sprintf("%.0f", c.RequestsPerMinute),
	}
}

// Table prints all figures, profile by profile.
func Table(w io.Writer, lab *losslab.Lab) error {
	for _, p := range losslab.Profiles {
		cells := cells(lab, p.Name)
		if len(cells) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s: %s\n", p.Name, about(p, lab))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, strings.Join(columns, "\t")+"\t")
		for _, c := range cells {
			fmt.Fprintln(t, strings.Join(row(c, lab.Machine.Private && !p.Together), "\t")+"\t")
		}
		if err := t.Flush(); err != nil {
			return err
		}
		for _, c := range cells {
			if c.Invalid != "" {
				fmt.Fprintf(w, "not valid: %s: %s\n", c.Strategy, c.Invalid)
			}
		}
	}
	return nil
}

// profiles returns those that were measured one strategy at a time, whose figures are
// comparable.
func profiles(lab *losslab.Lab) (measured []losslab.Profile) {
	for _, p := range losslab.Profiles {
		if !p.Together && len(cells(lab, p.Name)) > 0 {
			measured = append(measured, p)
		}
	}
	return measured
}

// measured returns those of strategies of which there are cells.
func measured(lab *losslab.Lab, strategies []string) (some []string) {
	for _, strategy := range strategies {
		if slices.ContainsFunc(lab.Cells, func(c losslab.Cell) bool { return c.Strategy == strategy }) {
			some = append(some, strategy)
		}
	}
	return some
}

// cells returns those of a profile, in the order of the strategies.
func cells(lab *losslab.Lab, profile string) (cells []*losslab.Cell) {
	for _, strategy := range losslab.Strategies {
		if c := lab.Find(strategy, profile); c != nil {
			cells = append(cells, c)
		}
	}
	return cells
}

// about describes a profile, with the number of its containers.
func about(p losslab.Profile, lab *losslab.Lab) string {
	return strings.Replace(p.About, "many containers", fmt.Sprintf("%d containers", lab.Options.Containers), 1)
}
