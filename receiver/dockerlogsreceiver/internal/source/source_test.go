// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// fixture is a source of one container of a fake engine. It is its own Output.
type fixture struct {
	t         *testing.T
	engine    *enginetest.Engine
	container *enginetest.Container
	client    *engine.Client
	shared    *Engine
	source    *Source
	taken     []string
	flush     func(context.Context) error // in place of an Output that accepts at once
	delivered []position.Delivered
	gaps      []Gap // of the last read
}

func inBubble(t *testing.T, test func(*fixture)) {
	t.Helper()
	withEngine(t, enginetest.ContainerSpec{}, test)
}

func withEngine(t *testing.T, spec enginetest.ContainerSpec, test func(*fixture), options ...enginetest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fixture{t: t, engine: enginetest.New(options...)}
		spec.Name, spec.Running = "web", true
		f.container = f.engine.Add(spec)
		var err error
		f.client, err = engine.New(engine.Config{Endpoint: engine.DefaultEndpoint, Timeout: 5 * time.Second, Dial: f.engine.Dial})
		require.NoError(t, err)
		require.NoError(t, f.client.Connect(t.Context()))
		f.shared = (&Engine{
			Client: f.client, MaxLogSize: 1 << 20,
			BySeconds: func() bool { return false }, Suppressed: func(int, int) {},
		}).Init()
		f.source = New(f.shared, f.container.ID(), position.Start(0))
		f.source.Restart()
		test(f)
		f.client.Close()
		f.engine.Close()
	})
}

func (f *fixture) Add(rec Record) bool {
	f.taken = append(f.taken, string(rec.Body))
	f.delivered = append(f.delivered, rec.Delivered)
	return len(f.taken)%1000 == 0
}

func (f *fixture) Gap(gap Gap) { f.gaps = append(f.gaps, gap) }

func (f *fixture) Flush(ctx context.Context) error {
	if f.flush != nil {
		return f.flush(ctx)
	}
	return nil
}

func (f *fixture) read(plan strategy.Plan) Result { return f.readFor(f.t.Context(), plan) }

func (f *fixture) readFor(ctx context.Context, plan strategy.Plan) Result {
	f.t.Helper()
	details, err := f.client.Inspect(f.t.Context(), f.container.ID())
	require.NoError(f.t, err)
	f.gaps = nil
	return f.source.Read(ctx, &details, plan, f)
}

func (f *fixture) write(n int) {
	var text strings.Builder
	for i := range n {
		fmt.Fprintln(&text, "line", i)
	}
	f.container.Write(enginetest.Stdout, text.String())
}

// The end of a read is one value, whatever it was.
func TestEnds(t *testing.T) {
	follow := strategy.Plan{Follow: true}
	for name, test := range map[string]struct {
		plan    strategy.Plan
		during  func(*fixture) // while the read is under way
		prepare func(*fixture)
		want    End
	}{
		"all read":             {want: Complete},
		"container ended":      {plan: follow, during: func(f *fixture) { f.container.Exit(0) }, want: Ended},
		"connection cut":       {plan: follow, during: func(f *fixture) { f.engine.CutFollows() }, want: Cut},
		"lived its time":       {plan: strategy.Plan{Follow: true, Life: time.Second}, want: Expired},
		"silent":               {plan: follow, want: Silent},
		"silent, not in truth": {plan: follow, during: func(f *fixture) { f.write(3) }, prepare: func(f *fixture) { f.container.SetFaults(enginetest.Faults{Stall: true}) }, want: Dead},
		"engine error":         {plan: follow, during: func(f *fixture) { f.container.Poison(f.container.Written(), "bad"); f.write(1) }, want: EngineError},
		"refused":              {prepare: func(f *fixture) { f.container.SetFaults(enginetest.Faults{Status: 500}) }, want: Failed},
		"cannot be read":       {prepare: func(f *fixture) { f.container.SetFaults(enginetest.Faults{Status: 501}) }, want: Unreadable},
		"gone":                 {prepare: func(f *fixture) { f.container.SetFaults(enginetest.Faults{Status: 404}) }, want: Removed},
		"busy": {plan: strategy.Plan{Follow: true, MaxRate: 5}, during: func(f *fixture) {
			for range 400 { // 10 a second
				f.write(1)
				time.Sleep(100 * time.Millisecond)
			}
		}, want: Busy},
		"output fails": {prepare: func(f *fixture) {
			f.write(1)
			f.flush = func(context.Context) error { return errors.New("no") }
		}, want: Stopped},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				if test.prepare != nil {
					test.prepare(f)
				}
				if test.during != nil {
					var during sync.WaitGroup
					defer during.Wait()
					during.Go(func() {
						time.Sleep(100 * time.Millisecond)
						test.during(f)
					})
				}
				result := f.read(test.plan)
				assert.Equal(t, test.want, result.End, "%v", result.Err)
				assert.Equal(t, test.plan.Follow, result.Lived > 0)
			})
		})
	}
}

func TestPreempted(t *testing.T) {
	inBubble(t, func(f *fixture) {
		ctx, cancel := context.WithCancelCause(f.t.Context())
		time.AfterFunc(time.Second, func() { cancel(ErrPreempted) })
		assert.Equal(t, Preempted, f.readFor(ctx, strategy.Plan{Follow: true}).End)
	})
}

// TestWaitForASlotIsNotTheEnginesSilence: while others read, a read that waits to go on is
// not one that the engine has left without an answer.
func TestWaitForASlotIsNotTheEnginesSilence(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.write(5000) // more than is read ahead
		f.flush = func(context.Context) error {
			f.flush = nil
			for range maxReads {
				require.True(f.t, f.shared.Acquire(f.t.Context(), nil)) // the read has given its own back
			}
			time.AfterFunc(3*StuckAfter, func() {
				for range maxReads {
					f.shared.Release()
				}
			})
			return nil
		}
		began := time.Now()
		result := f.read(strategy.Plan{})
		assert.Equal(t, Complete, result.End, "%v", result.Err)
		assert.Equal(t, 3*StuckAfter, time.Since(began))
		assert.Len(t, f.taken, 5000)
		for range maxReads {
			require.True(f.t, f.shared.Acquire(f.t.Context(), nil), "all slots are free again")
		}
	})
}

// Neither a backlog nor a burst ends a follow, if there are few lines in all.
func TestBurstIsNotBusy(t *testing.T) {
	inBubble(t, func(f *fixture) {
		var writer sync.WaitGroup
		defer writer.Wait()
		writer.Go(func() {
			for range 5 {
				time.Sleep(20 * time.Second)
				f.write(90)
			}
			time.Sleep(20 * time.Second)
			f.container.Exit(0)
		})
		result := f.read(strategy.Plan{Follow: true, MaxRate: 10})
		assert.Equal(t, Ended, result.End)
		assert.Len(t, f.taken, 450)
	})
}

// What is read and not committed is known in this process, and read again after a restart.
func TestUncommittedRecords(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.write(10)
		assert.Equal(t, 10, f.read(strategy.Plan{}).New)
		assert.Zero(t, f.read(strategy.Plan{}).New)
		f.source.Commit(f.delivered[:4])
		value, changed := f.source.Frontier().Take()
		require.True(f.t, changed)
		again, err := position.Decode(value)
		require.NoError(t, err)
		f.source, f.taken = New(f.shared, f.container.ID(), again), nil
		assert.Equal(t, 6, f.read(strategy.Plan{}).New)
		assert.Equal(t, "line 4", f.taken[0])
	})
}
