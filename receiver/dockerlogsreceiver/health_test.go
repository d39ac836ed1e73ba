// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/extension/extensiontest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// The tests of this file run the receiver beside the real goroutine_health, which
// counts the real goroutines of this process in virtual time. Those of the fake engine
// are among them: above what the captures need, but as many all the time.

var healthID = component.MustNewID("goroutine_health")

// watcher is goroutine_health at work.
type watcher struct {
	t   *testing.T
	cfg *goroutinehealthextension.Config
	tel *componenttest.Telemetry
	health
}

// watch starts goroutine_health, for the receiver to find. change may be nil.
func (f *fixture) watch(change func(*goroutinehealthextension.Config)) *watcher {
	f.t.Helper()
	factory := goroutinehealthextension.NewFactory()
	w := &watcher{t: f.t, cfg: factory.CreateDefaultConfig().(*goroutinehealthextension.Config), tel: componenttest.NewTelemetry()}
	w.cfg.ServerConfig.NetAddr.Endpoint = "" // a socket holds virtual time up
	if change != nil {
		change(w.cfg)
	}
	require.NoError(f.t, w.cfg.Validate())
	set := extensiontest.NewNopSettings(factory.Type())
	set.ID, set.TelemetrySettings = healthID, w.tel.NewTelemetrySettings()
	extension, err := factory.Create(f.t.Context(), set, w.cfg)
	require.NoError(f.t, err)
	require.NoError(f.t, extension.Start(f.t.Context(), f.host))
	f.t.Cleanup(func() {
		assert.NoError(f.t, extension.Shutdown(context.Background()))
		assert.NoError(f.t, w.tel.Shutdown(context.Background()))
	})
	f.withExtensions(map[component.ID]component.Component{healthID: extension})
	w.health, err = findHealth(f.host, &healthID)
	require.NoError(f.t, err)
	return w
}

// gauge is the value of one of the extension's metrics; known is false where it has none.
func (w *watcher) gauge(name string) (value float64, known bool) {
	got, err := w.tel.GetMetric("otelcol_goroutine_health_" + name)
	if err != nil {
		return 0, false
	}
	switch data := got.Data.(type) {
	case metricdata.Gauge[int64]:
		for _, point := range data.DataPoints {
			value += float64(point.Value)
		}
	case metricdata.Gauge[float64]:
		for _, point := range data.DataPoints {
			value += point.Value
		}
	default:
		w.t.Fatalf("%s is a %T", name, data)
	}
	return value, true
}

// TestNoStrategyGrows captures 50 containers for half an hour of virtual time.
func TestNoStrategyGrows(t *testing.T) {
	const containers = 50
	for _, strategy := range allStrategies {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				w := f.watch(func(cfg *goroutinehealthextension.Config) {
					cfg.Window, cfg.LeakInterval = 25*time.Minute, time.Minute
				})
				f.cfg.Strategy, f.cfg.Adaptive.Health = strategy, &healthID
				f.cfg.Hybrid.Interval = 10 * time.Second // the 45,000 polls of the default would take half a minute
				var list []*enginetest.Container
				for i := range containers {
					list = append(list, f.container(fmt.Sprint("c", i)))
				}
				f.start()
				for minute := 1; minute <= 30; minute++ {
					for _, c := range list {
						write(c, minute, minute)
					}
					f.pass(time.Minute)
					verdict, _ := w.gauge("verdict")
					require.Zero(t, verdict, "after %d minutes", minute)
					if leaked, known := w.gauge("leaked"); known {
						require.Zero(t, leaked, "after %d minutes", minute)
					}
				}
				growth, _ := w.gauge("growth") // in a window that holds no start any more
				excess, _ := w.gauge("excess")
				_, known := w.gauge("leaked")
				t.Logf("growth %.2f a minute; %.0f goroutines above need, the engine's included; looked for leaks: %t", growth, excess, known)
				assert.Less(t, growth, 0.5, "a minute: it grows")
				f.eventually("all lines", func() bool { return len(f.sink.All()) == 30*containers })
			})
		})
	}
}

// TestAdaptiveHeedsGoroutineHealth makes the process have too many goroutines, and few
// again: adaptive polls while it has, and some time longer.
func TestAdaptiveHeedsGoroutineHealth(t *testing.T) {
	inBubble(t, func(f *fixture) {
		const containers, tooMany = 10, 1000
		w := f.watch(func(cfg *goroutinehealthextension.Config) { cfg.Warning, cfg.Critical = tooMany, 10*tooMany })
		f.cfg.Strategy, f.cfg.Adaptive.Health = StrategyAdaptive, &healthID
		for i := range containers {
			write(f.container(fmt.Sprint("c", i)), 1, 1)
		}
		f.start()
		following := func() int64 { return f.metric("captures", "following") }
		for round := range int64(2) {
			f.pass(5 * time.Minute)
			require.False(t, w.Pressure())
			require.Equal(t, containers, f.engine.OpenFollows())
			require.EqualValues(t, containers, following())

			release := make(chan struct{})
			for range tooMany {
				go func() { <-release }()
			}
			f.eventually("pressure", w.Pressure)
			f.eventually("no follow", func() bool { return f.engine.OpenFollows() == 0 && following() == 0 })
			assert.EqualValues(t, containers*(round+1), f.metric("strategy_changes", "polling", "pressure"))
			f.pass(5 * time.Minute)
			require.Zero(t, f.engine.OpenFollows(), "as long as it lasts")

			close(release)
			f.eventually("no pressure", func() bool { return !w.Pressure() })
			f.pass(strategy.Calm - time.Second)
			assert.Zero(t, f.engine.OpenFollows(), "nobody hurries back")
			f.following(containers)
			f.eventually("all captures follow", func() bool { return following() == containers })
			assert.EqualValues(t, containers*(round+1), f.metric("strategy_changes", "streaming", "recovered"))
		}
		f.pass(10 * time.Minute)
		assert.EqualValues(t, 2*2*containers, f.metric("strategy_changes"), "it does not waver")
	})
}
