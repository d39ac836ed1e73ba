// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealConformance puts all strategies through the scenarios of the conformance
// suite that a real engine can be made to produce, side by side on one engine.
func TestRealConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("the engine is stopped and restarted, and this one is not ours")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	r := &conformanceRun{t: t, ctx: ctx, engine: e, options: make(map[string]loggen.Options)}
	for _, strategy := range strategies {
		r.rows = append(r.rows, newRow(t, e, strategy))
	}

	began := time.Now()
	step := func(name string) { t.Logf("%5.1fs %s", time.Since(began).Seconds(), name) }
	// Written from the first to the last, through everything that happens.
	const steadyRate = 200
	steady := r.run("steady", dockerd.ContainerSpec{}, loggen.Options{Rate: steadyRate, StderrShare: 0.3, Payload: loggen.UTF8, PartialEvery: 50}, "120:95,20000:4,100000:1")

	step("burst, rotation, terminal, driver local, long lines")
	r.run("burst", dockerd.ContainerSpec{}, loggen.Options{Lines: 9000, BurstSize: 3000, BurstEvery: time.Second}, "120")
	r.run("rotation", rotated, loggen.Options{Lines: 16000, Rate: 2000, StderrShare: 0.1}, "80-200")
	r.run("tty-lines", terminal, loggen.Options{Lines: 400, Rate: 100}, "120:90,40000:10")
	r.run("local", local, loggen.Options{Lines: 2000, Rate: 500, StderrShare: 0.3}, "120")
	r.run("long", dockerd.ContainerSpec{}, loggen.Options{Lines: 400, Rate: 100, StderrShare: 0.5, PartialEvery: 3}, "20000:8,70000:2")
	gone := r.run("removed", dockerd.ContainerSpec{}, loggen.Options{Lines: 500, Rate: 500, UntilSignal: true}, "120")
	restarted := r.run("restarted", dockerd.ContainerSpec{}, loggen.Options{Lines: 20, NoFinalNewline: true, UntilSignal: true}, "200")
	for run := range 3 {
		r.holds(restarted, 200*(20*run+19)) // the engine gets the last line with the end of the run
		require.NoError(t, restarted.Restart(ctx, 5*time.Second))
	}
	for i := range 5 {
		r.run(fmt.Sprint("short-", i), dockerd.ContainerSpec{AutoRemove: true}, loggen.Options{Lines: 20, Linger: 50 * time.Millisecond}, "120")
	}
	r.await("all but the steady and the short", "burst", "rotation", "tty-lines", "local", "long", "removed")

	step("container removed")
	require.NoError(t, gone.Remove(ctx, true))
	step("connections cut")
	for range 4 {
		r.flows("steady", 50) // with what the cut before it has interrupted
		r.each(func(row *row) {
			cut := row.proxy.cut()
			if row.strategy != dockerlogsreceiver.StrategyFile { // which may have none but that for events
				assert.Positive(t, cut, "%s: connections that can be cut", row.strategy)
			}
		})
	}
	step("engine paused")
	require.NoError(t, e.Pause())
	// Time is the subject: every strategy but those that follow is to ask in vain meanwhile,
	// which nothing reports.
	time.Sleep(max(rowLifetime, rowMaxInterval))
	require.NoError(t, e.Resume())
	step("pipeline refuses")
	// More calls than a second has, which is how long a follow outlives a pipeline that refuses.
	r.calls(8, func(row *row) { row.Refuse(errors.New("full")) })
	step("pipeline slow")
	r.each(func(row *row) { row.Refuse(nil) })
	r.calls(8, func(row *row) { row.Slow(200 * time.Millisecond) })
	r.each(func(row *row) { row.Slow(0) })
	step("engine restarted")
	require.NoError(t, e.Restart(ctx))
	require.NoError(t, steady.Start(ctx))
	o := r.options["steady"]
	again := o.Line(2 * steadyRate) // of the second run
	r.until("two seconds of the second run", func(row *row) string {
		stdout, stderr := row.keptOf("steady")
		if n := times(string(again.Body), append(stdout, stderr...)); n < 2 {
			return fmt.Sprintf("%s: %d of 2 lines %d", row.strategy, n, again.Seq)
		}
		return ""
	})
	require.NoError(t, steady.Stop(ctx, 10*time.Second))

	step("all is to arrive")
	for _, c := range []*dockerd.Container{steady, restarted} {
		r.compare(c)
	}
	r.await("all", "burst", "rotation", "tty-lines", "local", "long", "removed")
	r.until("the end of every log", func(row *row) string { // nothing is read again after that
		if n := row.metric("captures"); n > 0 {
			return fmt.Sprintf("%s: %d captures", row.strategy, n)
		}
		return ""
	})
	step("shutdown")
	r.each(func(row *row) {
		row.stop()
		r.record(row, steady, restarted)
		row.judge(t, r)
	})
	for _, c := range []*dockerd.Container{steady, restarted} { // nothing came twice
		r.compare(c)
	}
}

// conformanceRun is one run of all rows against one engine.
type conformanceRun struct {
	t       *testing.T
	ctx     context.Context
	engine  *dockerd.Engine
	rows    []*row
	options map[string]loggen.Options // by container
}

func (r *conformanceRun) each(f func(*row)) {
	for _, row := range r.rows {
		f(row)
	}
}

