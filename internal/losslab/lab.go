// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/careless"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

const (
	image     = "losslab-loggen:latest"
	generator = "github.com/dockerlogs/otelcol-dockerlogs/cmd/loggen"
	// attempts is how often a cell is measured if its figures are invalid, or disturbed.
	attempts = 3
)

// Readers are the receiver's strategies and the careless clients.
var Readers = slices.Concat(client.Ours, careless.Names)

// Strategies are all that can be measured: the readers and, for comparison, none.
var Strategies = slices.Concat(Readers, []string{client.None})

// Options are what to measure, and with what.
type Options struct {
	Settings
	Strategies []string
	Profiles   []string
	// Together has all strategies of a profile read the same containers at the same time: quicker, and as good for what
	// they lose, but their costs are not comparable.
	Together bool
	// Settle is how long goroutines may take to end after their reader; 0 is 5 s.
	Settle time.Duration
	// Calm has cells measured again that others disturbed, too. It takes a private engine, to know its processor time.
	Calm bool
	// Keep is what was measured before, with the same settings: of it, only what is missing, invalid or disturbed is
	// measured. It is nil for all.
	Keep *Lab
	// Claims has the single claims of the analysis tried, too.
	Claims bool
	// Endpoint is the engine's, as DOCKER_HOST names it; it has to be on this machine. Empty is a private one.
	Endpoint string
	// Client is the command that runs package client.
	Client []string
	// Progress is told of each cell.
	Progress io.Writer
	// Done is called after each cell with all there is so far.
	Done func(*Lab)
}

// laboratory is a run.
type laboratory struct {
	Options
	engine *dockerd.Engine
	count  int // of cells, to name containers
}

// Run measures. If ctx ends it cleans up and returns what it has, and the context's error.
func Run(ctx context.Context, o Options) (lab *Lab, err error) {
	profiles, err := o.check()
	if err != nil {
		return nil, err
	}
	l := &laboratory{Options: o}
	if l.engine, err = openEngine(ctx, o.Endpoint); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.engine.Close()) }()
	lab = &Lab{Began: time.Now().UTC().Truncate(time.Second), Options: o.Settings}
	began, before := time.Now(), time.Duration(0)
	if o.Keep != nil {
		lab.Began, lab.Claims, before = o.Keep.Began, o.Keep.Claims, o.Keep.Took
	}
	if lab.Machine, err = describeMachine(ctx, l.engine); err != nil {
		return nil, err
	}
	defer func() { lab.Took = before + time.Since(began).Truncate(time.Second) }()
	if o.Claims && lab.Claims == nil {
		l.say("the claims of the analysis, one by one")
		if lab.Claims, err = l.claims(ctx); err != nil {
			return lab, err
		}
	}
	return lab, l.matrix(ctx, lab, profiles)
}

// matrix measures all cells, profile by profile.
func (l *laboratory) matrix(ctx context.Context, lab *Lab, profiles []Profile) error {
	total, began, kept := len(profiles)*len(l.Strategies), time.Now(), 0
	for _, p := range profiles {
		each := 1
		if l.Together {
			each = max(1, len(l.Strategies))
		}
		for strategies := range slices.Chunk(l.Strategies, each) {
			if c := l.keep(strategies, p); c != nil {
				lab.Cells = append(lab.Cells, *c)
				kept++
				continue
			}
			cells, err := l.valid(ctx, trial{strategies: strategies, profile: p, length: l.Duration, lifetime: l.Lifetime})
			if err != nil {
				return fmt.Errorf("%s on %s: %w", strings.Join(strategies, ", "), p.Name, err)
			}
			lab.Cells = append(lab.Cells, cells...)
			done := len(lab.Cells)
			remaining := time.Since(began) / time.Duration(done-kept) * time.Duration(total-done)
			for _, c := range cells {
				l.say("%3d/%d  %-9s %-22s %s", done, total, p.Name, c.Strategy, c.brief())
			}
			l.say("        %v to go", remaining.Round(time.Second))
			if l.Done != nil {
				l.Done(lab)
			}
		}
	}
	return nil
}

