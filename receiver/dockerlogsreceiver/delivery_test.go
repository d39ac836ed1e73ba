// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
)

var errRefused = errors.New("memory limit reached")

func TestRefusalHoldsTheBatch(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		write(c, 1, 3)
		f.expectLines(1, 3)
		f.sink.Refuse(errRefused)
		write(c, 4, 6)
		f.pass(30 * time.Minute)
		write(c, 7, 9)
		assert.Greater(t, f.sink.Calls(), 10)
		assert.Less(t, f.sink.Calls(), 400)
		f.sink.Refuse(nil)
		f.expectLines(1, 9)
		assert.Zero(t, f.metric("dropped_records"))
		f.following(1)
	})
}

// A follow that nobody reads makes the engine skip what it rotates away.
func TestRefusalClosesTheFollow(t *testing.T) {
	for name, stop := range map[string]func(*logstest.Sink){
		"refusing": func(s *logstest.Sink) { s.Refuse(errRefused) },
		"blocking": func(s *logstest.Sink) { s.Hold(false) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Batch.MaxBytes = 1 // one batch on its way, and no more
				c := f.followed()
				c.SetFaults(enginetest.Faults{SkipAtRotation: true})
				stop(f.sink)
				write(c, 1, 1)
				f.pass(source.StallGrace + time.Millisecond)
				assert.Equal(t, 1, f.engine.OpenFollows(), "there is nothing that it could not hand on")
				write(c, 2, 6)
				f.settle()
				assert.Equal(t, 1, f.engine.OpenFollows(), "a moment is nothing")
				f.pass(source.StallGrace + time.Millisecond)
				assert.Zero(t, f.engine.OpenFollows())
				write(c, 7, 1000)
				c.Rotate(1000)
				f.pass(time.Minute)
				f.sink.Refuse(nil)
				f.sink.Open()
				f.expectLines(1, 1000)
				f.following(1)
				assert.EqualValues(t, 1, f.metric("reopens", "stalled_pipeline"))
				assert.Zero(t, f.metric("gaps"))
			})
		})
	}
}

func TestRefusalOfAMomentLeavesTheFollowOpen(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.RetryOnFailure.InitialInterval = 100 * time.Millisecond
		f.cfg.RetryOnFailure.MaxInterval = 100 * time.Millisecond // so that it is offered again before the grace ends
		f.cfg.Batch.MaxBytes = 1
		c := f.followed()
		f.sink.Refuse(errRefused)
		write(c, 1, 2)
		f.settle()
		write(c, 3, 3)
		f.pass(source.StallGrace / 2)
		f.sink.Refuse(nil)
		f.expectLines(1, 3)
		assert.Zero(t, f.metric("reopens"))
	})
}

func TestPermanentErrorDropsTheBatch(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.sink.Refuse(consumererror.NewPermanent(errRefused))
		for i := range 3 {
			write(c, 3*i+1, 3*i+3)
			f.pass(time.Second)
		}
		f.sink.Refuse(nil)
		c.CutFollows()
		write(c, 10, 12)
		f.expectLines(10, 12)
		assert.EqualValues(t, 9, f.metric("dropped_records", "permanent"))
		assert.Equal(t, 1, f.logged(zap.ErrorLevel, "refused records for good"))
	})
}

// sized is a pipeline that keeps how large its largest call was, in bytes of OTLP.
type sized struct {
	consumer.Logs
	most atomic.Int64
}

func (s *sized) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	s.most.Store(max(s.most.Load(), int64(new(plog.ProtoMarshaler).LogsSize(data)))) // calls come one at a time
	return s.Logs.ConsumeLogs(ctx, data)
}

