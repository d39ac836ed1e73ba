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
		"left": f.of(func(c *losslab.Cell) string { return fmt.Sprint(c.Goroutines.Left) }),
		"growth": f.of(func(c *losslab.Cell) string {
			return strings.Replace(fmt.Sprintf("%+.0f", c.Goroutines.Growth), "+0", "0", 1)
		}),
		"requests":   f.of(func(c *losslab.Cell) string { return words.Count(uint64(max(0, c.RequestsPerMinute) + 0.5)) }),
		"memory":     f.of(func(c *losslab.Cell) string { return mebibytes(c.Resident.Peak) + " MiB" }),
		"cpu":        f.of(func(c *losslab.Cell) string { return seconds(c.PerMillion(c.CPU)) }),
		"daemon":     f.daemon,
		"noise":      f.noise,
		"total":      f.total,
		"receiver":   f.receiver,
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

// daemon is its processor time per million lines beyond that of writing the log while nobody reads.
func (f figures) daemon(strategy, profile string) (string, error) {
	c, err := f.cell(strategy, profile)
	if err != nil {
		return "", err
	}
	base, err := f.cell(client.None, profile)
	if err != nil {
		return "", err
	}
	return seconds(beyond(c, base)), nil
}

// noise is how far the daemon's processor times are apart, per million lines, of all that ask it for
// no lines: it writes the same log for each, so a smaller difference is none.
func (f figures) noise(profile string) (string, error) {
	var all []float64
	for _, strategy := range measured(f.lab, []string{client.None, "file", client.FileLog}) {
		c, err := f.cell(strategy, profile)
		if err != nil {
			return "", err
		}
		all = append(all, c.PerMillion(c.Load.Daemon))
	}
	if len(all) == 0 {
		return "", fmt.Errorf("no reader on %s leaves the daemon alone", profile)
	}
	return seconds(slices.Max(all) - slices.Min(all)), nil
}

// beyond is what the daemon took for a cell and not for base, in seconds per million lines.
func beyond(c, base *losslab.Cell) float64 {
	return max(0, c.PerMillion(c.Load.Daemon)-base.PerMillion(base.Load.Daemon))
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

// overrun is a sum over the profile in which the engine discards lines: of those that were lost, of
// the places where they are missing, or of the gaps that were counted.
func (f figures) overrun(what string) (string, error) {
	sum := uint64(0)
	for _, strategy := range []string{"polling", "hybrid"} {
		c, err := f.cell(strategy, "overrun")
		if err != nil {
			return "", err
		}
		switch what {
		case "lost":
			sum += c.Lost
		case "places":
			sum += c.LostRuns
		case "gaps":
			sum += uint64(c.Gaps)
		default:
			return "", fmt.Errorf("there is no sum of %q", what)
		}
	}
	return words.Count(sum), nil
}
