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
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// figures are what templates show of a measurement.
type figures struct {
	lab *losslab.Lab
}

// cell returns an error, which ends the template, for what was not measured or does not count.
func (f figures) cell(strategy, profile string) (*losslab.Cell, error) {
	c := f.lab.Find(strategy, profile)
	switch {
	case c == nil:
		return nil, fmt.Errorf("%s on %s was not measured", strategy, profile)
	case c.Invalid != "":
		return nil, fmt.Errorf("%s on %s is not valid, measure it again: %s", strategy, profile, c.Invalid)
	}
	return c, nil
}

// of makes a template function of a figure: its arguments are a strategy and a profile.
func (f figures) of(format func(*losslab.Cell) string) func(strategy, profile string) (string, error) {
	return func(strategy, profile string) (string, error) {
		c, err := f.cell(strategy, profile)
		if err != nil {
			return "", err
		}
		return format(c), nil
	}
}

func (f figures) functions() template.FuncMap {
	return template.FuncMap{
		"loss": f.of(func(c *losslab.Cell) string { return words.Percent(c.LossShare()) }),
		"lost": f.of(func(c *losslab.Cell) string {
			return fmt.Sprintf("%s of %s", words.Count(c.Lost), words.Count(c.Written))
		}),
		"p50":  f.of(func(c *losslab.Cell) string { return age(c.Age(0.5)) }),
		"p99":  f.of(func(c *losslab.Cell) string { return age(c.Age(0.99)) }),
		"max":  f.of(func(c *losslab.Cell) string { return age(c.Age(1)) }),
		"left": f.of(func(c *losslab.Cell) string { return fmt.Sprint(c.Goroutines.Left) }),
		"peak": f.of(func(c *losslab.Cell) string { return fmt.Sprint(c.Goroutines.Peak) }),
		"growth": f.of(func(c *losslab.Cell) string {
			return strings.Replace(fmt.Sprintf("%+.0f", c.Goroutines.Growth), "+0", "0", 1)
		}),
		"requests":   f.of(func(c *losslab.Cell) string { return words.Count(uint64(max(0, c.RequestsPerMinute) + 0.5)) }),
		"memory":     f.of(func(c *losslab.Cell) string { return mebibytes(c.Resident.Peak) + " MiB" }),
		"cpu":        f.of(func(c *losslab.Cell) string { return seconds(c.PerMillion(c.CPU)) }),
		"daemon":     f.daemon,
		"total":      f.total,
		"receiver":   f.receiver,
		"all":        f.all,
		"load":       f.load,
		"one_window": f.oneWindow,
		"disturbed":  f.disturbed,
		"overrun":    f.overrun,
		"profiles":   func() []losslab.Profile { return profiles(f.lab) },
		"about":      func(p losslab.Profile) string { return about(p, f.lab) },
		"readers":    func() []string { return measured(f.lab, losslab.Readers) },
		"strategies": f.strategies,
		"number":     func(of []string) string { return numbers[len(of)] },
		"measured":   func(strategy string) bool { return len(measured(f.lab, []string{strategy})) > 0 },
		"date":       func(t time.Time) string { return t.Format("2 January 2006") },
	}
}

// daemon is its processor time beyond that of writing the log while nobody reads.
func (f figures) daemon(strategy, profile string) (string, error) {
	c, err := f.cell(strategy, profile)
	if err != nil {
		return "", err
	}
	base, err := f.cell(client.None, profile)
	if err != nil {
		return "", err
	}
	return seconds(max(0, c.PerMillion(c.Load.Daemon)-base.PerMillion(base.Load.Daemon))), nil
}

// amounts are the figures of a cell that can be added up.
var amounts = map[string]func(*losslab.Cell) uint64{
	"written":  func(c *losslab.Cell) uint64 { return c.Written },
	"lost":     func(c *losslab.Cell) uint64 { return c.Lost },
	"repeated": func(c *losslab.Cell) uint64 { return c.Repeated },
	"damaged":  func(c *losslab.Cell) uint64 { return c.Damaged },
	"left":     func(c *losslab.Cell) uint64 { return uint64(c.Goroutines.Left) },
}

