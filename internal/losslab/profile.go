// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// burstEvery is the time between bursts. The first comes when a container begins.
const burstEvery = 10 * time.Second

// stagger is the time between the beginnings of two containers, so that their bursts do not
// coincide.
const stagger = 300 * time.Millisecond

// Profile is what containers write, and how it is read.
type Profile struct {
	Name  string
	About string
	// Containers is their number; 0 is the one that was asked for.
	Containers int
	// Budget divides the number of containers: adaptive may stream so many. 0 is its default.
	Budget  int
	LogOpts map[string]string
	// OneStream has all lines go to stdout, so that lines that are missing in sequence were
	// neighbours in the log.
	OneStream bool

	// Strategies are the only ones to measure; nil is all.
	Strategies []string
	// Together has all strategies read the same containers at the same time. That is quicker,
	// and as good for what they lose and leave behind, but their costs are not comparable.
	Together bool
	// Length and Lifetime replace the ones that were asked for, if they are not 0.
	Length, Lifetime time.Duration
	// Overrun says that the engine discards lines before they can be read, so that no reader is
	// waited for as long as the receiver is otherwise.
	Overrun bool

	lines func(i, n int) loggen.Options
}

// Profiles lists all profiles. Those that are read together come last.
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
		Name: "fleet", About: "many containers; of ten, one writes 20 lines/s, with a burst of 100 every 10 s, eight 0.5 to 2, and one is silent after its first line",
		Budget: 5, lines: fleetLines,
	},
	{
		Name: "fleet-long", About: "as fleet, for two minutes; all readers side by side, with follows of 30 s",
		Budget: 5, Together: true, Strategies: Readers, Length: 4 * fleetLifetime, Lifetime: fleetLifetime, lines: fleetLines,
	},
	{
		Name: "overrun", About: "2 containers with max-size 1m, max-file 3, which hold some 15,000 lines, write 30,000 at once every 10 s", Containers: 2,
		LogOpts:   map[string]string{"max-size": "1m", "max-file": "3"},
		OneStream: true, Together: true, Strategies: []string{"polling", "hybrid"}, Overrun: true,
		lines: func(int, int) loggen.Options { return loggen.Options{Rate: 50, BurstSize: 30_000} },
	},
}

// fleetLifetime is the receiver's default. In four such lives growth is that from the third to
// the fourth.
const fleetLifetime = 30 * time.Second

func fleetLines(i, n int) loggen.Options {
	switch i % 10 {
	case 0:
		return loggen.Options{Rate: 20, BurstSize: 100}
	case 9:
		return loggen.Options{Lines: 1}
	default:
		return loggen.Options{Rate: between(0.5, 2, i, n)}
	}
}

// FindProfiles returns the profiles of these names.
func FindProfiles(names []string) (profiles []Profile, err error) {
	for _, name := range names {
		i := slices.IndexFunc(Profiles, func(p Profile) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("profiles: %q is not one of %s", name, strings.Join(ProfileNames(), ", "))
		}
		profiles = append(profiles, Profiles[i])
	}
	return profiles, nil
}

// ProfileNames returns the names of all profiles.
func ProfileNames() (names []string) {
	for _, p := range Profiles {
		names = append(names, p.Name)
	}
	return names
}

func between(low, high float64, i, n int) float64 {
	if n < 2 {
		return high
	}
	return low + (high-low)*float64(i)/float64(n-1)
}

// options returns the lines of container i of n in a cell.
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
