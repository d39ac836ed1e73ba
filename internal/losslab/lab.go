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
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
)

const (
	image     = "losslab-loggen:latest"
	generator = "github.com/dockerlogs/otelcol-dockerlogs/cmd/loggen"
	// attempts is how often a cell is measured if its figures are invalid.
	attempts = 3
)

// Readers are the receiver's strategies, the naive clients, and OpenTelemetry's receiver for files.
var Readers = slices.Concat(client.ReceiverStrategies, naive.Names, []string{client.FileLog})

// Strategies are the readers and, for comparison, none.
var Strategies = slices.Concat(Readers, []string{client.None})

// Options are what to measure, and with what.
type Options struct {
	Settings
	Strategies []string
	Profiles   []Profile
	// Settle is how long goroutines may take to end after their reader; 0 is 5 s.
	Settle time.Duration
	// Endpoint is the engine's, as DOCKER_HOST names it; it must be on this machine. Empty is a
	// private one.
	Endpoint string
	// Client is the command that runs package client.
	Client []string
	// Progress receives a line for each cell.
	Progress io.Writer
	// Done is called after each cell with all there is so far.
	Done func(*Lab)
}

// laboratory is a run.
type laboratory struct {
	Options
	engine   *dockerd.Engine
	dataRoot string // of the engine
	count    int    // of measurements, to name containers
}

// Run measures. If ctx ends it cleans up and returns what it has, and the context's error.
func Run(ctx context.Context, o Options) (lab *Lab, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	l := &laboratory{Options: o}
	if l.engine, err = openEngine(ctx, o.Endpoint); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.engine.Close()) }()
	info, err := l.engine.Client().Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the engine where its files are: %w", err)
	}
	l.dataRoot = info.DockerRootDir
	began := time.Now()
	lab = &Lab{Began: began.UTC().Truncate(time.Second), Options: o.Settings}
	if lab.Machine, err = describeMachine(ctx, l.engine); err != nil {
		return nil, err
	}
	groups := o.groups()
	for i, g := range groups {
		cells, err := l.measureValid(ctx, g.profile, g.strategies)
		if err != nil {
			return lab, fmt.Errorf("%s on %s: %w", strings.Join(g.strategies, ", "), g.profile.Name, err)
		}
		lab.Cells = append(lab.Cells, cells...)
		for _, c := range cells {
			l.logf("%3d/%d  %-10s %-22s %s", i+1, len(groups), c.Profile, c.Strategy, c.brief())
		}
		lab.Took = time.Since(began).Truncate(time.Second)
		l.logf("        %v to go", (time.Since(began) / time.Duration(i+1) * time.Duration(len(groups)-i-1)).Round(time.Second))
		if l.Done != nil {
			l.Done(lab)
		}
	}
	return lab, nil
}

// group is what is measured at a time.
type group struct {
	profile    Profile
	strategies []string
}

func (o *Options) groups() (groups []group) {
	for _, p := range o.Profiles {
		var strategies []string
		for _, strategy := range o.Strategies {
			if p.Strategies == nil || slices.Contains(p.Strategies, strategy) {
				strategies = append(strategies, strategy)
			}
		}
		size := 1
		if p.Together {
			size = max(1, len(strategies))
		}
		for some := range slices.Chunk(strategies, size) {
			groups = append(groups, group{p, some})
		}
	}
	return groups
}

// length is how long the containers of a profile write.
func (l *laboratory) length(p Profile) time.Duration { return cmp.Or(p.Length, l.Duration) }

// measureValid measures again, a few times at most, what does not count.
func (l *laboratory) measureValid(ctx context.Context, p Profile, strategies []string) (cells []Cell, err error) {
	for range attempts {
		if cells, err = l.measure(ctx, p, strategies); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(cells, func(c Cell) bool { return c.Invalid != "" })
		if i < 0 {
			break
		}
		l.logf("        invalid: %s", cells[i].Invalid)
	}
	return cells, nil
}

func (c *Cell) brief() string {
	if c.Invalid != "" {
		return "INVALID: " + c.Invalid
	}
	text := fmt.Sprintf("%d of %d lines lost, %d repeated, %d damaged, p99 %v, %d goroutines left",
		c.Lost, c.Written, c.Repeated, c.Damaged, c.Age(0.99).Round(10*time.Microsecond), c.Goroutines.Left)
	if c.Load.Others > 0 {
		text += fmt.Sprintf(", others used %.2f cores", c.Load.Cores(c.Load.Others))
	}
	return text
}

func (o *Options) check() error {
	for _, name := range o.Strategies {
		if !slices.Contains(Strategies, name) {
			return fmt.Errorf("strategies: %q is not one of %s", name, strings.Join(Strategies, ", "))
		}
	}
	switch {
	case o.Containers < 1:
		return errors.New("containers: at least 1")
	case o.Duration < time.Second:
		return errors.New("duration: at least 1s")
	case o.Lifetime < time.Second:
		return errors.New("lifetime: at least 1s")
	}
	return nil
}

// openEngine returns an engine with the generator's image.
func openEngine(ctx context.Context, endpoint string) (e *dockerd.Engine, err error) {
	if endpoint == "" {
		e, err = dockerd.Start(ctx, dockerd.Options{})
	} else {
		e, err = dockerd.Connect(ctx, endpoint)
	}
	if err != nil {
		return nil, fmt.Errorf("get an engine, a private one as root with a dockerd, else name one: %w", err)
	}
	if err := importGenerator(ctx, e); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func importGenerator(ctx context.Context, e *dockerd.Engine) error {
	binary, err := dockerd.Build(generator)
	if err != nil {
		return err
	}
	return e.Import(ctx, image, map[string]string{"/loggen": binary}, dockerd.ImageOptions{Entrypoint: []string{"/loggen"}})
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
	text, _ := os.ReadFile("/proc/cpuinfo") // informative, and may be missing
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	return m, nil
}

func (l *laboratory) logf(format string, args ...any) {
	if l.Progress != nil {
		fmt.Fprintf(l.Progress, format+"\n", args...)
	}
}
