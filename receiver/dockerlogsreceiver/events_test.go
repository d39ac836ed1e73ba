// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// told are the names of the events of a container that became records, in order.
func (f *fixture) told(container string) (list []string) {
	for _, rec := range f.sink.All() {
		if name, ok := strings.CutPrefix(rec.EventName, "docker.container."); ok && rec.Container() == container {
			list = append(list, name)
		}
	}
	return list
}

// TestEvents holds what becomes a record, with what it says, and that a container's end stands
// behind its last lines.
func TestEvents(t *testing.T) {
	for _, strategy := range allStrategies {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				f.cfg.Events.Enabled = true
				f.cfg.EnvVars = map[string]string{"APP_VERSION": "service.version"}
				f.start()
				c := f.engine.Add(enginetest.ContainerSpec{Name: "web", Running: true, Env: []string{"APP_VERSION=1.2"}})
				write(c, 1, 5)
				f.pass(time.Minute)
				c.Health("unhealthy")
				f.pass(time.Minute)
				c.Health("healthy")
				f.pass(time.Minute)
				write(c, 6, 10)
				c.Exit(3)
				f.pass(time.Minute)
				c.Start()
				f.pass(time.Minute)
				write(c, 11, 15)
				c.RunOutOfMemory()
				f.pass(time.Minute)
				c.Start()
				f.pass(time.Minute)
				c.Restart()
				f.pass(time.Minute)
				write(c, 16, 20)
				c.Stop(0)
				f.pass(time.Minute)
				c.Remove()
				f.pass(time.Minute)

				want := []struct {
					name, body string
					severity   plog.SeverityNumber
					attributes map[string]any
				}{
					{"start", "the container was started", plog.SeverityNumberInfo, map[string]any{}},
					{"health_status", "the container is unhealthy", plog.SeverityNumberWarn, map[string]any{"docker.container.health_status": "unhealthy"}},
					{"health_status", "the container is healthy", plog.SeverityNumberInfo, map[string]any{"docker.container.health_status": "healthy"}},
					{"die", "the container ended with exit code 3, having run for 3m0s", plog.SeverityNumberError, map[string]any{
						"process.exit.code": int64(3), "docker.container.exec_duration": 180.0,
					}},
					{"start", "the container was started", plog.SeverityNumberInfo, map[string]any{}},
					{"oom", "the container ran out of memory", plog.SeverityNumberError, map[string]any{}},
					{"die", "the container ended with exit code 137, as after SIGKILL, having run for 1m0s", plog.SeverityNumberError, map[string]any{
						"process.exit.code": int64(137), "docker.container.signal": "SIGKILL", "docker.container.exec_duration": 60.0,
					}},
					{"start", "the container was started", plog.SeverityNumberInfo, map[string]any{}},
					{"kill", "a signal was sent to the container: SIGTERM", plog.SeverityNumberInfo, map[string]any{"docker.container.signal": "SIGTERM"}},
					{"die", "the container ended with exit code 0, having run for 1m0s", plog.SeverityNumberInfo, map[string]any{
						"process.exit.code": int64(0), "docker.container.exec_duration": 60.0,
					}},
					{"start", "the container was started", plog.SeverityNumberInfo, map[string]any{}},
					{"restart", "the container was restarted", plog.SeverityNumberInfo, map[string]any{}},
					{"kill", "a signal was sent to the container: SIGTERM", plog.SeverityNumberInfo, map[string]any{"docker.container.signal": "SIGTERM"}},
					{"die", "the container ended with exit code 0, having run for 1m0s", plog.SeverityNumberInfo, map[string]any{
						"process.exit.code": int64(0), "docker.container.exec_duration": 60.0,
					}},
				}
				all := f.sink.All()
				var got []logstest.Record
				for _, rec := range all {
					if rec.EventName != "" {
						got = append(got, rec)
						assert.Equal(t, all[0].Resource, rec.Resource, rec.EventName)
						assert.Equal(t, "1.2", rec.Resource["service.version"])
						assert.Len(t, rec.UID, 32)
						delete(rec.Attributes, "log.record.uid")
					}
				}
				require.Len(t, got, len(want), "%v", f.told("web"))
				for i, w := range want {
					assert.Equal(t, "docker.container."+w.name, got[i].EventName)
					assert.Equal(t, w.body, got[i].Body)
					assert.Equal(t, w.severity, got[i].Severity)
					assert.Equal(t, w.attributes, got[i].Attributes)
				}
				// Each end stands right behind the last line of its run.
				for body, last := range map[string]string{"with exit code 3,": "line 10", "SIGKILL": "line 15"} {
					i := slices.IndexFunc(all, func(rec logstest.Record) bool { return strings.Contains(rec.Body, body) })
					require.Positive(t, i)
					for all[i-1].EventName != "" { // oom
						i--
					}
					assert.Equal(t, last, all[i-1].Body)
				}
				assert.EqualValues(t, len(want), f.metric("events"))
				assert.EqualValues(t, 4, f.metric("events", "action=die"))
				assert.EqualValues(t, 20, f.metric("records"), "events are no lines")
			}, enginetest.Docker29())
		})
	}
}