func (f figures) sum(what string, strategies ...string) (uint64, error) {
	amount, ok := amounts[what]
	if !ok {
		return 0, fmt.Errorf("there is no sum of %q", what)
	}
	sum := uint64(0)
	for _, strategy := range strategies {
		for _, p := range profiles(f.lab) {
			c, err := f.cell(strategy, p.Name)
			if err != nil {
				return 0, err
			}
			sum += amount(c)
		}
	}
	return sum, nil
}

// total is a sum over all profiles; of lost lines, with their share.
func (f figures) total(what, strategy string) (string, error) {
	n, err := f.sum(what, strategy)
	if err != nil || what != "lost" || n == 0 {
		return words.Count(n), err
	}
	written, err := f.sum("written", strategy)
	return fmt.Sprintf("%s (%s)", words.Count(n), words.Percent(float64(n)/float64(written))), err
}

// strategies are those of the receiver.
func (f figures) strategies() []string { return measured(f.lab, client.ReceiverStrategies) }

// numbers are words, up to the number of the receiver's strategies.
var numbers = []string{"no", "one", "two", "three", "four", "five", "six"}

// receiver is a sum over all profiles and all strategies of the receiver.
func (f figures) receiver(what string) (string, error) {
	n, err := f.sum(what, f.strategies()...)
	return words.Count(n), err
}

// oneWindow reports whether all loads are of one window. In measurements until November 2026
// they are not: of these, only the daemon's time is used.
func (f figures) oneWindow() bool {
	return !slices.ContainsFunc(f.lab.Cells, func(c losslab.Cell) bool { return c.Load.Window == 0 })
}

// disturbed is the number of cells beside which others used much of the machine.
func (f figures) disturbed() string {
	n := 0
	for i := range f.lab.Cells {
		if f.lab.Cells[i].Disturbed() {
			n++
		}
	}
	return fmt.Sprintf("%d of %d", n, len(f.lab.Cells))
}

// all is the table of a profile with every figure.
func (f figures) all(profile string) string {
	rows := [][]string{columns}
	for _, c := range cells(f.lab, profile) {
		r := row(c, f.lab.Machine.Private)
		r[0] = code(c.Strategy)
		rows = append(rows, r)
	}
	return markdown(rows)
}

// load is the table of who used the machine, in cores, while the cells of a profile were
// measured.
func (f figures) load() string {
	rows := [][]string{{"Profile", "Measured for", "Clients", "Daemon", "Generator", "Laboratory", "Others", "Latest line"}}
	for _, p := range profiles(f.lab) {
		var l losslab.Load
		var lag time.Duration
		for _, c := range cells(f.lab, p.Name) {
			l.Window += c.Load.Window
			l.Clients += c.Load.Clients
			l.Daemon += c.Load.Daemon
			l.Generator += c.Load.Generator
			l.Lab += c.Load.Lab
			l.Others += c.Load.Others
			lag = max(lag, c.Generator.MaxLag)
		}
		r := []string{code(p.Name), l.Window.Round(time.Second).String()}
		for _, used := range []time.Duration{l.Clients, l.Daemon, l.Generator, l.Lab, l.Others} {
			r = append(r, fmt.Sprintf("%.2f", l.Cores(used)))
		}
		rows = append(rows, append(r, age(lag)))
	}
	return markdown(rows)
}

// overrun is the table of the profile in which the engine discards lines.
func (f figures) overrun() (string, error) {
	rows := [][]string{{"Strategy", "Written", "Lost", "Places in the log where lines are missing", "Gaps counted", "Repeated"}}
	for _, strategy := range []string{"polling", "hybrid"} {
		c, err := f.cell(strategy, "overrun")
		if err != nil {
			return "", err
		}
		rows = append(rows, []string{
			code(strategy), words.Count(c.Written), words.Count(c.Lost), words.Count(c.LostRuns), fmt.Sprint(c.Gaps), words.Count(c.Repeated),
		})
	}
	return markdown(rows), nil
}

// markdown is a table whose first row has the heads.
func markdown(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func code(s string) string { return "`" + s + "`" }
