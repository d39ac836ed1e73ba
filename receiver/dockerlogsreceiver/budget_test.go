// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

func TestBudgetGoesToThoseThatWriteMost(t *testing.T) {
	list := make([]*link, 4)
	names := make(map[*link]string)
	for i := range list {
		list[i] = &link{}
		names[list[i]] = fmt.Sprint(i)
	}
	b := budget{limit: 2}
	deal := func(written ...int64) (granted []string, changed int) {
		for i, n := range written {
			list[i].records.Add(n)
		}
		changed = len(b.deal(slices.Clone(list)))
		for _, l := range list {
			if l.hasStream.Load() {
				granted = append(granted, names[l])
			}
		}
		return granted, changed
	}
	steps := []struct {
		written []int64
		granted []string
		changed int
	}{
		{[]int64{10, 20, 30, 40}, []string{"2", "3"}, 2},
		{[]int64{0, 0, 0, 0}, []string{"2", "3"}, 0},     // silence alone changes nothing
		{[]int64{14, 14, 10, 10}, []string{"2", "3"}, 0}, // not half as busy again
		{[]int64{17, 0, 10, 20}, []string{"0", "3"}, 2},  // half as busy again as 2
		{[]int64{100, 90, 0, 0}, []string{"0", "1"}, 2},
	}
	for i, step := range steps {
		granted, changed := deal(step.written...)
		assert.Equal(t, step.granted, granted, "step %d", i)
		assert.Equal(t, step.changed, changed, "step %d", i)
	}

	list[0].busy.Store(true) // it is polled, so another can have its stream
	granted, changed := deal(1000, 10, 0, 10)
	assert.Equal(t, []string{"1", "3"}, granted)
	assert.Equal(t, 2, changed)
	list[0].busy.Store(false)

	b.limit = 0
	granted, changed = deal(1000, 1000, 1000, 1000)
	assert.Empty(t, granted)
	assert.Equal(t, 2, changed)
	b.limit = 10
	granted, changed = deal(0, 0, 0, 0)
	assert.Len(t, granted, 4)
	assert.Equal(t, 4, changed)
	list = list[:1]
	deal(1)
	assert.Len(t, b.rates, 1, "those that have gone are forgotten")
}

// followedNames gives the names of the containers that are followed.
func followedNames(f *fixture, containers ...*enginetest.Container) (names []string) {
	for _, c := range containers {
		if slices.ContainsFunc(f.requestsOf(enginetest.KindLogs), func(req enginetest.Request) bool {
			return req.Container == c.ID() && req.Follow && !req.Done
		}) {
			names = append(names, c.Name())
		}
	}
	return names
}

func TestAdaptiveKeepsToItsBudget(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyAdaptive
		f.cfg.Adaptive.MaxStreams = 2
		var list []*enginetest.Container
		for i := range 5 {
			list = append(list, f.container(fmt.Sprint("c", i)))
		}
		f.start()
		written, most := 0, 0
		write := func(seconds int, busy ...int) {
			for range seconds {
				for i, c := range list {
					n := 0
					if slices.Contains(busy, i) {
						n = 2
					} else if written%3 == 0 {
						n = 1
					}
					if n > 0 {
						write(c, 1, n)
						written += n
					}
				}
				for range 4 {
					f.pass(250 * time.Millisecond)
					most = max(most, f.engine.OpenFollows())
				}
			}
		}
		for _, busy := range [][]int{{1, 3}, {0, 4}} {
			want := []string{list[busy[0]].Name(), list[busy[1]].Name()}
			for i := 0; !slices.Equal(want, followedNames(f, list...)); i++ {
				require.Less(t, i, 300, "the busiest are %v, followed are %v", want, followedNames(f, list...))
				write(1, busy...)
			}
		}
		write(60, 0, 4)
		assert.Equal(t, 2, most)
		assert.Positive(t, f.metric("strategy_changes", "polling", "budget"))
		assert.Positive(t, f.metric("strategy_changes", "streaming", "recovered"))
		changes := f.metric("strategy_changes")
		write(60, 0, 4)
		assert.Equal(t, changes, f.metric("strategy_changes"), "it does not waver")
		f.pass(time.Minute)
		assert.Len(t, f.sink.All(), written)
		assert.Zero(t, f.metric("gaps"))
		// What another has no need of any more is granted to those that are left.
		for _, i := range []int{0, 1, 4} {
			list[i].Remove()
		}
		f.following(2)
		assert.Equal(t, []string{"c2", "c3"}, followedNames(f, list...))
	})
}

