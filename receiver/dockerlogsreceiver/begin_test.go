// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// slow makes every request take so long, so that a container may be gone before the second.
func (f *fixture) slow(latency time.Duration) {
	f.engine.SetLatency(func(enginetest.Request) time.Duration { return latency })
}

// A container whose life is as long as two requests to the engine take is captured whole by a
// strategy that follows: the first request opens its log.
func TestShortContainerIsReadBeforeItIsInspected(t *testing.T) {
	for _, tty := range []bool{false, true} {
		for _, strategy := range []Strategy{StrategyStreaming, StrategyShortLived, StrategyAdaptive} {
			t.Run(fmt.Sprintf("%s/tty=%v", strategy, tty), func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					f.cfg.Strategy = strategy
					f.cfg.ContainerLabels = map[string]string{"team": "", "name": ""}
					f.start()
					f.slow(10 * time.Millisecond)
					c := f.engine.Add(enginetest.ContainerSpec{
						Name: "job", Running: true, AutoRemove: true, TTY: tty,
						Labels: map[string]string{"team": "blue", "com.docker.compose.service": "batch"},
					})
					f.pass(11 * time.Millisecond)
					write(c, 1, 3)
					f.pass(2 * time.Millisecond)
					c.Exit(0)
					f.expectLines(1, 3)
					f.pass(time.Minute)
					assert.Zero(t, f.metric("gaps"))
					assert.Zero(t, f.metric("captures"))
					// What the event said: there was no inspection that it survived.
					assert.Equal(t, map[string]any{
						"container.id": c.ID(), "container.name": "job", "container.image.name": "busybox",
						"container.image.tags": []any{"1.36"}, "container.runtime.name": "docker", "host.name": "enginetest",
						"service.name": "batch", "container.label.team": "blue",
					}, f.sink.All()[0].Resource)
				}, enginetest.Docker29())
			})
		}
	}
}

// What has begun like that is inspected all the same: at its first line, and where it has none.
func TestContainerIsInspectedAfterItsLogIsOpen(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		c := f.container("web")
		f.following(1)
		assert.Equal(t, 1, f.requests(enginetest.KindLogs), "one request opens the log")
		write(c, 1, 1)
		f.expectLines(1, 1)
		assert.Equal(t, 1, f.requests(enginetest.KindInspect))
		assert.NotEmpty(t, f.sink.All()[0].Resource["container.image.id"])
		f.container("silent")
		f.pass(10 * time.Minute)
		f.following(2)
		assert.GreaterOrEqual(t, f.requests(enginetest.KindInspect), 2)
	}, enginetest.Docker29())
}

// Engine 20.10 cannot remove a container whose log is opened at the wrong moment.
func TestOldEngineIsAskedFirst(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		f.slow(time.Second)
		f.container("web")
		f.pass(time.Second / 2)
		assert.Equal(t, 1, f.requests(enginetest.KindInspect))
		assert.Zero(t, f.requests(enginetest.KindLogs))
	})
}

// Once the log of a container with --rm has been followed to its end, the engine is left alone
// with its removal.
func TestLogIsNotOpenedDuringRemoval(t *testing.T) {
	for _, option := range []enginetest.Option{enginetest.Docker20(), enginetest.Docker29()} {
		inBubble(t, func(f *fixture) {
			f.start()
			c := f.engine.Add(enginetest.ContainerSpec{Name: "job", Running: true, AutoRemove: true})
			write(c, 1, 3)
			f.expectLines(1, 3)
			f.following(1)
			opened := f.requests(enginetest.KindLogs)
			c.Die(0)
			f.pass(time.Second)
			assert.Equal(t, opened, f.requests(enginetest.KindLogs))
			c.Remove()
			f.pass(time.Minute)
			assert.Zero(t, f.metric("gaps"))
			f.expectLines(1, 3)
		}, option)
	}
}

// TestChurn has 2,000 containers come and go, fewer with strategies other than the default, in
// virtual time, with requests that take as long as some of them live.
func TestChurn(t *testing.T) {
	const lines, atATime = 20, 4
	for _, strategy := range allStrategies {
		containers := 200
		if strategy == StrategyAdaptive {
			containers = 2_000
		}
		t.Run(string(strategy), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				stored := f.stored()
				f.start()
				f.slow(5 * time.Millisecond)
				for i := range containers / atATime {
					var jobs []*enginetest.Container
					for j := range atATime {
						jobs = append(jobs, f.engine.Add(enginetest.ContainerSpec{Name: fmt.Sprint("job-", i, "-", j), Running: true, AutoRemove: true}))
					}
					for j, c := range jobs {
						f.pass(time.Duration(1+(i+j)%6) * time.Millisecond)
						write(c, 1, lines)
						f.pass(time.Millisecond)
						c.Exit(0)
					}
				}
				f.pass(time.Minute)
				lost := 0
				for i := range containers / atATime {
					for j := range atATime {
						if f.sink.Count(fmt.Sprint("job-", i, "-", j)) < lines {
							lost++
						}
					}
				}
				t.Logf("%d of %d containers lack lines, %d gaps", lost, containers, f.metric("gaps", "removed"))
				assert.LessOrEqual(t, int64(lost), f.metric("gaps", "removed"))
				assert.Empty(t, f.r.owner.known)
				assert.Zero(t, f.metric("captures"))
				assert.Less(t, f.series(), 100, "metric series, which are not of containers")
				assert.Zero(t, f.engine.OpenFollows())
				assert.Len(t, stored.data, 2, "the index is stored, and when it was made")
			}, enginetest.Docker29())
		})
	}
}

// series counts the data points of all metrics.
func (f *fixture) series() (n int) {
	var all metricdata.ResourceMetrics
	if err := f.tel.Reader.Collect(f.t.Context(), &all); err != nil {
		f.t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, metric := range scope.Metrics {
			if sum, ok := metric.Data.(metricdata.Sum[int64]); ok {
				n += len(sum.DataPoints)
			}
		}
	}
	return n
}

// Events that come late, of a container that has been found to be gone, do not make it a new
// one: the same gap would be told twice. A run that nobody has read of is told.
func TestLateEventsOfARemovedContainer(t *testing.T) {
	for strategy, gaps := range map[Strategy][2]int64{
		StrategyPolling:   {1, 1}, // what it wrote last may be missing
		StrategyStreaming: {0, 1}, // read to the end, and then it was started again
	} {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				c := f.container("web")
				f.start()
				write(c, 1, 3)
				f.expectLines(1, 3)
				f.engine.DropEvents(true)
				c.Exit(0)
				c.Remove()
				f.pass(listInterval / 2)
				assert.Equal(t, gaps[0], f.metric("gaps", "removed"))
				of := engine.Summary{ID: c.ID(), Name: "web"}
				for _, event := range []engine.Event{
					{Container: of, Action: engine.ActionDie},
					{Container: of, Action: engine.ActionStart},
					{Container: of, Action: engine.ActionDie},
					{Container: of, Action: engine.ActionDestroy},
				} {
					f.r.owner.events <- event
					f.settle()
				}
				f.pass(2 * listInterval)
				assert.Equal(t, gaps[1], f.metric("gaps", "removed"))
				assert.Empty(t, f.r.owner.known)
			})
		})
	}
}