// run starts a container that writes. Those that are restarted are compared with the
// engine's own log, the others with what they were told to write.
func (r *conformanceRun) run(name string, spec dockerd.ContainerSpec, o loggen.Options, sizes string) *dockerd.Container {
	r.t.Helper()
	o.Source = name
	require.NoError(r.t, o.Sizes.Set(sizes))
	require.NoError(r.t, o.Validate())
	r.options[name] = o
	for _, row := range r.rows {
		switch {
		case name == "steady" || name == "restarted":
			row.keep(name)
		case !brief(name):
			row.expect(o)
		}
	}
	c, err := r.engine.Run(r.ctx, logstest.Loggen(o, spec))
	require.NoError(r.t, err)
	return c
}

// held returns the lines of a container that the engine holds.
func (r *conformanceRun) held(c *dockerd.Container) (stdout, stderr []string) {
	r.t.Helper()
	body, err := r.engine.Client().ContainerLogs(r.ctx, c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	require.NoError(r.t, err)
	defer body.Close()
	var out, errs bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &errs, body)
	require.NoError(r.t, err)
	return linesOf(out.String()), linesOf(errs.String())
}

// holds waits until the engine holds so many bytes of lines on stdout, whoever has read them.
func (r *conformanceRun) holds(c *dockerd.Container, n int) {
	r.t.Helper()
	logstest.Eventually(r.t, fmt.Sprintf("%d bytes in the log of %s", n, c.Name), func() bool {
		stdout, _ := r.held(c)
		return sizeOf(stdout) >= n
	})
}

// await waits until every row has as many lines of the containers as were written.
func (r *conformanceRun) await(what string, names ...string) {
	r.t.Helper()
	r.until(what, func(row *row) string {
		for _, name := range names {
			if have, want := row.Count(name), int(r.options[name].Lines); have < want {
				return fmt.Sprintf("%s: %s: %d of %d", row.strategy, name, have, want)
			}
		}
		return ""
	})
}

// flows waits until every row has got n more lines of a container.
func (r *conformanceRun) flows(name string, n int) {
	r.t.Helper()
	want := make(map[*row]int)
	r.each(func(row *row) { want[row] = row.Count(name) + n })
	r.until(fmt.Sprintf("%d lines of %s", n, name), func(row *row) string {
		if have := row.Count(name); have < want[row] {
			return fmt.Sprintf("%s: %d of %d", row.strategy, have, want[row])
		}
		return ""
	})
}

// calls has every row's pipeline behave in another way, and waits until it has been called
// n times since.
func (r *conformanceRun) calls(n int, behave func(*row)) {
	r.t.Helper()
	want := make(map[*row]int)
	r.each(func(row *row) {
		behave(row)
		want[row] = row.Calls() + n
	})
	r.until(fmt.Sprintf("%d calls of the pipeline", n), func(row *row) string {
		if have := row.Calls(); have < want[row] {
			return fmt.Sprintf("%s: %d of %d", row.strategy, have, want[row])
		}
		return ""
	})
}

// until waits until nothing is missing in any row.
func (r *conformanceRun) until(what string, missing func(*row) string) {
	r.t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		lacking := ""
		for _, row := range r.rows {
			if lacking == "" {
				lacking = missing(row)
			}
		}
		switch {
		case lacking == "":
			return
		case time.Since(began) > logstest.Patience:
			r.each(func(row *row) { r.t.Logf("%s: %v", row.strategy, row.warnings.All()) })
			r.t.Fatalf("waited in vain for %s: %s", what, lacking)
		}
	}
}

// compare waits for a container that has ended to be read and compares what every row
// has of it with the engine's log, line by line.
func (r *conformanceRun) compare(c *dockerd.Container) {
	r.t.Helper()
	wantOut, wantErr := r.held(c)
	joined := strings.Join(wantOut, "") // a run that ended in mid-line has no line end there
	r.until(c.Name, func(row *row) string {
		haveOut, haveErr := row.keptOf(c.Name)
		if have := sizeOf(haveOut); have < len(joined) {
			return fmt.Sprintf("%s: %d of %d bytes", row.strategy, have, len(joined))
		}
		if len(haveErr) < len(wantErr) {
			return fmt.Sprintf("%s: %d of %d lines on stderr", row.strategy, len(haveErr), len(wantErr))
		}
		return ""
	})
	r.each(func(row *row) {
		haveOut, haveErr := row.keptOf(c.Name)
		assert.True(r.t, makeUp(haveOut, joined), "%s: stdout of %s", row.strategy, c.Name)
		assert.True(r.t, slices.Equal(wantErr, haveErr), "%s: stderr of %s", row.strategy, c.Name)
	})
}

func linesOf(text string) []string {
	if text = strings.TrimSuffix(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// sizeOf returns how many bytes lines have.
func sizeOf(lines []string) (n int) {
	for _, line := range lines {
		n += len(line)
	}
	return n
}

// makeUp reports whether lines, one after the other, make up text.
func makeUp(lines []string, text string) bool {
	for _, line := range lines {
		rest, ok := strings.CutPrefix(text, line)
		if !ok {
			return false
		}
		text = rest
	}
	return text == ""
}

// times counts how often a line is among lines.
func times(line string, lines []string) (n int) {
	for _, l := range lines {
		if l == line {
			n++
		}
	}
	return n
}
