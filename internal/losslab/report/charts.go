// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/chart"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

const (
	receiverColor = "#0969da"
	naiveColor    = "#cf5c00" // and file_log's
)

// palette is for the lines of one picture: dark enough on white, and distinct for the
// colour-blind.
var palette = []string{"#0969da", "#1a7f37", "#8250df", "#bf3989", "#9a6700", "#cf222e", "#57606a", "#0a7ea4", "#6e5494"}

// charts draws the pictures, by the names of their files.
func charts(lab *losslab.Lab) map[string]string {
	return map[string]string{"loss.svg": losses(lab), "leak.svg": goroutines(lab), "cost.svg": costs(lab, "high")}
}

// leaking are the readers of the picture about leaks.
var leaking = []string{
	"streaming", "short_lived", "polling", naive.Prefix + "streaming", naive.Prefix + "short-lived", naive.Prefix + "abandoning",
}

// losses shows what each reader lost of each profile.
func losses(lab *losslab.Lab) string {
	b := chart.Bars{Title: "Lost lines", About: "percent of the lines written; the same scale in every column", Shared: true, Format: short}
	for _, p := range profiles(lab) {
		b.Columns = append(b.Columns, p.Name)
	}
	for _, reader := range measured(lab, losslab.Readers) {
		r := chart.Row{Name: reader, Color: color(reader)}
		for _, profile := range b.Columns {
			x := math.NaN()
			if c := lab.Find(reader, profile); c != nil {
				x = 100 * c.LossShare()
			}
			r.Values = append(r.Values, x)
		}
		b.Rows = append(b.Rows, r)
	}
	return b.SVG()
}

// costs shows what each reader took of a profile: of the processor, of the daemon's beyond the
// writing of the log, and until its lines came.
func costs(lab *losslab.Lab, profile string) string {
	b := chart.Bars{
		Title: "Processor time and latency, profile " + profile, Format: short,
		About:   "processor time in seconds per million lines, the daemon's without the writing of the log; each column has its scale",
		Columns: []string{"client", "daemon", "latency p99, s"},
	}
	base := lab.Find(client.None, profile)
	for _, reader := range losslab.Readers {
		c := lab.Find(reader, profile)
		if c == nil {
			continue
		}
		daemon := math.NaN()
		if lab.Machine.Private && base != nil {
			daemon = beyond(c, base)
		}
		b.Rows = append(b.Rows, chart.Row{Name: reader, Color: color(reader), Values: []float64{c.PerMillion(c.CPU), daemon, c.Age(0.99).Seconds()}})
	}
	return b.SVG()
}

func color(strategy string) string {
	if slices.Contains(client.ReceiverStrategies, strategy) {
		return receiverColor
	}
	return naiveColor
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
