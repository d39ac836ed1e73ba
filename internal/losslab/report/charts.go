// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/chart"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

const (
	receiverColor = "#0969da"
	naiveColor    = "#cf5c00" // and file_log's
	noneColor     = "#8c959f"
)

// palette is for the lines of one picture: dark enough on white, and distinct for the
// colour-blind.
var palette = []string{"#0969da", "#1a7f37", "#8250df", "#bf3989", "#9a6700", "#cf222e", "#57606a", "#0a7ea4", "#6e5494"}

// charts draws the pictures, by the names of their files.
func charts(lab *losslab.Lab) map[string]string {
	drawn := map[string]string{
		"loss.svg": bars(lab, chart.Bars{Title: "Lost lines", About: "percent of the lines written; the same scale in every column", Shared: true},
			losslab.Readers, func(c *losslab.Cell) float64 { return 100 * c.LossShare() }),
		"cpu-client.svg": bars(lab, chart.Bars{Title: "Processor time of the client", About: "seconds per million lines, the checking of the lines included; each column has its scale"},
			losslab.Readers, func(c *losslab.Cell) float64 { return c.PerMillion(c.CPU) }),
		"latency-high.svg": distribution(lab, "high"),
		"leak.svg":         goroutines(lab),
	}
	if lab.Machine.Private {
		drawn["cpu-daemon.svg"] = bars(lab, chart.Bars{Title: "Processor time of the daemon", About: "seconds per million lines; the writing of the log is included, and is all in the row none; each column has its scale"},
			losslab.Strategies, func(c *losslab.Cell) float64 { return c.PerMillion(c.Load.Daemon) })
	}
	return drawn
}

// leaking are the readers of the picture about leaks.
var leaking = []string{
	"streaming", "short_lived", "polling", naive.Prefix + "streaming", naive.Prefix + "short-lived", naive.Prefix + "abandoning",
}

func bars(lab *losslab.Lab, b chart.Bars, strategies []string, value func(*losslab.Cell) float64) string {
	b.Format = short
	for _, p := range profiles(lab) {
		b.Columns = append(b.Columns, p.Name)
	}
	for _, strategy := range measured(lab, strategies) {
		r := chart.Row{Name: strategy, Color: color(strategy)}
		for _, profile := range b.Columns {
			x := math.NaN()
			if c := lab.Find(strategy, profile); c != nil {
				x = value(c)
			}
			r.Values = append(r.Values, x)
		}
		b.Rows = append(b.Rows, r)
	}
	return b.SVG()
}

func color(strategy string) string {
	switch {
	case strategy == client.None:
		return noneColor
	case slices.Contains(client.ReceiverStrategies, strategy):
		return receiverColor
	}
	return naiveColor
}

// distribution shows which share of the lines had come at which age.
func distribution(lab *losslab.Lab, profile string) string {
	l := chart.Lines{
		Title: "Latency, profile " + profile, About: "from the engine's time stamp to the consumer; of the lines that came",
		X: "share of the lines, %", Y: "age at most, s", LogY: true, FormatX: short, FormatY: plain,
	}
	for i, strategy := range losslab.Readers {
		c := lab.Find(strategy, profile)
		if c == nil {
			continue
		}
		s := line(strategy, i)
		for _, q := range c.Latency {
			s.Points = append(s.Points, [2]float64{100 * q.Share, max(q.Age, 10*time.Microsecond).Seconds()})
		}
		l.Series = append(l.Series, s)
	}
	return l.SVG()
}

// goroutines shows how they grow in a long run.
func goroutines(lab *losslab.Lab) string {
	l := chart.Lines{
		Title: "Goroutines with follows of 30 s",
		About: fmt.Sprintf("beyond those before the start; %d containers, of which a tenth is silent", lab.Options.Containers),
		X:     "time, s", Y: "goroutines", FormatX: short, FormatY: short,
	}
	for _, strategy := range leaking {
		c := lab.Find(strategy, "fleet-long")
		if c == nil {
			continue
		}
		s := line(strategy, slices.Index(losslab.Readers, strategy))
		for i, at := range c.Series.Seconds {
			s.Points = append(s.Points, [2]float64{at, float64(c.Series.Goroutines[i])})
		}
		l.Series = append(l.Series, s)
	}
	return l.SVG()
}

// line draws the receiver's strategies through and other readers dashed.
func line(strategy string, i int) chart.Series {
	dashed := !slices.Contains(client.ReceiverStrategies, strategy)
	if dashed {
		i -= len(client.ReceiverStrategies)
	}
	return chart.Series{Name: strategy, Color: palette[i%len(palette)], Dashed: dashed}
}

// plain is a power of ten without an exponent.
func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// short is a number in a few digits.
func short(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x >= 1000:
		return words.Count(uint64(x + 0.5))
	case x >= 10:
		return fmt.Sprintf("%.0f", x)
	default:
		return fmt.Sprintf("%.2g", x)
	}
}
