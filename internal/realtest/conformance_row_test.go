// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

const (
	// rowLifetime is that of a follow of short_lived.
	rowLifetime = 2 * time.Second
	// rowMaxInterval is the longest time between two polls.
	rowMaxInterval = 4 * time.Second
)

// row is a receiver with one strategy on the shared engine, behind a proxy of its own.
type row struct {
	*receiver
	strategy dockerlogsreceiver.Strategy
	proxy    *cutter
}

func newRow(t *testing.T, e *dockerd.Engine, strategy dockerlogsreceiver.Strategy) *row {
	t.Helper()
	proxy := newCutter(t, e.Socket())
	r := start(t, "unix://"+proxy.path, func(cfg *dockerlogsreceiver.Config) {
		cfg.Strategy = strategy
		cfg.ShortLived.Lifetime = rowLifetime
		cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: time.Second, MaxInterval: rowMaxInterval}
		cfg.Hybrid.Interval = time.Second
		cfg.RetryOnFailure.InitialInterval = 100 * time.Millisecond
		cfg.RetryOnFailure.MaxInterval = time.Second
	})
	return &row{receiver: r, strategy: strategy, proxy: proxy}
}

// brief reports whether a container may be gone before it can be read.
func brief(name string) bool { return strings.HasPrefix(name, "short-") }

// judge checks the books once the receiver has stopped. brief containers may have lost
// lines, others may not.
func (row *row) judge(t *testing.T, run *conformanceRun) {
	t.Helper()
	gaps := row.metric("gaps")
	assert.Equal(t, gaps, row.metric("gaps", "reason=removed"), "%s: gaps for other reasons", row.strategy)
	var tooShort int64
	for name, o := range run.options {
		if lost := int(o.Lines) - row.Count(name); brief(name) && lost > 0 {
			t.Logf("%s: %d lines of %s were gone before they could be read", row.strategy, lost, name)
			tooShort++
		}
	}
	if gaps < tooShort {
		// A container that was gone before it was looked at leaves nothing to count.
		t.Logf("%s: %d containers were too short, %d gaps are counted", row.strategy, tooShort, gaps)
	}
	assert.NoError(t, row.lines.Err(), "%s", row.strategy)
	assert.NoError(t, row.tty.Err(), "%s", row.strategy)
	assert.Zero(t, row.SameUID(), "%s: records that share a log.record.uid", row.strategy)
	assert.Zero(t, row.metric("captures"), "%s: captures after the end", row.strategy)
}

// conformanceScenarios are the rows of docs/conformance.md, by container.
var conformanceScenarios = []struct{ container, scenario string }{
	{"burst", "bursts of 3,000 lines"},
	{"rotation", "files of 1 MB rotate, at 2,000 lines/s"},
	{"tty-lines", "a terminal, lines of up to 40 kB"},
	{"local", "log driver `local`"},
	{"long", "lines of 20 and 70 kB on both streams, written in parts"},
	{"removed", "removed once it has been read"},
}

// record books what a row saw. Of kept containers the engine's own log tells what there was.
func (r *conformanceRun) record(row *row, steady, restarted *dockerd.Container) {
	r.t.Helper()
	for _, s := range conformanceScenarios {
		record(r.t, r.engine, row.strategy, s.scenario, row.seen(s.container, int(r.options[s.container].Lines)))
	}
	var short cell
	short.Gaps = int(row.metric("gaps")) // those of a container that had no name yet too
	for name, o := range r.options {
		if brief(name) {
			short.Written += int(o.Lines)
			short.Lost += int(o.Lines) - row.Count(name)
		} else {
			short.Gaps -= row.gapsOf(name)
		}
	}
	record(r.t, r.engine, row.strategy, "`--rm`, gone after 50 ms", short)
	record(r.t, r.engine, row.strategy, "restarted three times, without a last line end", r.seenOf(row, restarted))
	record(r.t, r.engine, row.strategy, "200 lines/s while connections are cut, the engine is frozen and restarted, the pipeline refuses and is slow", r.seenOf(row, steady))
}

// seenOf compares what a row has kept of a container with the engine's log.
func (r *conformanceRun) seenOf(row *row, c *dockerd.Container) cell {
	r.t.Helper()
	wantOut, wantErr := r.held(c)
	haveOut, haveErr := row.keptOf(c.Name)
	seen := cell{Written: len(wantErr), Gaps: row.gapsOf(c.Name)}
	seen.Lost, seen.Repeated = differ(wantErr, haveErr)
	if makeUp(haveOut, strings.Join(wantOut, "")) { // a run that ended in mid-line has no line end there
		seen.Written += len(haveOut)
		return seen
	}
	lost, repeated := differ(wantOut, haveOut)
	return cell{Written: seen.Written + len(wantOut), Lost: seen.Lost + lost, Repeated: seen.Repeated + repeated, Gaps: seen.Gaps}
}

// differ counts the lines that are wanted and not there, and those that are there and not wanted.
func differ(want, have []string) (missing, surplus int) {
	count := make(map[string]int)
	for _, line := range want {
		count[line]++
	}
	for _, line := range have {
		count[line]--
	}
	for _, n := range count {
		missing += max(0, n)
		surplus += max(0, -n)
	}
	return missing, surplus
}
