// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

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
)

// TestRealConformance puts all strategies through the scenarios of the conformance
// suite that a real engine can be made to produce, side by side on one engine.
func TestRealConformance(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	e := dockerd.Require(t)
	if !e.Private() {
		t.Skip("the engine is stopped and restarted, and this one is not ours")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	binary := dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/cmd/loggen")
	require.NoError(t, e.Import(ctx, "loggen:conf", map[string]string{"/loggen": binary}, dockerd.ImageOptions{Entrypoint: []string{"/loggen"}}))
	r := &confRun{t: t, ctx: ctx, engine: e}
	for _, strategy := range allStrategies {
		r.rows = append(r.rows, newConfRow(t, e, strategy))
	}

	began := time.Now()
	step := func(name string) { t.Logf("%5.1fs %s", time.Since(began).Seconds(), name) }
	// Written from the first to the last, through everything that happens.
	steady := r.run("steady", dockerd.ContainerSpec{}, loggen.Options{Rate: 200, StderrShare: 0.3, Payload: loggen.UTF8, PartialEvery: 50}, "120:95,20000:4,100000:1")

	step("burst, rotation, terminal, driver local, long lines")
	rotating := map[string]string{"max-size": "1m", "max-file": "10"}
	r.run("burst", dockerd.ContainerSpec{}, loggen.Options{Lines: 9000, BurstSize: 3000, BurstEvery: time.Second}, "120")
	r.run("rotation", dockerd.ContainerSpec{LogOpts: rotating}, loggen.Options{Lines: 16000, Rate: 2000, StderrShare: 0.1}, "80-200")
	r.run("terminal", dockerd.ContainerSpec{TTY: true}, loggen.Options{Lines: 400, Rate: 100}, "120:90,40000:10")
	r.run("local", dockerd.ContainerSpec{LogDriver: "local"}, loggen.Options{Lines: 2000, Rate: 500, StderrShare: 0.3}, "120")
	r.run("long", dockerd.ContainerSpec{}, loggen.Options{Lines: 400, Rate: 100, StderrShare: 0.5, PartialEvery: 3}, "20000:8,70000:2")
	gone := r.run("removed", dockerd.ContainerSpec{}, loggen.Options{Lines: 500, Rate: 500, UntilSignal: true}, "120")
	restarted := r.run("restarted", dockerd.ContainerSpec{}, loggen.Options{Lines: 20, NoFinalNewline: true, UntilSignal: true}, "200")
	for range 3 {
		time.Sleep(time.Second)
		require.NoError(t, restarted.Restart(ctx, 5*time.Second))
	}
	for i := range 5 {
		r.run(fmt.Sprint("short-", i), dockerd.ContainerSpec{AutoRemove: true}, loggen.Options{Lines: 20, Linger: 50 * time.Millisecond}, "120")
	}
	r.await("all but the steady and the short", "burst", "rotation", "terminal", "local", "long", "removed")

	step("container removed")
	require.NoError(t, gone.Remove(ctx, true))
	step("connections cut")
	for range 4 {
		time.Sleep(1500 * time.Millisecond)
		r.each(func(row *confRow) { row.proxy.cut() })
	}
	step("engine paused")
	require.NoError(t, e.Pause())
	time.Sleep(4 * time.Second)
	require.NoError(t, e.Resume())
	step("pipeline refuses")
	r.each(func(row *confRow) { row.sink.behave(errors.New("full"), 0) })
	time.Sleep(4 * time.Second)
	step("pipeline slow")
	r.each(func(row *confRow) { row.sink.behave(nil, 200*time.Millisecond) })
	time.Sleep(4 * time.Second)
	r.each(func(row *confRow) { row.sink.behave(nil, 0) })
	step("engine restarted")
	require.NoError(t, e.Restart(ctx))
	require.NoError(t, steady.Start(ctx))
	time.Sleep(3 * time.Second)
	require.NoError(t, steady.Stop(ctx, 10*time.Second))

	step("all is to arrive")
	for _, c := range []*dockerd.Container{steady, restarted} {
		r.compare(c)
	}
	r.await("all", "burst", "rotation", "terminal", "local", "long", "removed")
	time.Sleep(3 * time.Second) // nothing is repeated either
	step("shutdown")
	r.each(func(row *confRow) {
		row.stop()
		row.judge()
	})
}

// confRun is one run of all rows against one engine.
type confRun struct {
	t       *testing.T
	ctx     context.Context
	engine  *dockerd.Engine
	rows    []*confRow
	options map[string]loggen.Options // by container
}

func (r *confRun) each(f func(*confRow)) {
	for _, row := range r.rows {
		f(row)
	}
}

// run starts a container that writes. Those that restart are compared with the engine's
// own log, the others with what they were told to write.
func (r *confRun) run(name string, spec dockerd.ContainerSpec, o loggen.Options, sizes string) *dockerd.Container {
	r.t.Helper()
	o.Source = name
	require.NoError(r.t, o.Sizes.Set(sizes))
	require.NoError(r.t, o.Validate())
	if r.options == nil {
		r.options = make(map[string]loggen.Options)
	}
	r.options[name] = o
	spec.Name, spec.Image, spec.Cmd = name, "loggen:conf", o.Args()
	for _, row := range r.rows {
		row.sink.expect(o, confExact(name), spec.TTY)
	}
	c, err := r.engine.Run(r.ctx, spec)
	require.NoError(r.t, err)
	return c
}

// confExact tells whether a container is compared with the engine's log.
func confExact(name string) bool { return name == "steady" || name == "restarted" }

// confShort tells whether a container may be gone before it can be read.
func confShort(name string) bool { return strings.HasPrefix(name, "short-") }

// await waits until every row has as many lines of the containers as were written.
func (r *confRun) await(what string, names ...string) {
	r.t.Helper()
	r.until(what, func(row *confRow) string {
		for _, name := range names {
			if have, want := row.sink.count(name), int(r.options[name].Lines); have < want {
				return fmt.Sprintf("%s: %s: %d of %d", row.strategy, name, have, want)
			}
		}
		return ""
	})
}

func (r *confRun) until(what string, missing func(*confRow) string) {
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
		case time.Since(began) > realPatience:
			r.each(func(row *confRow) { r.t.Logf("%s: %v", row.strategy, row.logs.All()) })
			r.t.Fatalf("waited in vain for %s: %s", what, lacking)
		}
	}
}

