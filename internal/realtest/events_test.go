// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealEvents holds what an engine tells of containers that end, are killed, run out of
// memory and have a health check, and that an end stands behind the last line.
func TestRealEvents(t *testing.T) {
	e := logstest.Engine(t)
	sink := &logstest.Sink{}
	r := startWith(t, e.Host(), func(cfg *dockerlogsreceiver.Config) { cfg.Events.Enabled = true }, sink)
	logstest.Eventually(t, "events are subscribed to", func() bool { return r.metric("engine_requests", "endpoint=events", "outcome=ok") > 0 })

	eventsOf := func(name string) (list []logstest.Record) {
		for _, rec := range sink.All() {
			if rec.Container() == name && rec.EventName != "" {
				list = append(list, rec)
			}
		}
		return list
	}
	told := func(name string) (names []string) {
		for _, rec := range eventsOf(name) {
			names = append(names, strings.TrimPrefix(rec.EventName, "docker.container."))
		}
		return names
	}
	run := func(t *testing.T, o loggen.Options, spec dockerd.ContainerSpec) *dockerd.Container {
		c, err := e.Run(t.Context(), logstest.Loggen(o, spec))
		require.NoError(t, err)
		return c
	}
	ended := func(t *testing.T, name string) logstest.Record {
		logstest.Eventually(t, name+" has ended", func() bool { return slices.Contains(told(name), "die") })
		list := eventsOf(name)
		return list[slices.IndexFunc(list, func(rec logstest.Record) bool { return strings.HasSuffix(rec.EventName, ".die") })]
	}

	t.Run("exit code", func(t *testing.T) {
		run(t, loggen.Options{Source: "failed", Lines: 500, ExitCode: 3}, dockerd.ContainerSpec{})
		die := ended(t, "failed")
		assert.Equal(t, []string{"start", "die"}, told("failed"))
		assert.EqualValues(t, 3, die.Attributes["process.exit.code"])
		assert.Equal(t, plog.SeverityNumberError, die.Severity)
		assert.WithinDuration(t, time.Now(), die.Time, time.Minute)
		all := slices.DeleteFunc(sink.All(), func(rec logstest.Record) bool { return rec.Container() != "failed" })
		assert.Equal(t, die.UID, all[len(all)-1].UID, "behind the last line")
		assert.Len(t, all, 502)
		for _, rec := range all {
			assert.Equal(t, all[len(all)-1].Resource, rec.Resource)
		}
	})
	t.Run("stop", func(t *testing.T) {
		c := run(t, loggen.Options{Source: "stopped", Lines: 1, UntilSignal: true}, dockerd.ContainerSpec{})
		sink.Await(t, "stopped", 1)
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		die := ended(t, "stopped")
		assert.Equal(t, plog.SeverityNumberInfo, die.Severity)
		require.Equal(t, []string{"start", "kill", "die"}, told("stopped"))
		assert.Equal(t, "SIGTERM", eventsOf("stopped")[1].Attributes["docker.container.signal"])
	})
	t.Run("kill", func(t *testing.T) {
		c := run(t, loggen.Options{Source: "killed", Lines: 1, UntilSignal: true}, dockerd.ContainerSpec{AutoRemove: true})
		sink.Await(t, "killed", 1)
		require.NoError(t, c.Kill(t.Context()))
		die := ended(t, "killed")
		assert.Equal(t, []string{"start", "kill", "die"}, told("killed"))
		assert.EqualValues(t, 137, die.Attributes["process.exit.code"])
		assert.Equal(t, "SIGKILL", die.Attributes["docker.container.signal"])
	})
	t.Run("health", func(t *testing.T) {
		check := func(exit int) []string {
			return []string{"/loggen", "--source", "check", "--lines", "1", "--exit-code", strconv.Itoa(exit)}
		}
		for name, exit := range map[string]int{"healthy": 0, "unhealthy": 1} {
			c := run(t, loggen.Options{Source: name, UntilSignal: true, Lines: 1}, dockerd.ContainerSpec{HealthCheck: check(exit)})
			logstest.Eventually(t, "a health check", func() bool { return slices.Contains(told(name), "health_status") })
			require.NoError(t, c.Stop(t.Context(), 10*time.Second))
			ended(t, name)
			require.Equal(t, []string{"start", "health_status", "kill", "die"}, told(name))
			rec := eventsOf(name)[1]
			assert.Equal(t, name, rec.Attributes["docker.container.health_status"])
			assert.Equal(t, map[string]plog.SeverityNumber{"healthy": plog.SeverityNumberInfo, "unhealthy": plog.SeverityNumberWarn}[name], rec.Severity)
		}
	})
	t.Run("out of memory", func(t *testing.T) {
		c, err := e.Run(t.Context(), logstest.Loggen(loggen.Options{Source: "greedy", Lines: 1, Sizes: between(256<<20, 256<<20)},
			dockerd.ContainerSpec{Memory: 16 << 20}))
		if err != nil {
			t.Skip("this engine cannot limit memory: ", err)
		}
		code, err := c.Wait(t.Context())
		require.NoError(t, err)
		if code != 137 {
			t.Skip("this engine did not heed the limit of memory, exit code ", code)
		}
		die := ended(t, "greedy")
		assert.Equal(t, "SIGKILL", die.Attributes["docker.container.signal"])
		if !engineTold(t, e, c.ID, events.ActionOOM) {
			t.Skip("this engine told nothing of it, as the container ended too soon")
		}
		logstest.Eventually(t, "the event", func() bool { return slices.Contains(told("greedy"), "oom") })
		list := eventsOf("greedy")
		i := slices.IndexFunc(list, func(rec logstest.Record) bool { return strings.HasSuffix(rec.EventName, ".oom") })
		assert.Equal(t, plog.SeverityNumberError, list[i].Severity)
	})
}

