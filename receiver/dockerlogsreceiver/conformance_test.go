// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// allStrategies are the rows of the conformance suite; the scenarios are its columns.
var allStrategies = func() (all []Strategy) {
	for _, name := range logstest.Strategies {
		all = append(all, Strategy(name))
	}
	return all
}()

// flavors are the kinds of engine that the basic scenarios are run on.
var flavors = []struct {
	name   string
	option enginetest.Option
}{
	{"20", enginetest.Docker20()},
	{"29", enginetest.Docker29()},
	{"podman", enginetest.Podman4()},
}

// onEachEngine runs a test for every strategy on every kind of engine, over the API, and with the
// engine's files where the strategy reads them.
func onEachEngine(t *testing.T, test func(f *fixture, files bool)) {
	t.Helper()
	try := func(name string, strategy Strategy, files bool, options ...enginetest.Option) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				test(f, files)
			}, options...)
		})
	}
	for _, strategy := range allStrategies {
		for _, flavor := range flavors {
			name := flavor.name + "/" + string(strategy)
			try(name, strategy, false, flavor.option)
			if flavor.name != "podman" && (strategy == StrategyFile || strategy == StrategyAdaptive) {
				try(name+" with files", strategy, true, flavor.option, enginetest.Files(t.TempDir()))
			}
		}
		try("podman5/"+string(strategy), strategy, false, enginetest.Podman5())
	}
}

// eachWay is onEachEngine with a storage, and the books of a trial.
func eachWay(t *testing.T, test func(*trial, *memory)) {
	t.Helper()
	onEachEngine(t, func(f *fixture, files bool) {
		test(&trial{fixture: f, files: files, want: make(map[string]map[string][]string)}, f.stored())
	})
}

// TestConformance holds every strategy to the same promise in every scenario: each
// line arrives once, byte for byte, in the order of its stream.
func TestConformance(t *testing.T) {
	for _, s := range scenarios {
		for _, flavor := range flavors {
			if !s.basic && flavor.name != "20" {
				continue
			}
			for _, strategy := range allStrategies {
				name := fmt.Sprintf("%s/%s/%s", s.name, flavor.name, strategy)
				files := flavor.name != "podman" // whose are not read
				t.Run(name, func(t *testing.T) { s.try(t, strategy, flavor.option, files && strategy == StrategyFile) })
				if files && strategy == StrategyAdaptive {
					t.Run(name+" with files", func(t *testing.T) { s.try(t, strategy, flavor.option, true) })
				}
				if flavor.name == "20" {
					t.Run(name+" joined", func(t *testing.T) { s.tryJoined(t, strategy, flavor.option) })
				}
			}
		}
	}
}

// scenario is something nasty that happens while containers write.
type scenario struct {
	name    string
	basic   bool // to be run on every flavor
	options []enginetest.Option
	run     func(*trial)
}

// try runs the scenario with a strategy, on an engine whose files can be read, or cannot.
func (s scenario) try(t *testing.T, strategy Strategy, flavor enginetest.Option, files bool) {
	s.tryWith(t, strategy, flavor, files, func(*fixture) {})
}

// tryJoined runs the scenario where several lines are one record. Each must come as in the
// scenario without that.
func (s scenario) tryJoined(t *testing.T, strategy Strategy, flavor enginetest.Option) {
	s.tryWith(t, strategy, flavor, strategy == StrategyFile, func(f *fixture) {
		f.cfg.Multiline.LineStartPattern = `[05] <`
		f.sink.Split = true
	})
}

func (s scenario) tryWith(t *testing.T, strategy Strategy, flavor enginetest.Option, files bool, set func(*fixture)) {
	t.Parallel()
	options := append([]enginetest.Option{flavor}, s.options...)
	if files {
		options = append(options, enginetest.Files(t.TempDir()))
	}
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = strategy
		set(f)
		tr := &trial{fixture: f, files: files, want: make(map[string]map[string][]string)}
		s.run(tr)
		tr.conclude()
	}, options...)
}

// trial is one strategy in one scenario. It keeps the books of what was written.
type trial struct {
	*fixture
	files    bool                           // the engine has some
	lines    int                            // numbered so far
	want     map[string]map[string][]string // lines by container and stream
	wanted   int
	gaps     int64 // to be told
	disorder bool  // what a follow had left out comes late
	ended    bool  // nothing more can be written
	web      *enginetest.Container
}

// begin starts the receiver with a container that it has read ten lines of.
func (tr *trial) begin() *enginetest.Container {
	tr.t.Helper()
	return tr.beginWith(enginetest.ContainerSpec{Name: "web"})
}

