// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealFullDisk lets the engine's disk be full for a while. What the engine has kept
// must arrive, but for the line behind the half record that it left: the two are in one
// line of the file. What it has dropped it tells in its own log, Engine 28 only some of it.
func TestRealFullDisk(t *testing.T) {
	disk := smallDisk(t)
	e := dockerd.Require(t, dockerd.Options{ExtraArgs: []string{"--data-root", filepath.Join(disk, "data")}})
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	importScribe(t, e)
	run := sideBySide(t, e, nil)
	s := newScribe(t, e, "full", jsonFile)
	s.write(500)
	run.have(s)
	run.each(func(row *row) {
		if row.strategy == dockerlogsreceiver.StrategyFile { // which begins with a follow, that may lose lines
			logstest.Eventually(t, "the files are read", func() bool { return row.metric("captures", "source=file") == 1 })
		}
	})
	dropped := func() int { return strings.Count(e.LogTail(math.MaxInt), "no space left on device") }
	ballast := fill(t, disk)
	s.write(1_000)
	logstest.Eventually(t, "the engine tells that it drops lines", func() bool { return dropped() > 100 })
	require.NoError(t, os.Remove(ballast))
	s.write(500)
	logstest.Eventually(t, "the last line is in the log", func() bool { return s.held()[s.options.Lines] })
	lost := int(s.options.Lines) - len(s.held())
	t.Logf("%d lines are held, %d are lost, the engine has told %d times that there was no space left", len(s.held()), lost, dropped())
	assert.GreaterOrEqual(t, lost, dropped())
	// Engine 28 does not show its newest lines before that: it does not count the half record.
	s.end()
	run.drained()
	run.each(func(row *row) {
		row.stop()
		tally := row.summary(t, s.Name)
		record(t, e, row.strategy, "the disk is full, and the engine drops lines", row.seen(s.Name, int(s.options.Lines)))
		switch {
		case row.strategy == dockerlogsreceiver.StrategyFile: // it has one that the API does not show
			assert.LessOrEqual(t, tally.Lost, uint64(lost), "%s: lost", row.strategy)
			assert.GreaterOrEqual(t, tally.Lost, uint64(dropped()), "%s: lost", row.strategy)
		case row.strategy == dockerlogsreceiver.StrategyAdaptive: // it may follow still, as it has not seen yet that the container is loud
			assert.GreaterOrEqual(t, tally.Lost, uint64(lost), "%s: lost", row.strategy)
		case !mayLoseInFollow(row):
			assert.EqualValues(t, lost, tally.Lost, "%s: lost", row.strategy)
		}
		assert.Zero(t, tally.Repeated, "%s: repeated", row.strategy)
		assert.Zero(t, tally.Damaged, "%s: damaged", row.strategy)
		assert.LessOrEqual(t, row.metric("gaps"), int64(2), "%s: gaps", row.strategy)
	})
}

// smallDisk mounts a file system of 64 MB.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a file system")
	}
	disk := t.TempDir()
	output, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk).CombinedOutput()
	require.NoError(t, err, "%s", output)
	t.Cleanup(func() {
		output, err := exec.Command("umount", disk).CombinedOutput()
		assert.NoError(t, err, "%s", output)
	})
	return disk
}

// fill takes all the space of a file system with a file, which it returns.
func fill(t *testing.T, disk string) string {
	t.Helper()
	file, err := os.Create(filepath.Join(disk, "ballast"))
	require.NoError(t, err)
	defer file.Close()
	for size := 1 << 20; size > 0; {
		if _, err := file.Write(make([]byte, size)); err == nil {
			continue
		} else if !errors.Is(err, syscall.ENOSPC) {
			require.NoError(t, err)
		}
		size /= 2
	}
	return file.Name()
}
