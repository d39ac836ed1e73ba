// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"fmt"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// burstEvery is how often containers write a burst: one when they begin, and then twice and more in a cell.
const burstEvery = 10 * time.Second

// stagger is between the beginnings of two containers, so that their bursts do not all fall together.
const stagger = 300 * time.Millisecond

// Profile is what containers write.
type Profile struct {
	Name string
	// About says it in words.
	About string
	// Containers is how many there are; 0 is as many as were asked for.
	Containers int
	// Budget is how many of those there are that adaptive may stream, as a divisor; 0 is its default.
	Budget  int
	LogOpts map[string]string
	// OneStream has all lines go to stdout, so that what is missing in a row in the log is missing in a row.
	OneStream bool

	lines func(i, n int) loggen.Options
}

// Profiles are those of the analysis, and two of ours.
var Profiles = []Profile{
	{
		Name: "low", About: "10 containers of 1 to 5 lines/s, a burst of 10 to 20 every 10 s", Containers: 10,
		lines: func(i, n int) loggen.Options {
			return loggen.Options{Rate: between(1, 5, i, n), BurstSize: uint64(between(10, 20, i, n))}
		},
	},
	{
		Name: "medium", About: "10 containers of 10 to 50 lines/s, a burst of 100 to 500 every 10 s", Containers: 10,
		lines: func(i, n int) loggen.Options {
			return loggen.Options{Rate: between(10, 50, i, n), BurstSize: uint64(between(100, 500, i, n))}
		},
	},
	{
		Name: "high", About: "4 containers of 100 to 1,000 lines/s, a burst of 5,000 every 10 s", Containers: 4,
		lines: func(i, n int) loggen.Options {
			return loggen.Options{Rate: between(100, 1000, i, n), BurstSize: 5000}
		},
	},
	{
		Name: "rotating", About: "4 containers of 400 to 800 lines/s, a burst of 2,000 every 10 s, max-size 1m, max-file 3", Containers: 4,
		LogOpts: map[string]string{"max-size": "1m", "max-file": "3"},
		lines: func(i, n int) loggen.Options {
			return loggen.Options{Rate: between(400, 800, i, n), BurstSize: 2000}
		},
	},
	{
		Name: "fleet", About: "many containers: of ten, one writes 20 lines/s, with a burst of 100 every 10 s, eight 0.5 to 2, and one is silent after its first line",
		Budget: 5,
		lines: func(i, n int) loggen.Options {
			switch i % 10 {
			case 0:
				return loggen.Options{Rate: 20, BurstSize: 100}
			case 9:
				return loggen.Options{Lines: 1}
			default:
				return loggen.Options{Rate: between(0.5, 2, i, n)}
			}
		},
	},
}

func between(low, high float64, i, n int) float64 {
	if n < 2 {
		return high
	}
	return low + (high-low)*float64(i)/float64(n-1)
}

// options are the lines of container i of n in a cell.
func (p Profile) options(cell string, i, n int, seed uint64, length time.Duration) loggen.Options {
	o := p.lines(i, n)
	o.Source = fmt.Sprintf("%s-%s-%02d", cell, p.Name, i)
	o.Seed = seed
	if !p.OneStream {
		o.StderrShare = 0.2
	}
	o.UntilSignal = true
	if o.Lines == 0 {
		o.Lines = uint64(o.Rate*length.Seconds() + 0.5)
		if o.BurstSize > 0 {
			o.BurstEvery = burstEvery
			o.Lines += o.BurstSize * uint64((length+burstEvery-1)/burstEvery)
		}
		o.Lines = max(o.Lines, 1)
	}
	return o
}
