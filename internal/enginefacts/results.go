// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/docker/docker/api/types/versions"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
)

// Results are what was measured, of every engine.
type Results struct {
	Engines []Engine `json:"engines"` // the oldest first
}

// Engine is what was measured of one version, and where.
type Engine struct {
	Version string             `json:"version"`
	API     string             `json:"api"`
	Kernel  string             `json:"kernel"`
	Cores   int                `json:"cores"`
	CPU     string             `json:"cpu"`
	Facts   map[string]Figures `json:"facts"` // by ID
}

// Figures are those of one fact.
type Figures struct {
	At      time.Time       `json:"at"`
	Figures json.RawMessage `json:"figures"`
}

// EngineOptions are those of an engine to be measured: its zone is not UTC, since some time stamps depend on it.
func EngineOptions(version string) dockerd.Options {
	return dockerd.Options{Version: version, Env: []string{"TZ=Etc/GMT-1"}}
}

// Measure measures facts of a private engine. done is called after each, with what was measured so far. Where one fails
// the others are measured all the same.
func Measure(ctx context.Context, e *dockerd.Engine, facts []Fact, done func(Engine, Fact, fmt.Stringer)) (engine Engine, err error) {
	if engine, err = describe(ctx, e); err != nil {
		return engine, err
	}
	b, err := newBench(ctx, e)
	if err != nil {
		return engine, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var errs []error
	for _, fact := range facts {
		figures, err := fact.measure(ctx, b)
		if err = errors.Join(err, b.tidy()); err != nil {
			errs = append(errs, fmt.Errorf("measure %s on %s: %w", fact.ID, engine.Version, err))
			continue
		}
		text, err := json.Marshal(figures)
		if err != nil {
			return engine, err
		}
		engine.Facts[fact.ID] = Figures{At: time.Now().UTC().Truncate(time.Second), Figures: text}
		done(engine, fact, figures)
	}
	return engine, errors.Join(errs...)
}

func describe(ctx context.Context, e *dockerd.Engine) (Engine, error) {
	version, err := e.Client().ServerVersion(ctx)
	if err != nil {
		return Engine{}, fmt.Errorf("ask the engine for its version: %w", err)
	}
	engine := Engine{
		Version: version.Version, API: version.APIVersion, Kernel: version.KernelVersion, Cores: runtime.NumCPU(), Facts: make(map[string]Figures),
	}
	text, _ := os.ReadFile("/proc/cpuinfo") // informative, and may be missing
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			engine.CPU = strings.TrimSpace(value)
			break
		}
	}
	return engine, nil
}

// Find returns what was measured of a version, nil if nothing was.
func (r *Results) Find(version string) *Engine {
	for i := range r.Engines {
		if r.Engines[i].Version == version {
			return &r.Engines[i]
		}
	}
	return nil
}

// Add adds an engine. Of one that is there already it replaces the facts that were measured anew.
func (r *Results) Add(engine Engine) {
	if have := r.Find(engine.Version); have != nil {
		facts := maps.Clone(have.Facts)
		maps.Copy(facts, engine.Facts)
		engine.Facts = facts
		*have = engine
		return
	}
	r.Engines = append(r.Engines, engine)
	sort.SliceStable(r.Engines, func(i, j int) bool { return versions.LessThan(r.Engines[i].Version, r.Engines[j].Version) })
}

// ReadFile reads what Save has written. A file that does not exist has nothing in it.
func ReadFile(path string) (*Results, error) {
	var r Results
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return &r, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &r, nil
}

// Save writes the results as JSON, a line for each fact.
func (r *Results) Save(path string) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("encode the figures: %w", err)
	}
	for _, begin := range []string{`{"version":`, `"facts":`} {
		text = bytes.ReplaceAll(text, []byte(begin), []byte("\n"+begin))
	}
	for _, fact := range Facts {
		begin := fmt.Sprintf(`%q:{"at":`, fact.ID)
		text = bytes.ReplaceAll(text, []byte(begin), []byte("\n"+begin))
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