// compare waits for a container that has ended to be read and compares what every row
// has of it with the engine's log, line by line.
func (r *confRun) compare(c *dockerd.Container) {
	r.t.Helper()
	body, err := r.engine.Client().ContainerLogs(r.ctx, c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	require.NoError(r.t, err)
	defer body.Close()
	var out, errs bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &errs, body)
	require.NoError(r.t, err)
	stdout, stderr := confLines(out.String()), confLines(errs.String())
	joined := strings.Join(stdout, "")
	r.until(c.Name, func(row *confRow) string {
		// A run that ended in mid-line has no line end in the engine's log.
		if have := strings.Join(row.sink.lines(c.Name, "stdout"), ""); len(have) < len(joined) {
			return fmt.Sprintf("%s: %d of %d bytes", row.strategy, len(have), len(joined))
		}
		if have := row.sink.lines(c.Name, "stderr"); len(have) < len(stderr) {
			return fmt.Sprintf("%s: %d of %d lines on stderr", row.strategy, len(have), len(stderr))
		}
		return ""
	})
	r.each(func(row *confRow) {
		assert.True(r.t, joined == strings.Join(row.sink.lines(c.Name, "stdout"), ""), "%s: stdout of %s", row.strategy, c.Name)
		assert.True(r.t, slices.Equal(stderr, row.sink.lines(c.Name, "stderr")), "%s: stderr of %s", row.strategy, c.Name)
	})
}

func confLines(text string) []string {
	if text = strings.TrimSuffix(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
