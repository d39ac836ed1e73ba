// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/careless"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/chart"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// Chart is a picture, by the name of its file.
type Chart struct {
	Name, SVG string
}

const (
	oursColor     = "#0969da"
	carelessColor = "#cf5c00"
	noneColor     = "#8c959f"
)

// palette is for lines of one picture: dark enough for a white ground, and told apart by the colour-blind.
var palette = []string{"#0969da", "#1a7f37", "#8250df", "#bf3989", "#9a6700", "#cf222e", "#57606a", "#0a7ea4"}

// Charts draws all pictures for which there are figures.
func Charts(lab *losslab.Lab) (charts []Chart) {
	add := func(name, svg string) {
		if svg != "" {
			charts = append(charts, Chart{Name: name + ".svg", SVG: svg})
		}
	}
	add("loss", bars(lab, "Lost lines", "percent of the lines written; the same scale in every column", chart.Bars{Shared: true, Format: short},
		losslab.Readers, func(c *losslab.Cell) float64 { return 100 * c.LossShare() }))
	add("repeats", bars(lab, "Repeated lines", "lines that came more than once; each column has its scale", chart.Bars{Format: short},
		losslab.Readers, func(c *losslab.Cell) float64 { return float64(c.Repeated) }))
	add("latency", bars(lab, "Latency, p99", "from the engine's time stamp to the consumer, in seconds, on a logarithmic scale", chart.Bars{Log: true, Format: short},
		losslab.Readers, func(c *losslab.Cell) float64 { return c.Age(0.99).Seconds() }))
	add("leaks", bars(lab, "Goroutines left behind", "still there after the end of the reader; each column has its scale", chart.Bars{Format: short},
		losslab.Readers, func(c *losslab.Cell) float64 { return float64(c.Goroutines.Left) }))
	add("cpu-client", bars(lab, "Processor time of the client", "seconds per million lines, the checking of the lines included; each column has its scale", chart.Bars{Format: short},
		losslab.Readers, func(c *losslab.Cell) float64 { return c.PerMillion(c.CPU.Client) }))
	if lab.Machine.Private {
		add("cpu-daemon", bars(lab, "Processor time of the daemon", "seconds per million lines, the writing of the log included, which is all in the row none; each column has its scale",
			chart.Bars{Format: short}, losslab.Strategies, func(c *losslab.Cell) float64 { return c.PerMillion(c.CPU.Daemon) }))
	}
	add("memory", bars(lab, "Resident memory", "the most that the client had, in MiB; the same scale in every column", chart.Bars{Shared: true, Format: short},
		losslab.Readers, func(c *losslab.Cell) float64 { return float64(c.Resident.Peak) / (1 << 20) }))
	add("requests", bars(lab, "Requests to the engine", "per minute; each column has its scale", chart.Bars{Format: short},
		losslab.Readers, func(c *losslab.Cell) float64 { return c.RequestsPerMinute }))
	for _, profile := range profiles(lab) {
		add("latency-"+profile, distribution(lab, profile))
		add("goroutines-"+profile, goroutines(of(lab, profile), "Goroutines, profile "+profile, "beyond those before the start, while the containers wrote and until all was read"))
	}
	if lab.Claims != nil {
		var cells []*losslab.Cell
		for i := range lab.Claims.Fleet {
			if c := &lab.Claims.Fleet[i]; slices.Contains(following, c.Strategy) {
				cells = append(cells, c)
			}
		}
		add("leak", goroutines(cells, "Goroutines with follows of 30 s",
			fmt.Sprintf("beyond those before the start; %d containers, of which a tenth is silent", lab.Options.Containers)))
	}
	return charts
}

// following are those whose goroutines are of interest: who polls has few, for as long as a poll takes.
var following = []string{
	"streaming", "short_lived", "polling", careless.Prefix + "streaming", careless.Prefix + "short-lived", careless.Prefix + "abandoning",
}

func bars(lab *losslab.Lab, title, about string, b chart.Bars, strategies []string, value func(*losslab.Cell) float64) string {
	b.Title, b.About, b.Columns = title, about, profiles(lab)
	for _, strategy := range strategies {
		r := chart.Row{Name: strategy, Color: color(strategy)}
		measured := false
		for _, profile := range b.Columns {
			x := math.NaN()
			if c := lab.Find(strategy, profile); c != nil && c.Invalid == "" {
				x, measured = value(c), true
			}
			r.Values = append(r.Values, x)
		}
		if measured {
			b.Rows = append(b.Rows, r)
		}
	}
	if len(b.Rows) == 0 {
		return ""
	}
	return b.SVG()
}

func color(strategy string) string {
	switch {
	case strategy == client.None:
		return noneColor
	case strings.HasPrefix(strategy, careless.Prefix):
		return carelessColor
	}
	return oursColor
}

// distribution is how old which share of the lines was.
func distribution(lab *losslab.Lab, profile string) string {
	l := chart.Lines{
		Title: "Latency, profile " + profile, About: "from the engine's time stamp to the consumer; of the lines that came",
		X: "share of the lines, %", Y: "age at most, s", LogY: true, FormatX: short, FormatY: plain,
	}
	for i, strategy := range losslab.Readers {
		c := lab.Find(strategy, profile)
		if c == nil || len(c.Latency) == 0 || c.Invalid != "" {
			continue
		}
		s := line(strategy, i)
		for _, q := range c.Latency {
			s.Points = append(s.Points, [2]float64{100 * q.Share, max(q.Age, 10*time.Microsecond).Seconds()})
		}
		l.Series = append(l.Series, s)
	}
	if len(l.Series) == 0 {
		return ""
	}
	return l.SVG()
}

func goroutines(cells []*losslab.Cell, title, about string) string {
	l := chart.Lines{Title: title, About: about, X: "time, s", Y: "goroutines", FormatX: short, FormatY: short}
	for i, c := range cells {
		if c.Strategy == client.None || c.Invalid != "" {
			continue
		}
		s := line(c.Strategy, max(i, slices.Index(losslab.Readers, c.Strategy)))
		for j, at := range c.Series.Seconds {
			s.Points = append(s.Points, [2]float64{at, float64(c.Series.Goroutines[j])})
		}
		l.Series = append(l.Series, s)
	}
	if len(l.Series) == 0 {
		return ""
	}
	return l.SVG()
}

// line has ours drawn through and careless clients dashed.
func line(strategy string, i int) chart.Series {
	if strings.HasPrefix(strategy, careless.Prefix) {
		i -= len(client.Ours)
	}
	return chart.Series{Name: strategy, Color: palette[max(i, 0)%len(palette)], Dashed: strings.HasPrefix(strategy, careless.Prefix)}
}

// plain is a power of ten without an exponent.
func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// short is a number in as few digits as tell it.
func short(x float64) string {
	switch {
	case x == 0:
		return "0"
	case x >= 1000:
		return count(uint64(x + 0.5))
	case x >= 10:
		return fmt.Sprintf("%.0f", x)
	default:
		return fmt.Sprintf("%.2g", x)
	}
}
