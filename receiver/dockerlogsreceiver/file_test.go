// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// TestFilesAtRest: captures whose files do not grow have no goroutine and ask the engine
// nothing, and a line that is written comes all the same. The notifications are the system's.
func TestFilesAtRest(t *testing.T) {
	f := newFixture(t, enginetest.Files(t.TempDir()))
	f.r.openWatcher = fsnotify.NewWatcher
	f.cfg.Strategy = StrategyFile
	f.start()
	const containers = 20
	var all []*enginetest.Container
	for i := range containers {
		all = append(all, f.container(fmt.Sprint("c", i)))
		write(all[i], 1, 1)
	}
	resting := func() bool {
		return f.metric("captures", "state=waiting") == containers && f.metric("strategy_changes", "to=file") == f.metric("strategy_changes", "to=api")
	}
	f.eventually("all are at rest", func() bool { return len(f.sink.Bodies()) == containers && resting() })
	f.eventually("no capture has a goroutine", func() bool { return captureGoroutines(t) == 0 })
	requests := len(f.engine.Requests())
	for i, c := range all {
		write(c, 2, 2)
		f.eventually("the line", func() bool { return len(f.sink.Bodies()) == containers+i+1 })
	}
	f.eventually("all are at rest again", resting)
	assert.Len(t, f.engine.Requests(), requests, "the engine is asked nothing")
	all[0].Write(stdout, "last words\n")
	all[0].Remove()
	f.eventually("what a container wrote last", func() bool { return len(f.sink.Bodies()) == 2*containers+1 })
	f.eventually("its capture has ended", func() bool { return f.metric("captures") == containers-1 })
	assert.Zero(t, f.metric("gaps"))
}

// TestFilesAreReadBeforeAGroupLeaves: a line waits for the next read or for the next group, not for
// one after the other.
func TestFilesAreReadBeforeAGroupLeaves(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyFile
		f.start()
		const step, lines = 10 * time.Millisecond, 1000
		all := [2]*enginetest.Container{f.container("a"), f.container("b")}
		var written []time.Time
		var longest time.Duration
		for n := range lines {
			for i, c := range all {
				if n >= 7*i { // so that they would be read at different times
					write(c, n, n)
					written = append(written, time.Now())
				}
			}
			f.pass(step)
			if delivered := len(f.sink.Bodies()); n > lines/2 && delivered < len(written) { // both are read as they grow by then
				longest = max(longest, time.Since(written[delivered]))
			}
		}
		f.eventually("all lines", func() bool { return len(f.sink.Bodies()) == len(written) })
		assert.Positive(t, longest)
		assert.LessOrEqual(t, longest, f.cfg.Batch.FlushTimeout+f.cfg.Batch.FlushTimeout/10+2*step)
	}, enginetest.Files(t.TempDir()))
}

// TestFastFilesAreReadBeforeTheyRotate: files that hold 20 to 40 ms of what is written are
// read sooner than for the next group.
func TestFastFilesAreReadBeforeTheyRotate(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy, f.cfg.Batch.FlushTimeout = StrategyFile, 200*time.Millisecond
		c := f.engine.Add(enginetest.ContainerSpec{
			Name: "web", Running: true, Driver: "json-file", DriverOpts: map[string]string{"max-size": "100k", "max-file": "3"},
		})
		f.start()
		n := 0
		next := func(lines int) {
			write(c, n+1, n+lines)
			n += lines
			f.pass(2 * time.Millisecond)
		}
		next(1)
		f.eventually("its files are read", func() bool { return f.metric("captures", "source=file") == 1 })
		for len(f.sink.Bodies()) == 1 { // they are read as they grow once this has been noticed
			next(1)
		}
		const lines = 200 // 15 kB
		for step := range 300 {
			if step > 100 && step%10 == 0 {
				c.Rotate(10 * lines)
			}
			next(lines)
		}
		f.expectLines(1, n)
		assert.Zero(t, f.metric("gaps"))
	}, enginetest.Files(t.TempDir()))
}

// TestFilesWithoutNotifications: the sizes of files are looked at.
func TestFilesWithoutNotifications(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.r.openWatcher = func() (*fsnotify.Watcher, error) { return nil, errors.New("too many open files") }
		f.cfg.Strategy = StrategyFile
		c := f.container("web")
		f.start()
		write(c, 1, 1)
		f.pass(time.Minute)
		f.expectLines(1, 1)
		for i := 2; i < 20; i++ {
			write(c, i, i)
			f.pass(sweepAlone + time.Second)
			f.expectLines(1, i)
		}
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "cannot be watched"))
	}, enginetest.Files(t.TempDir()))
}

// TestFilesOutOfReach: until the files can be read the containers are read over the API.
func TestFilesOutOfReach(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyFile
		f.cfg.File.Root = filepath.Join(t.TempDir(), "mounted-later")
		c := f.container("web")
		f.start()
		write(c, 1, 10)
		f.pass(time.Minute)
		f.expectLines(1, 10)
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "log files are not read"))
		require.NoError(t, os.Symlink(f.r.dataRoot(), f.cfg.File.Root))
		f.pass(maxRetry)
		write(c, 11, 20)
		f.pass(time.Second)
		f.expectLines(1, 20)
		assert.EqualValues(t, 1, f.metric("strategy_changes", "to=file"))
		assert.Zero(t, f.engine.OpenFollows())
		assert.Zero(t, f.metric("gaps"))
	}, enginetest.Files(t.TempDir()))
}