// engineTold reports whether the engine remembers an event of the container.
func engineTold(t *testing.T, e *dockerd.Engine, id string, action events.Action) bool {
	t.Helper()
	past, err := e.PastEvents(t.Context(), events.ListOptions{
		Since: "0", Until: strconv.FormatInt(time.Now().Unix()+1, 10),
		Filters: filters.NewArgs(filters.Arg("container", id), filters.Arg("event", string(action))),
	})
	require.NoError(t, err)
	return len(past) > 0
}

// TestRealPodmanEvents holds what Podman tells, in words of its own.
func TestRealPodmanEvents(t *testing.T) {
	p := startPodman(t)
	sink := &logstest.Sink{}
	startWith(t, p.host, func(cfg *dockerlogsreceiver.Config) { cfg.Events.Enabled = true }, sink)
	eventsOf := func(name string) (list []logstest.Record) {
		for _, rec := range sink.All() {
			if rec.Container() == name && rec.EventName != "" {
				list = append(list, rec)
			}
		}
		return list
	}
	// Podman grants a subscription with the first event.
	first := loggen.Options{Source: "first", Lines: 1, UntilSignal: true}
	p.start("first", "/loggen", first.Args()...)
	sink.Await(t, "first", 1)
	failed := loggen.Options{Source: "failed", Lines: 50, ExitCode: 3}
	p.start("failed", "/loggen", failed.Args()...)
	killed := loggen.Options{Source: "killed", Lines: 1, UntilSignal: true}
	p.start("killed", "/loggen", killed.Args()...)
	sink.Await(t, "killed", 1)
	p.run("kill", "killed")
	for _, name := range []string{"failed", "killed"} {
		logstest.Eventually(t, name+" has ended", func() bool {
			list := eventsOf(name)
			return len(list) > 0 && list[len(list)-1].EventName == "docker.container.die"
		})
	}
	die := eventsOf("failed")[len(eventsOf("failed"))-1]
	assert.EqualValues(t, 3, die.Attributes["process.exit.code"])
	assert.Equal(t, plog.SeverityNumberError, die.Severity)
	for name, want := range map[string][]string{"failed": {"start", "die"}, "killed": {"start", "kill", "die"}} {
		var got []string
		for _, rec := range eventsOf(name) {
			got = append(got, strings.TrimPrefix(rec.EventName, "docker.container."))
		}
		assert.Equal(t, want, got)
	}
}