// keep is a cell that need not be measured again.
func (l *laboratory) keep(strategies []string, p Profile) *Cell {
	if l.Keep == nil || len(strategies) != 1 {
		return nil
	}
	c := l.Keep.Find(strategies[0], p.Name)
	if c == nil || c.Invalid != "" || c.Disturbed() {
		return nil
	}
	return c
}

// valid measures until the figures count, a few times at most.
func (l *laboratory) valid(ctx context.Context, t trial) ([]Cell, error) {
	var best []Cell
	for attempt := 1; attempt <= attempts; attempt++ {
		cells, err := l.try(ctx, t)
		if err != nil {
			return nil, err
		}
		invalid := ""
		for i := range cells {
			cells[i].Attempts = attempt
			invalid = cmp.Or(invalid, cells[i].Invalid)
		}
		if best == nil || best[0].Invalid != "" || invalid == "" && cells[0].others() < best[0].others() {
			best = cells
		}
		switch {
		case invalid != "":
			l.say("        again: %s", invalid)
		case l.Calm && l.engine.Private() && cells[0].Disturbed():
			l.say("        again: disturbed, others used %.1f cores", cells[0].others())
		default:
			return cells, nil
		}
	}
	return best, nil
}

func (c *Cell) brief() string {
	if c.Invalid != "" {
		return "INVALID: " + c.Invalid
	}
	return fmt.Sprintf("%d of %d lines lost, %d repeated, %d damaged, p99 %v, %d goroutines left",
		c.Lost, c.Written, c.Repeated, c.Damaged, c.Age(0.99).Round(10*time.Microsecond), c.Goroutines.Left)
}

// check fills in what was left out.
func (o *Options) check() (profiles []Profile, err error) {
	for _, name := range o.Strategies {
		if !slices.Contains(Strategies, name) {
			return nil, fmt.Errorf("strategies: %q is not one of %s", name, strings.Join(Strategies, ", "))
		}
	}
	for _, name := range o.Profiles {
		i := slices.IndexFunc(Profiles, func(p Profile) bool { return p.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("profiles: %q is not one of %s", name, strings.Join(ProfileNames(), ", "))
		}
		profiles = append(profiles, Profiles[i])
	}
	switch {
	case o.Keep != nil && o.Keep.Options != o.Settings:
		return nil, errors.New("keep: was measured with another duration, lifetime, seed or number of containers")
	case o.Containers < 1:
		return nil, errors.New("containers: at least 1")
	case o.Duration < time.Second:
		return nil, errors.New("duration: at least 1s")
	case o.Lifetime < time.Second:
		return nil, errors.New("lifetime: at least 1s")
	}
	return profiles, nil
}

// ProfileNames are those of all profiles.
func ProfileNames() (names []string) {
	for _, p := range Profiles {
		names = append(names, p.Name)
	}
	return names
}

// openEngine gives an engine that has the generator's image.
func openEngine(ctx context.Context, endpoint string) (e *dockerd.Engine, err error) {
	if endpoint == "" {
		e, err = dockerd.Start(ctx, dockerd.Options{})
	} else {
		e, err = dockerd.Connect(ctx, endpoint)
	}
	if err != nil {
		return nil, fmt.Errorf("get an engine, a private one as root with a dockerd, else name one: %w", err)
	}
	binary, err := dockerd.Build(generator)
	if err == nil {
		err = e.Import(ctx, image, map[string]string{"/loggen": binary}, dockerd.ImageOptions{Entrypoint: []string{"/loggen"}})
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func describeMachine(ctx context.Context, e *dockerd.Engine) (Machine, error) {
	version, err := e.Client().ServerVersion(ctx)
	if err != nil {
		return Machine{}, fmt.Errorf("ask the engine for its version: %w", err)
	}
	m := Machine{
		Cores: runtime.NumCPU(), Kernel: version.KernelVersion, Go: runtime.Version(),
		Engine: version.Version, API: version.APIVersion, Private: e.Private(),
	}
	text, _ := os.ReadFile("/proc/cpuinfo") // for people; it may be missing
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m, nil
}

func (l *laboratory) say(format string, args ...any) {
	if l.Progress != nil {
		fmt.Fprintf(l.Progress, format+"\n", args...)
	}
}

// warn tells of what does not spoil the figures.
func (l *laboratory) warn(err error) {
	if err != nil {
		l.say("         %v", err)
	}
}