// A server of gRPC refuses calls beyond a limit, and an exporter drops them: what each container
// brings beside its lines is part of a call too.
func TestCallsAreNoLargerThanTheLimit(t *testing.T) {
	for _, strategy := range []Strategy{StrategyStreaming, StrategyHybrid} {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				const containers, lines = 50, 30
				f.cfg.Strategy, f.cfg.StartAt = strategy, StartAtBeginning
				f.cfg.Batch.MaxBytes = minBufferSize
				f.cfg.ContainerLabels = map[string]string{"note": "note"}
				pipeline := &sized{Logs: f.sink}
				f.r.next = pipeline
				for i := range containers {
					c := f.engine.Add(enginetest.ContainerSpec{
						Name: fmt.Sprint("c", i), Running: true, Labels: map[string]string{"note": strings.Repeat("n", 3000)},
					})
					write(c, 1, lines)
				}
				f.start()
				f.eventually("all lines", func() bool { return f.sink.Count("") == containers*lines })
				assert.LessOrEqual(t, pipeline.most.Load(), int64(f.cfg.Batch.MaxBytes))
				assert.Greater(t, pipeline.most.Load(), int64(f.cfg.Batch.MaxBytes)/2, "calls are filled")
			})
		})
	}
}

// choosy is a pipeline that refuses, for good, every call that has a record of one
// container.
type choosy struct {
	consumer.Logs
	refused atomic.Pointer[string]
	calls   atomic.Int64
}

func (c *choosy) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	c.calls.Add(1)
	for _, from := range data.ResourceLogs().All() {
		if name, _ := from.Resource().Attributes().Get("container.name"); name.Str() == *c.refused.Load() {
			return consumererror.NewPermanent(errors.New("an attribute is too long"))
		}
	}
	return c.Logs.ConsumeLogs(ctx, data)
}

// A permanent error is of one container: the records of the others beside it are delivered.
func TestPermanentErrorIsNarrowedDown(t *testing.T) {
	inBubble(t, func(f *fixture) {
		const containers = 33
		refused, none := "c7", ""
		pipeline := &choosy{Logs: f.sink}
		pipeline.refused.Store(&refused)
		f.r.next = pipeline
		m := f.stored()
		var list []*enginetest.Container
		for i := range containers {
			list = append(list, f.container(fmt.Sprint("c", i)))
		}
		f.start()
		f.following(containers)
		f.pass(time.Minute)
		write(list[0], 1, 1)
		f.expectLines(1, 1)
		for _, c := range list[1:] {
			write(c, 1, 3)
		}
		calls := pipeline.calls.Load()
		f.eventually("all but one", func() bool { return f.sink.Count("") == 1+3*(containers-2) })
		assert.LessOrEqual(t, pipeline.calls.Load()-calls, int64(20), "by halves")
		assert.EqualValues(t, 3, f.metric("dropped_records", "permanent"))
		require.Equal(t, 1, f.logged(zap.ErrorLevel, "refused records for good"))
		entry := f.logs.FilterMessageSnippet("refused records for good").All()[0]
		assert.Equal(t, "c7", entry.ContextMap()["container.name"])
		f.pass(time.Second)
		assert.NotEmpty(t, m.get(keyPosition+list[7].ID()))
		write(list[7], 4, 4) // and it goes on behind what was dropped
		pipeline.refused.Store(&none)
		f.eventually("the next line of that one", func() bool { return slices.Equal(f.sink.Of("c7"), []string{"line 4"}) })
	})
}

// Of several components behind a fan-out one may refuse for good what another accepts later.
func TestPermanentErrorOfOneOfSeveral(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.sink.Refuse(errors.Join(consumererror.NewPermanent(errRefused), errRefused))
		write(c, 1, 3)
		f.pass(10 * time.Minute)
		assert.Zero(t, f.metric("dropped_records"))
		f.sink.Refuse(nil)
		f.expectLines(1, 3)
	})
}

func TestIsPermanent(t *testing.T) {
	other := errors.New("other")
	permanent := consumererror.NewPermanent(other)
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"none":                {nil, false},
		"another":             {other, false},
		"retryable":           {consumererror.NewRetryableError(other), false},
		"permanent":           {permanent, true},
		"wrapped":             {fmt.Errorf("exporter: %w", permanent), true},
		"both":                {errors.Join(permanent, permanent), true},
		"one of two":          {errors.Join(permanent, other), false},
		"one of two, wrapped": {fmt.Errorf("fan-out: %w", errors.Join(other, permanent)), false},
		"one of two, inside":  {errors.Join(permanent, errors.Join(permanent, other)), false},
		"permanent for both":  {consumererror.NewPermanent(errors.Join(permanent, other)), true},
	} {
		assert.Equal(t, test.want, isPermanent(test.err), name)
	}
}