func (tr *trial) beginWith(spec enginetest.ContainerSpec) *enginetest.Container {
	tr.t.Helper()
	spec.Running = true
	tr.web = tr.engine.Add(spec)
	tr.start()
	tr.write(tr.web, stdout, 10)
	tr.complete()
	if tr.readsFiles() {
		tr.await("its files are read", func() bool { return tr.metric("strategy_changes", "to=file") > 0 })
	}
	return tr.web
}

// write logs that many numbered lines.
func (tr *trial) write(c *enginetest.Container, stream enginetest.Stream, n int) {
	c.Write(stream, tr.text(c, stream, n))
}

// writeAt is write with a time of the engine's own.
func (tr *trial) writeAt(at time.Time, c *enginetest.Container, stream enginetest.Stream, n int) {
	c.WriteAt(at, stream, tr.text(c, stream, n))
}

// writing writes n lines every so often for that many times.
func (tr *trial) writing(times int, every time.Duration, c *enginetest.Container, n int) {
	for range times {
		tr.write(c, stdout, n)
		tr.pass(every)
	}
}

func (tr *trial) text(c *enginetest.Container, stream enginetest.Stream, n int) string {
	var text strings.Builder
	for range n {
		tr.lines++
		line := fmt.Sprintf("%s %d <\xff\x00é>", c.Name(), tr.lines)
		tr.expectLine(c, stream, line)
		text.WriteString(line + "\n")
	}
	return text.String()
}

// expectLine books a line that the container has written.
func (tr *trial) expectLine(c *enginetest.Container, stream enginetest.Stream, line string) {
	name := c.Name()
	if tr.want[name] == nil {
		tr.want[name] = make(map[string][]string)
	}
	kind := map[enginetest.Stream]string{stdout: "stdout", stderr: "stderr"}[stream]
	tr.want[name][kind] = append(tr.want[name][kind], line)
	tr.wanted++
}

// await is eventually with longer steps, for waits of minutes.
func (tr *trial) await(what string, cond func() bool) {
	tr.t.Helper()
	for began := time.Now(); ; tr.pass(100 * time.Millisecond) {
		tr.settle()
		if cond() {
			return
		}
		if time.Since(began) > 20*time.Minute {
			tr.t.Fatalf("waited in vain for %s; delivered %s; logged %v", what, summary(tr.sink.Bodies()), tr.messages())
		}
	}
}

// complete waits until all that was written has been delivered.
func (tr *trial) complete() {
	tr.t.Helper()
	tr.await(fmt.Sprint(tr.wanted, " lines"), func() bool { return tr.sink.Count("") >= tr.wanted })
	tr.check()
}

func (tr *trial) check() {
	tr.t.Helper()
	got := make(map[string]map[string][]string)
	for _, rec := range tr.sink.All() {
		name := rec.Container()
		if got[name] == nil {
			got[name] = make(map[string][]string)
		}
		got[name][rec.Stream] = append(got[name][rec.Stream], rec.Body)
	}
	for name, streams := range tr.want {
		for kind, want := range streams {
			have := got[name][kind]
			if tr.disorder {
				want, have = slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(have))
			}
			if !slices.Equal(want, have) {
				tr.t.Fatalf("%s of %s: want %s, got %s", kind, name, summary(want), summary(have))
			}
		}
	}
	require.Equal(tr.t, tr.wanted, tr.sink.Count(""), "records of anything else")
}

// conclude checks that all is well after the scenario, and stays so. What must hold of
// goroutines and captures is checked by the fixture and by the bubble.
func (tr *trial) conclude() {
	tr.t.Helper()
	tr.complete()
	if tr.web != nil && !tr.ended {
		tr.write(tr.web, stdout, 3)
		tr.write(tr.web, stderr, 3)
		tr.complete()
	}
	tr.pass(5 * time.Minute)
	tr.check()
	assert.Equal(tr.t, tr.gaps, tr.metric("gaps"), "gaps")
	tr.stop()
	tr.check()
	assert.Zero(tr.t, tr.metric("buffered_bytes"))
	tr.following(0)
}

// attached reports whether all that a container writes before it is removed arrives: a
// follow is open, or its files are.
func (tr *trial) attached() bool { return tr.engine.OpenFollows() > 0 || tr.readsFiles() }

// readsFiles reports whether the strategy reads the engine's files, once they are proven.
func (tr *trial) readsFiles() bool {
	return tr.files
}