// TestEventsAreOff holds that nothing is told that was not asked for.
func TestEventsAreOff(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		c.Health("unhealthy")
		c.RunOutOfMemory()
		f.pass(time.Minute)
		assert.Empty(t, f.sink.All())
		assert.Len(t, f.requestsOf(enginetest.KindEvents), 1)
	})
}

// TestEventsOfTheSelected holds that containers that are not selected tell nothing.
func TestEventsOfTheSelected(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Events.Enabled = true
		f.cfg.Exclude = []Match{{Name: "quiet"}}
		f.start()
		for _, name := range []string{"quiet", "web"} {
			c := f.container(name)
			f.pass(time.Second)
			c.Health("unhealthy")
			c.Kill()
			f.pass(time.Second)
			c.Remove()
		}
		f.pass(time.Minute)
		assert.Equal(t, []string{"start", "health_status", "kill", "die"}, f.told("web"))
		assert.Empty(t, f.told("quiet"))
	})
}

// TestEventsAreToldOnce holds that neither a new connection nor another start of the receiver
// tells again what has been told, and that the position is not moved by what is.
func TestEventsAreToldOnce(t *testing.T) {
	eachWay(t, func(tr *trial, m *memory) {
		tr.cfg.Events.Enabled = true
		c := tr.container("web")
		tr.start()
		tr.write(c, stdout, 3)
		tr.pass(time.Minute)
		position := m.get(keyPosition + c.ID())
		require.NotEmpty(tr.t, position)
		c.Health("unhealthy")
		tr.pass(time.Minute)
		assert.Equal(tr.t, position, m.get(keyPosition+c.ID()))
		tr.engine.CutEvents()
		tr.pass(time.Minute)
		c.Health("healthy")
		tr.pass(time.Minute)
		c.Exit(0)
		tr.pass(time.Minute)
		want := []string{"health_status", "health_status", "die"}
		assert.Equal(tr.t, want, tr.told("web"))
		tr.halt()
		tr.pass(time.Minute)
		tr.start()
		tr.pass(5 * time.Minute)
		assert.Equal(tr.t, want, tr.told("web"))
		assert.Equal(tr.t, 6, tr.sink.Count(""))
	})
}

// TestEventsOfContainersThatAreGone holds that the end of a container which is removed at once
// is told, with the same resource as its lines.
func TestEventsOfContainersThatAreGone(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Events.Enabled = true
		f.start()
		for i := range 20 {
			c := f.engine.Add(enginetest.ContainerSpec{Name: fmt.Sprint("job-", i), Running: true, AutoRemove: true})
			if i%2 == 0 {
				f.settle() // else it is gone before it is seen
			}
			write(c, 1, 3)
			c.Exit(1)
		}
		f.pass(time.Minute)
		for i := range 20 {
			name := fmt.Sprint("job-", i)
			assert.Equal(t, []string{"start", "die"}, f.told(name))
			for _, rec := range f.sink.All() {
				if rec.Container() == name {
					assert.Equal(t, name, rec.Resource["service.name"])
				}
			}
		}
	})
}

// TestEventsDoNotWaitForThePipeline holds that the owner goes on while the pipeline accepts
// nothing, that what is held is bounded, and that it comes when the pipeline goes on.
func TestEventsDoNotWaitForThePipeline(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Events.Enabled = true
		f.cfg.Batch.MaxBytes = minBufferSize
		c := f.followed()
		f.sink.Hold(false)
		const events = 5000
		for i := range events {
			c.Health([]string{"healthy", "unhealthy"}[i%2])
			f.pass(time.Millisecond)
		}
		dropped := f.metric("dropped_events")
		other := f.container("other") // is seen at once
		f.settle()
		assert.Equal(t, 2, f.engine.OpenFollows())
		assert.Positive(t, dropped)
		assert.Less(t, f.metric("buffered_bytes"), int64(eventRoomSize+1))
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "an event of a container is dropped"))
		f.sink.Open()
		f.pass(time.Minute)
		assert.Len(t, f.told("web"), events-int(dropped))
		write(other, 1, 1)
		f.pass(time.Minute)
		assert.Equal(t, int64(events+1)-f.metric("dropped_events"), f.metric("events"), "with the start of the other")
	})
}

