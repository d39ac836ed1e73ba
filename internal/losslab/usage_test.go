// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
)

func TestUsageSince(t *testing.T) {
	at := time.Now()
	before := usage{at: at, machine: 100 * time.Second, clients: 1, daemon: 2, generator: 3, lab: 4}
	after := before
	after.at = at.Add(10 * time.Second)
	after.machine += 15 * time.Second
	after.clients += time.Second
	after.daemon += 2 * time.Second
	after.generator += 3 * time.Second
	after.lab += 4 * time.Second
	l := after.since(before)
	assert.Equal(t, Load{
		Window: 10 * time.Second, Clients: time.Second, Daemon: 2 * time.Second, Generator: 3 * time.Second,
		Lab: 4 * time.Second, Others: 5 * time.Second,
	}, l)
	assert.InDelta(t, 0.5, l.Cores(l.Others), 1e-9)

	after.machine = before.machine // the kernel counts the machine's time in coarser steps
	assert.Zero(t, after.since(before).Others)
}

func TestParseStat(t *testing.T) {
	p, err := parseStat([]byte("42 (a) b) S 7 42 42 0 -1 4194560 1 2 3 4 150 50 9 9 20 0 1 0 100 0 0"))
	require.NoError(t, err)
	assert.Equal(t, procStat{parent: 7, used: 2 * time.Second}, p)
	for _, bad := range []string{"42 (a) S 7", "42 (a) S x 42 42 0 -1 4194560 1 2 3 4 150 50"} {
		_, err = parseStat([]byte(bad))
		assert.Error(t, err)
	}
}

// private returns an engine whose processes can be found.
func private(t *testing.T) *dockerd.Engine {
	e := dockerd.Require(t)
	if !e.Private() {
		t.Skip("the processor time of an engine that is not private is not known")
	}
	return e
}

// TestWhoseProcess: dockerd, containerd and the shims are the engine's, their containers are
// not, and nothing else is either.
func TestWhoseProcess(t *testing.T) {
	e := private(t)
	l := &laboratory{Options: options(t, e), engine: e}
	require.NoError(t, importGenerator(t.Context(), e))
	p := Profiles[0]
	p.Containers = 3
	w, err := l.startWriters(t.Context(), p)
	require.NoError(t, err)
	defer func() { assert.NoError(t, w.remove()) }()
	require.NoError(t, w.begin())
	_, _, err = w.wait(t.Context(), l.Duration) // until all run, and runc has ended
	require.NoError(t, err)
	processes, err := readProcesses()
	require.NoError(t, err)
	own, written := make(map[string]int), make(map[string]int)
	for pid := range processes {
		comm, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "comm"))
		if err != nil {
			continue
		}
		name := strings.TrimSpace(string(comm))
		switch {
		case processes.belongsTo(pid, e.Pid()):
			own[name]++
		case processes.descendsFrom(pid, e.Pid()):
			written[name]++
		}
	}
	assert.Equal(t, map[string]int{"loggen": 3}, written)
	assert.Equal(t, 1, own["dockerd"])
	assert.Equal(t, 1, own["containerd"])
	assert.Equal(t, 3, own["containerd-shim"], "%v", own)
	assert.False(t, processes.belongsTo(os.Getpid(), e.Pid()))
	assert.False(t, processes.descendsFrom(os.Getpid(), e.Pid()))
}

// TestLoadIsOfOneWindow has the laboratory itself burn a core, while the reader works and long
// after it. That is not the time of others, and the window is not longer than the work.
func TestLoadIsOfOneWindow(t *testing.T) {
	e := private(t)
	l := &laboratory{Options: options(t, e), engine: e}
	require.NoError(t, importGenerator(t.Context(), e))
	l.Settle = 6 * time.Second // is waited for, because of what this reader leaves behind
	p := Profiles[2]           // high: /proc counts in hundredths of a second
	p.Containers = 2
	var stop atomic.Bool
	defer stop.Store(true)
	go func() {
		for !stop.Load() {
		}
	}()
	cells, err := l.measure(t.Context(), p, []string{naive.Prefix + "streaming"})
	require.NoError(t, err)
	c, load := cells[0], cells[0].Load
	require.NotZero(t, c.Goroutines.Left, "else nothing was waited for after the window")
	assert.Less(t, load.Window, c.Elapsed+l.Settle/2, "the window ends when the lines have come")
	assert.Positive(t, load.Daemon)
	assert.Positive(t, load.Generator)
	assert.Positive(t, load.Lab, "a core, or what it could get of a busy machine")
	const coarse = 1.1 // the kernel counts by ticks
	assert.LessOrEqual(t, load.Cores(load.Lab+load.Others), coarse*float64(runtime.NumCPU()))
}