// TestAdaptiveWithFiles: it reads those that stay, and what it cannot read so over the API,
// without a word.
func TestAdaptiveWithFiles(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyAdaptive
		web := f.container("web")
		single := f.engine.Add(enginetest.ContainerSpec{Name: "single", Running: true, DriverOpts: map[string]string{"max-file": "1"}})
		f.start()
		for i := range 20 {
			write(web, i+1, i+1)
			write(single, i+1, i+1)
			f.pass(time.Second)
		}
		f.pass(time.Minute)
		for _, name := range []string{"web", "single"} {
			assert.Len(t, f.sink.Of(name), 20, name)
		}
		assert.EqualValues(t, 1, f.metric("captures", "source=file", "state=waiting"))
		assert.EqualValues(t, 1, f.metric("captures", "source=api", "state=following"))
		assert.Equal(t, 1, f.engine.OpenFollows())
		assert.Zero(t, f.logged(zap.WarnLevel, ""))
	}, enginetest.Files(t.TempDir()))
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy, f.cfg.File.Root = StrategyAdaptive, filepath.Join(t.TempDir(), "not-mounted")
		write(f.container("web"), 1, 1)
		f.start()
		f.pass(time.Hour)
		assert.EqualValues(t, 1, f.metric("captures", "source=api", "state=following"))
		assert.Zero(t, f.metric("strategy_changes"))
		assert.Zero(t, f.logged(zap.InfoLevel, "")+f.logged(zap.WarnLevel, ""))
	}, enginetest.Files(t.TempDir()))
}

// rotating is a container whose engine keeps five files of 10 kB.
func rotating(name string) enginetest.ContainerSpec {
	return enginetest.ContainerSpec{Name: name, Running: true, Driver: "json-file", DriverOpts: map[string]string{"max-file": "5", "max-size": "10k"}}
}

// TestFilesOfAContainerThatRotatesAtOnce: the first file is not the one that the engine writes
// when the container is looked at.
func TestFilesOfAContainerThatRotatesAtOnce(t *testing.T) {
	for _, strategy := range []Strategy{StrategyFile, StrategyAdaptive} {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				proof := f.container("proof")
				f.start()
				write(proof, 1, 1)
				f.pass(10 * time.Second)
				c := f.engine.Add(rotating("web"))
				write(c, 1, 50)
				c.Rotate(50)
				write(c, 51, 60)
				f.pass(time.Minute)
				assert.Equal(t, numbered(1, 60), f.sink.Of("web"))
				assert.Zero(t, f.metric("gaps"))
			}, enginetest.Files(t.TempDir()))
		})
	}
}

// TestFilesAreRemovedBehindARotation: the file that is held is read to its end, and that there
// may have been another is a gap.
func TestFilesAreRemovedBehindARotation(t *testing.T) {
	for name, text := range map[string]string{"long": strings.Repeat("x", 300), "short": "x"} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = StrategyFile
				c := f.engine.Add(rotating("web"))
				f.start()
				write(c, 1, 10)
				f.pass(time.Minute)
				f.expectLines(1, 10)
				for range 40 {
					c.Write(stdout, text+"\n")
				}
				gaps := 0
				if len(text) > 1 { // the file has more than 10 kB
					c.Rotate(50)
					write(c, 51, 60)
					gaps = 1
				}
				c.Remove()
				f.pass(time.Minute)
				assert.Len(t, f.sink.Of("web"), 50)
				assert.EqualValues(t, gaps, f.metric("gaps", "removed"))
			}, enginetest.Files(t.TempDir()))
		})
	}
}

// TestFilesThatTheEngineDoesNotProve: what the engine cannot say of the end of a log does not keep
// its lines from being read.
func TestFilesThatTheEngineDoesNotProve(t *testing.T) {
	for name, fault := range map[string]func(*enginetest.Container){
		"newest record unreadable": func(c *enginetest.Container) { c.Poison(19, "unexpected EOF") },
		"no tail is answered":      func(c *enginetest.Container) { c.SetFaults(enginetest.Faults{HangTail: true}) },
	} {
		for _, strategy := range []Strategy{StrategyFile, StrategyAdaptive} {
			t.Run(name+"/"+string(strategy), func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					f.cfg.Strategy, f.cfg.StartAt = strategy, StartAtBeginning
					c := f.engine.Add(rotating("web"))
					write(c, 1, 20)
					fault(c)
					f.start()
					f.pass(2 * time.Minute)
					assert.GreaterOrEqual(t, len(f.sink.Bodies()), 19)
					assert.LessOrEqual(t, f.requests(enginetest.KindLogs), 100, "requests for the log")
				}, enginetest.Files(t.TempDir()))
			})
		}
	}
}

func captureGoroutines(t *testing.T) int {
	t.Helper()
	var profile strings.Builder
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
	return strings.Count(profile.String(), "(*capture).run")
}

// maxRetry is a little more than the time after which files are tried again at the latest.
const maxRetry = 6 * time.Minute
