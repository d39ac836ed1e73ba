// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// figures are what templates take from a measurement.
type figures struct {
	lab *losslab.Lab
}

// where is a cell, or an error that a template passes on.
func (f *figures) where(strategy, profile string) (*losslab.Cell, error) {
	c := f.lab.Find(strategy, profile)
	if profile == "claim" && f.lab.Claims != nil {
		if i := slices.IndexFunc(f.lab.Claims.Fleet, func(c losslab.Cell) bool { return c.Strategy == strategy }); i >= 0 {
			c = &f.lab.Claims.Fleet[i]
		}
	}
	switch {
	case c == nil:
		return nil, fmt.Errorf("%s on %s was not measured", strategy, profile)
	case c.Invalid != "":
		return nil, fmt.Errorf("%s on %s is not valid: measure it again: %s", strategy, profile, c.Invalid)
	}
	return c, nil
}

// of makes a function of templates: a figure of a strategy on a profile, where claim stands for the long run on a fleet.
func (f *figures) of(say func(*losslab.Cell) string) func(strategy, profile string) (string, error) {
	return func(strategy, profile string) (string, error) {
		c, err := f.where(strategy, profile)
		if err != nil {
			return "", err
		}
		return say(c), nil
	}
}

func (f *figures) functions() template.FuncMap {
	return template.FuncMap{
		"loss": f.of(func(c *losslab.Cell) string { return percent(c.LossShare()) }),
		"lost": f.of(func(c *losslab.Cell) string { return fmt.Sprintf("%s of %s", count(c.Lost), count(c.Written)) }),
		"p50":  f.of(func(c *losslab.Cell) string { return age(c.Age(0.5)) }),
		"p99":  f.of(func(c *losslab.Cell) string { return age(c.Age(0.99)) }),
		"max":  f.of(func(c *losslab.Cell) string { return age(c.Age(1)) }),
		"left": f.of(func(c *losslab.Cell) string { return fmt.Sprint(c.Goroutines.Left) }),
		"peak": f.of(func(c *losslab.Cell) string { return fmt.Sprint(c.Goroutines.Peak) }),
		"growth": f.of(func(c *losslab.Cell) string {
			return strings.Replace(fmt.Sprintf("%+.0f", c.Goroutines.Growth), "+0", "0", 1)
		}),
		"repeated":      f.of(func(c *losslab.Cell) string { return count(c.Repeated) }),
		"requests":      f.of(func(c *losslab.Cell) string { return count(uint64(max(0, c.RequestsPerMinute) + 0.5)) }),
		"memory":        f.of(func(c *losslab.Cell) string { return mebibytes(c.Resident.Peak) + " MiB" }),
		"client":        f.of(func(c *losslab.Cell) string { return seconds(c.PerMillion(c.CPU.Client)) + " s" }),
		"daemon":        f.daemon,
		"total":         f.total,
		"ours":          f.ours,
		"summary":       f.summary,
		"all":           f.all,
		"load":          f.load,
		"profiles":      f.profiles,
		"gaps":          f.gaps,
		"profile_names": func() []string { return profiles(f.lab) },
		"ours_names":    func() []string { return client.Ours },
		"disturbed":     f.disturbed,
		"age":           age,
		"count":         count,
		"date":          func(t time.Time) string { return t.Format("2 January 2006") },
	}
}

// daemon is its processor time, without what the writing of the log took while nobody read.
func (f *figures) daemon(strategy, profile string) (string, error) {
	c, err := f.where(strategy, profile)
	if err != nil {
		return "", err
	}
	base, err := f.where(client.None, profile)
	if err != nil {
		return "", err
	}
	return seconds(max(0, c.PerMillion(c.CPU.Daemon)-base.PerMillion(base.CPU.Daemon))) + " s", nil
}

// total is what a reader lost, repeated, damaged or left behind, in all profiles together.
func (f *figures) total(what, strategy string) (string, error) {
	sum, written := uint64(0), uint64(0)
	for _, profile := range profiles(f.lab) {
		c, err := f.where(strategy, profile)
		if err != nil {
			return "", err
		}
		n, err := amount(c, what)
		if err != nil {
			return "", err
		}
		sum += n
		written += c.Written
	}
	if what == "lost" && sum > 0 {
		return fmt.Sprintf("%s (%s)", count(sum), percent(float64(sum)/float64(written))), nil
	}
	return count(sum), nil
}

// ours is the sum of all our strategies.
func (f *figures) ours(what string) (string, error) {
	sum := uint64(0)
	for i := range f.lab.Cells {
		c := &f.lab.Cells[i]
		if !slices.Contains(client.Ours, c.Strategy) {
			continue
		}
		n, err := amount(c, what)
		if err != nil {
			return "", err
		}
		sum += n
	}
	return count(sum), nil
}

// amount is one of a cell's figures that can be added up.
func amount(c *losslab.Cell, what string) (uint64, error) {
	switch what {
	case "written":
		return c.Written, nil
	case "lost":
		return c.Lost, nil
	case "repeated":
		return c.Repeated, nil
	case "damaged":
		return c.Damaged, nil
	case "left":
		return uint64(c.Goroutines.Left), nil
	case "leaked":
		return uint64(max(0, c.Goroutines.Leaked)), nil
	case "gaps":
		return uint64(c.Gaps), nil
	default:
		return 0, fmt.Errorf("there is no sum of %q", what)
	}
}

// disturbed is in how many cells others used much of the machine.
func (f *figures) disturbed() string {
	n := 0
	for i := range f.lab.Cells {
		if f.lab.Cells[i].Disturbed() {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, len(f.lab.Cells))
}

// gaps is the table of the experiment in which the engine throws lines away.
func (f *figures) gaps() (string, error) {
	if f.lab.Claims == nil {
		return "", fmt.Errorf("the claims were not tried")
	}
	rows := [][]string{{"Strategy", "Written", "Lost", "Places in the log where lines are missing", "Gaps counted", "Repeated"}}
	for i := range f.lab.Claims.Overrun {
		c := &f.lab.Claims.Overrun[i]
		rows = append(rows, []string{
			code(c.Strategy), count(c.Written), count(c.Lost), count(c.LostRuns), fmt.Sprint(c.Gaps), count(c.Repeated),
		})
	}
	return markdown(rows), nil
}