// TestEventsComeBesideABacklog holds that an event needs no luck to get into the outbox while
// captures wait for room in it: the pipeline accepts all the time.
func TestEventsComeBesideABacklog(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy, f.cfg.StartAt = StrategyPolling, StartAtBeginning
		f.cfg.Events.Enabled = true
		f.cfg.Batch.MaxBytes = minBufferSize
		f.sink.Slow(200 * time.Millisecond)
		const busy, lines = 12, 4000
		for i := range busy {
			f.container(fmt.Sprint("busy-", i)).Write(stdout, strings.Repeat(strings.Repeat("x", 200)+"\n", lines))
		}
		web := f.container("web")
		f.start()
		f.pass(10 * time.Second)
		const events = 1200
		for i := range events {
			web.Health([]string{"healthy", "unhealthy"}[i%2])
			f.pass(10 * time.Millisecond)
		}
		assert.Less(t, f.sink.Count(""), busy*lines, "the backlog is not over")
		f.pass(2 * time.Second)
		assert.Len(t, f.told("web"), events)
		assert.Zero(t, f.metric("dropped_events"))
	})
}

// TestEndIsToldBehindJoinedLines holds that a container's end waits for its last record also
// where lines are joined, so that the record leaves later than its lines are read.
func TestEndIsToldBehindJoinedLines(t *testing.T) {
	for _, strategy := range allStrategies {
		for name, rate := range map[string]float64{"at once": 0, "rate limit": 0.25} {
			t.Run(string(strategy)+", "+name, func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					f.cfg.Strategy = strategy
					f.cfg.Events.Enabled = true
					f.cfg.Multiline.LineStartPattern = "^line"
					f.cfg.RateLimit.RecordsPerSecond = rate
					f.start()
					c := f.container("web")
					f.pass(time.Minute)
					f.engine.SetLatency(func(r enginetest.Request) time.Duration {
						if r.Kind == enginetest.KindInspect {
							return 200 * time.Millisecond
						}
						return 20 * time.Millisecond
					})
					write(c, 1, 2)
					c.Exit(0)
					f.pass(time.Minute)
					var got []string
					for _, rec := range f.sink.All() {
						got = append(got, cmp.Or(rec.EventName, rec.Body))
					}
					assert.Equal(t, []string{"docker.container.start", "line 1", "line 2", "docker.container.die"}, got)
				})
			})
		}
	}
}

// TestEventsAtTheEnd holds that what has come when the receiver stops goes out.
func TestEventsAtTheEnd(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Events.Enabled = true
		f.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 1, Burst: 1}
		c := f.followed()
		write(c, 1, 100)
		f.pass(time.Second)
		c.Exit(3)
		f.pass(time.Second)
		assert.Empty(t, f.told("web"), "it waits for the lines before it")
		f.pass(maxEventHold)
		assert.Equal(t, []string{"die"}, f.told("web"), "but not for long")
		c.Start()
		c.Exit(4)
		f.settle()
		f.stop()
		assert.Equal(t, []string{"die", "start", "die"}, f.told("web"))
	})
}

// TestNoteOf holds what engines leave out, or have in other words.
func TestNoteOf(t *testing.T) {
	of := func(event engine.Event) string {
		event.Container.ID, event.Time = "id", time.Unix(1, 2)
		note, ok := noteOf(event)
		if !ok {
			return ""
		}
		return fmt.Sprint(note.Severity, ": ", note.Body)
	}
	assert.Equal(t, "Info: the container ended", of(engine.Event{Action: engine.ActionDie}))
	assert.Equal(t, "Error: the container ended with exit code 255", of(engine.Event{Action: engine.ActionDie, ExitCode: "255"}))
	assert.Equal(t, "Error: the container ended with exit code 128", of(engine.Event{Action: engine.ActionDie, ExitCode: "128"}))
	assert.Equal(t, "Info: a signal was sent to the container", of(engine.Event{Action: engine.ActionKill}))
	assert.Equal(t, "Info: a signal was sent to the container: SIGHUP", of(engine.Event{Action: engine.ActionKill, Signal: "SIGHUP"}))
	assert.Equal(t, "Info: a signal was sent to the container: 40", of(engine.Event{Action: engine.ActionKill, Signal: "40"}))
	assert.Empty(t, of(engine.Event{Action: "rename"}))
	assert.Empty(t, of(engine.Event{Action: "destroy"}))
}
