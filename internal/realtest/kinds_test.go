// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

var (
	jsonFile = dockerd.ContainerSpec{LogDriver: "json-file"}
	local    = dockerd.ContainerSpec{LogDriver: "local"}
	terminal = dockerd.ContainerSpec{TTY: true}
	rotating = dockerd.ContainerSpec{LogDriver: "json-file", LogOpts: map[string]string{"max-size": "1m", "max-file": "3"}}
	// rotated loses nothing to a receiver that is some seconds late.
	rotated = dockerd.ContainerSpec{LogDriver: "json-file", LogOpts: map[string]string{"max-size": "1m", "max-file": "10"}}
	removed = dockerd.ContainerSpec{AutoRemove: true}
)

func between(least, most int) loggen.Sizes { return loggen.Sizes{{Min: least, Max: most}} }

// TestRealKinds captures containers of every kind at once: each line must arrive
// once, byte for byte.
func TestRealKinds(t *testing.T) {
	kinds := []struct {
		o    loggen.Options
		spec dockerd.ContainerSpec
		runs int // that the engine makes of it; their lines are the same
	}{
		{loggen.Options{Source: "stdout", Lines: 12_000}, jsonFile, 1},
		{loggen.Options{Source: "stderr", Lines: 12_000, StderrShare: 1}, jsonFile, 1},
		{loggen.Options{Source: "mixed", Lines: 10_000, StderrShare: 0.5}, jsonFile, 1},
		{loggen.Options{Source: "mixed-local", Lines: 5_000, StderrShare: 0.5}, local, 1},
		{loggen.Options{Source: "bursts", Lines: 6_000, BurstSize: 1_000, BurstEvery: 200 * time.Millisecond}, jsonFile, 1},
		{loggen.Options{Source: "tty-short", Lines: 5_000}, terminal, 1},
		{loggen.Options{Source: "tty-long", Lines: 200, Sizes: between(15_000, 50_000)}, terminal, 1},
		{loggen.Options{Source: "blank", Lines: 5_000, BlankEvery: 3}, jsonFile, 1},
		{loggen.Options{Source: "crlf", Lines: 5_000, CRLF: true}, jsonFile, 1},
		{loggen.Options{Source: "binary", Lines: 5_000, Payload: loggen.Binary}, jsonFile, 1},
		{loggen.Options{Source: "binary-local", Lines: 5_000, Payload: loggen.Binary}, local, 1},
		{loggen.Options{Source: "utf8", Lines: 5_000, Payload: loggen.UTF8, Sizes: between(80, 2_000)}, local, 1},
		{loggen.Options{Source: "long-20k", Lines: 300, Sizes: between(20_000, 20_000), StderrShare: 0.5}, jsonFile, 1},
		{loggen.Options{Source: "long-100k", Lines: 100, Sizes: between(100_000, 100_000)}, local, 1},
		{loggen.Options{Source: "long-1m", Lines: 4, Sizes: between(1_000_000, 1_500_000)}, jsonFile, 1},
		{loggen.Options{Source: "partial", Lines: 1_000, PartialEvery: 20}, jsonFile, 1},
		{loggen.Options{Source: "no-final-newline", Lines: 2_000, NoFinalNewline: true}, local, 1},
		{loggen.Options{Source: "rotated", Lines: 15_000, Rate: 3_000}, rotated, 1},
		{loggen.Options{Source: "removed", Lines: 4_000, Rate: 2_000, UntilSignal: true}, removed, 1},
		{loggen.Options{Source: "short-lived", Lines: 100}, jsonFile, 1},
		{
			loggen.Options{Source: "restarted", Lines: 1_000, NoFinalNewline: true, ExitCode: 1},
			dockerd.ContainerSpec{RestartPolicy: "on-failure:2"},
			3,
		},
	}
	e := logstest.Engine(t)
	r := start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) { cfg.MaxLogSize = 4 << 20 })
	written := 0
	for _, kind := range kinds {
		r.expect(kind.o)
		written += kind.runs * int(kind.o.Lines+kind.o.Blanks(kind.o.Lines))
	}
	defer func() {
		if t.Failed() {
			for _, kind := range kinds {
				tally := r.lines.Tallies()[kind.o.Source]
				if kind.spec.TTY {
					tally = r.tty.Tallies()[kind.o.Source]
				}
				t.Logf("%s: %+v", kind.o.Source, tally)
			}
		}
	}()
	began := time.Now()
	containers, err := e.RunMany(t.Context(), len(kinds), func(i int) dockerd.ContainerSpec {
		return logstest.Loggen(kinds[i].o, kinds[i].spec)
	})
	require.NoError(t, err)
	r.Await(t, "", written)
	lasting := slices.IndexFunc(containers, func(c *dockerd.Container) bool { return c.Name == "removed" })
	for i, c := range containers {
		if i != lasting {
			_, err := c.Wait(t.Context())
			require.NoError(t, err)
		}
	}
	logstest.Eventually(t, "all logs but one are read, and that is followed", func() bool {
		return r.metric("captures") == 1 && r.metric("captures", "state=following") == 1
	})
	require.NoError(t, containers[lasting].Stop(t.Context(), logstest.Patience)) // which removes it
	logstest.Eventually(t, "all logs are read", func() bool { return r.metric("captures") == 0 && r.metric("buffered_bytes") == 0 })
	t.Logf("%d lines of %d containers in %v, in %d deliveries", written, len(kinds), time.Since(began).Round(time.Millisecond), r.Calls())
	r.stop()

	tallies, blank := r.lines.Tallies(), uint64(0)
	for source, tally := range r.tty.Tallies() {
		tallies[source] = tally
	}
	all := cell{Written: written, Gaps: int(r.metric("gaps"))}
	for _, kind := range kinds {
		tally := tallies[kind.o.Source]
		all.Lost += int(tally.Lost)
		all.Repeated += int(tally.Repeated) - (kind.runs-1)*int(kind.o.Lines)
	}
	record(t, e, dockerlogsreceiver.StrategyAdaptive, fmt.Sprintf("%d kinds of lines and containers at once", len(kinds)), all)
	for _, kind := range kinds {
		tally := tallies[kind.o.Source]
		again := uint64(kind.runs-1) * kind.o.Lines
		assert.Equal(t, again, tally.Repeated, "%s: repeated", kind.o.Source)
		if tally.Repeated -= again; tally.Repeated == 0 {
			assert.NoError(t, tally.Err(), kind.o.Source)
		}
		returns := uint64(0)
		if kind.o.CRLF {
			returns = kind.o.Lines
		}
		assert.Equal(t, returns, tally.CarriageReturns, "%s: lines that kept a carriage return", kind.o.Source)
		blank += kind.o.Blanks(kind.o.Lines)
	}
	assert.Empty(t, tallies[""].Examples, "lines of no known source")
	assert.Equal(t, blank, r.lines.Blank()+r.tty.Blank())
	assert.Zero(t, tallies["binary-local"].Replaced, "the local driver keeps every byte")
	assert.Zero(t, r.SameUID(), "records that share a log.record.uid")
	assert.EqualValues(t, written, r.metric("records"))
	for _, reason := range []string{"rotated", "unreadable", "removed"} {
		assert.Zero(t, r.metric("gaps", "reason="+reason), "gaps: %s", reason)
	}
}