// What is offered again by halves is counted once, as accepted or refused.
func TestRecordsAreCountedOnce(t *testing.T) {
	inBubble(t, func(f *fixture) {
		const containers = 8
		refused := "c3"
		pipeline := &choosy{Logs: f.sink}
		pipeline.refused.Store(&refused)
		f.r.next = pipeline
		var list []*enginetest.Container
		for i := range containers {
			list = append(list, f.container(fmt.Sprint("c", i)))
		}
		f.start()
		f.following(containers)
		f.pass(time.Minute)
		write(list[0], 1, 1) // with which the others wait for flush_timeout, together
		f.expectLines(1, 1)
		for _, c := range list {
			write(c, 1, 10)
		}
		f.pass(time.Minute)
		assert.Greater(t, pipeline.calls.Load(), int64(3))
		assert.EqualValues(t, 1+10*(containers-1), f.ownMetric("otelcol_receiver_accepted_log_records"))
		assert.EqualValues(t, 10, f.ownMetric("otelcol_receiver_refused_log_records"))
	})
}

// ownMetric returns the value of a sum that the Collector itself keeps of its receivers.
func (f *fixture) ownMetric(name string) (value int64) {
	got, err := f.tel.GetMetric(name)
	require.NoError(f.t, err)
	for _, point := range got.Data.(metricdata.Sum[int64]).DataPoints {
		value += point.Value
	}
	return value
}

// The number of calls depends on time and not on lines or containers.
func TestCallsAreShared(t *testing.T) {
	inBubble(t, func(f *fixture) {
		const containers, seconds = 200, 20
		var list []*enginetest.Container
		for i := range containers {
			list = append(list, f.container(fmt.Sprint("c", i)))
		}
		f.start()
		f.following(containers)
		calls := f.sink.Calls()
		for range seconds {
			for i, c := range list {
				write(c, 1, 1)
				if i%20 == 0 {
					f.pass(time.Second / 10)
				}
			}
		}
		f.eventually("all", func() bool { return f.sink.Count("") == containers*seconds })
		assert.LessOrEqual(t, f.sink.Calls()-calls, seconds*5+2)
	})
}

// flush_timeout 0 hands everything on as it comes.
func TestFlushTimeoutZero(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Batch.FlushTimeout = 0
		c := f.followed()
		for i := range 10 {
			write(c, i+1, i+1)
			f.settle()
			require.Len(t, f.sink.All(), i+1)
		}
	})
}

func TestRetriesAreExhausted(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
	}{
		{"at max_elapsed_time", func(cfg *Config) { cfg.RetryOnFailure.MaxElapsedTime = 10 * time.Second }},
		{"at once when disabled", func(cfg *Config) { cfg.RetryOnFailure.Enabled = false }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				tt.change(f.cfg)
				c := f.followed()
				f.sink.Refuse(errRefused)
				write(c, 1, 3)
				// They may have come in two groups, of which the second waits for flush_timeout.
				dropped := func() bool { return f.metric("dropped_records", "retries_exhausted") == 3 }
				f.eventually("three dropped lines", dropped)
				f.sink.Refuse(nil)
				write(c, 4, 6)
				f.expectLines(4, 6)
				assert.True(t, dropped(), "more than the first three were dropped")
			})
		})
	}
}

func TestBacklogIsHeldUpWithoutLoss(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.StartAt = StartAtBeginning
		c := f.container("web")
		write(c, 1, 20000)
		f.sink.Refuse(errRefused)
		f.start()
		f.pass(10 * time.Minute)
		f.sink.Refuse(nil)
		f.expectLines(1, 20000)
	}, enginetest.BufferSize(4096))
}