func TestAdaptiveWithoutABudgetPolls(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyAdaptive
		f.cfg.Adaptive.MaxStreams = 0
		c := f.container("web")
		f.start()
		for i := range 20 {
			write(c, i+1, i+1)
			f.pass(10 * time.Second)
			assert.Zero(t, f.engine.OpenFollows())
		}
		f.expectLines(1, 20)
	})
}

// withExtensions gives the receiver extensions to find.
func (f *fixture) withExtensions(list map[component.ID]component.Component) {
	f.host.Host = extended{componenttest.NewNopHost(), list}
}

type extended struct {
	component.Host
	list map[component.ID]component.Component
}

func (e extended) GetExtensions() map[component.ID]component.Component { return e.list }

// alarm is an extension that reports pressure.
type alarm struct {
	component.Component
	on atomic.Bool
}

func (a *alarm) Pressure() bool { return a.on.Load() }

func TestAdaptiveHeedsPressure(t *testing.T) {
	inBubble(t, func(f *fixture) {
		id, alarm := component.MustNewID("goroutine_health"), &alarm{}
		f.withExtensions(map[component.ID]component.Component{id: alarm})
		f.cfg.Strategy, f.cfg.Adaptive.Health = StrategyAdaptive, &id
		list := []*enginetest.Container{f.container("a"), f.container("b"), f.container("c")}
		f.start()
		f.following(3)
		lines := 0
		write := func() {
			lines++
			for _, c := range list {
				write(c, lines, lines)
			}
		}
		for round := range int64(3) {
			write()
			alarm.on.Store(true)
			f.pass(2 * time.Second)
			assert.Zero(t, f.engine.OpenFollows(), "they make way at once")
			assert.EqualValues(t, 3*(round+1), f.metric("strategy_changes", "polling", "pressure"))
			write()
			f.pass(time.Minute)
			assert.Zero(t, f.engine.OpenFollows())
			alarm.on.Store(false)
			f.pass(strategy.Calm - 5*time.Second)
			assert.Zero(t, f.engine.OpenFollows(), "they come back when it has been calm for a while")
			write()
			f.pass(strategy.Calm + 40*time.Second)
			assert.Equal(t, 3, f.engine.OpenFollows())
			assert.EqualValues(t, 3*(round+1), f.metric("strategy_changes", "streaming", "recovered"))
			write()
			f.pass(time.Second)
			for _, c := range list {
				require.Equal(t, numbered(1, lines), f.sink.Of(c.Name()))
			}
		}
	})
}

func TestAdaptiveFallsBackWhenStreamsAreCut(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyAdaptive
		c := f.followed()
		for i := range 60 {
			write(c, i+1, i+1)
			f.pass(2 * time.Second)
			c.CutFollows()
		}
		assert.Positive(t, f.metric("strategy_changes", "polling", "cuts"))
		f.expectLines(1, 60)
		f.following(1) // once it has polled for long enough
		assert.Equal(t, f.metric("strategy_changes", "polling"), f.metric("strategy_changes", "streaming"))
	})
}

func TestHealthExtensionMustBeOne(t *testing.T) {
	f := newFixture(t)
	id := component.MustNewID("goroutine_health")
	f.cfg.Adaptive.Health = &id
	require.ErrorContains(t, f.r.Start(t.Context(), f.host), "adaptive: health: there is no extension goroutine_health")
	f.withExtensions(map[component.ID]component.Component{id: nil})
	require.ErrorContains(t, f.r.Start(t.Context(), f.host), "adaptive: health: the extension goroutine_health does not report pressure")
}
