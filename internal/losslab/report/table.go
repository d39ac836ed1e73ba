// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
)

// columns are those of every table with all figures.
var columns = []string{
	"strategy", "written", "lost", "repeated", "damaged", "gaps", "p50", "p99", "max", "lines/s", "goroutines", "per min", "left", "leaked",
	"client s/M", "daemon s/M", "RSS MiB", "requests/min",
}

// row says a cell in words, as columns.
func row(lab *losslab.Lab, c *losslab.Cell) []string {
	daemon := "–"
	if lab.Machine.Private {
		daemon = seconds(c.PerMillion(c.CPU.Daemon))
	}
	leaked := "?"
	if c.Goroutines.Leaked >= 0 {
		leaked = fmt.Sprint(c.Goroutines.Leaked)
	}
	name := c.Strategy
	if c.Invalid != "" {
		name += " (invalid)"
	}
	if reads := c.Requests > 0 || c.Delivered > 0; !reads { // none
		return []string{
			name, count(c.Written), "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", "–", daemon, "–", "–",
		}
	}
	return []string{
		name, count(c.Written), lost(c), count(c.Repeated), count(c.Damaged), fmt.Sprint(c.Gaps),
		age(c.Age(0.5)), age(c.Age(0.99)), age(c.Age(1)), fmt.Sprintf("%.0f", c.LinesPerSecond()),
		fmt.Sprint(c.Goroutines.Peak), fmt.Sprintf("%+.0f", c.Goroutines.Growth), fmt.Sprint(c.Goroutines.Left), leaked,
		seconds(c.PerMillion(c.CPU.Client)), daemon, mebibytes(c.Resident.Peak), fmt.Sprintf("%.0f", c.RequestsPerMinute),
	}
}

// Table prints all figures, profile by profile.
func Table(w io.Writer, lab *losslab.Lab) error {
	for _, profile := range profiles(lab) {
		fmt.Fprintf(w, "\n%s\n", about(profile, lab))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, strings.Join(columns, "\t")+"\t")
		for _, c := range of(lab, profile) {
			fmt.Fprintln(t, strings.Join(row(lab, c), "\t")+"\t")
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, c := range invalid(lab) {
		fmt.Fprintf(w, "\nnot valid: %s on %s: %s\n", c.Strategy, c.Profile, c.Invalid)
	}
	return nil
}

// profiles are those that were measured, in the order of the laboratory.
func profiles(lab *losslab.Lab) (names []string) {
	for _, name := range losslab.ProfileNames() {
		if len(of(lab, name)) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// of are the cells of a profile, in the order of the strategies.
func of(lab *losslab.Lab, profile string) (cells []*losslab.Cell) {
	for _, strategy := range losslab.Strategies {
		if c := lab.Find(strategy, profile); c != nil {
			cells = append(cells, c)
		}
	}
	return cells
}

func invalid(lab *losslab.Lab) (cells []*losslab.Cell) {
	for i := range lab.Cells {
		if lab.Cells[i].Invalid != "" {
			cells = append(cells, &lab.Cells[i])
		}
	}
	return cells
}

// about is a profile with what it is.
func about(profile string, lab *losslab.Lab) string {
	for _, p := range losslab.Profiles {
		if p.Name == profile {
			text := fmt.Sprintf("%s: %s", p.Name, p.About)
			if p.Containers == 0 {
				text = fmt.Sprintf("%s: %d containers; %s", p.Name, lab.Options.Containers, strings.TrimPrefix(p.About, "many containers: "))
			}
			return text
		}
	}
	return profile
}
