// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/verdict"
)

// pass lets time pass, and then what is to happen at its end.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestLeakIsNamedWithinTwoWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), nil)
		h.fake.containers = 50
		h.start(t)
		pass(30 * time.Minute)
		require.Equal(t, verdict.Healthy, h.latest.Load().finding.Level)
		require.Zero(t, h.latest.Load().finding.Growth)

		began := time.Now()
		for h.latest.Load().finding.Level == verdict.Healthy {
			require.Less(t, time.Since(began), 2*h.cfg.Window, "two windows, and nothing is said")
			h.fake.set(func() { h.fake.above[readLoop] += 8 }) // 32 per minute
			pass(15 * time.Second)
		}
		f := h.latest.Load()
		t.Logf("after %v: %s", time.Since(began), f.reason)
		assert.Equal(t, verdict.Warning, f.finding.Level)
		assert.InDelta(t, 32, f.finding.Growth, 1)
		assert.Regexp(t, `^\+32/min for 5 min, 1[0-9]{2} of them in docker_logs, created by net/http\.\(\*Transport\)\.dialConn$`, f.reason)
		assert.True(t, h.Pressure())
		assert.Equal(t, 1, h.logs.FilterMessage("goroutines: warning").Len())
		assert.EqualValues(t, 1, h.fake.traces.Load(), "for the creator, which stops the world")

		// The leak is over; pressure ends, once.
		pass(20 * time.Minute)
		assert.False(t, h.Pressure())
		assert.Equal(t, 1, h.logs.FilterMessage("goroutines are healthy again").Len())
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestStartOfAThousandContainersRaisesNothing(t *testing.T) {
	for name, ramp := range map[string]time.Duration{"at once": 0, "over four minutes": 4 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.OnCritical = ActionShutdown })
				h.start(t)
				pass(10 * time.Second)
				began := time.Now()
				for time.Since(began) < 30*time.Minute {
					part := 1.0
					if ramp > 0 {
						part = min(1, time.Since(began).Seconds()/ramp.Seconds())
					}
					h.fake.set(func() { h.fake.containers = int(1000 * part) })
					pass(5 * time.Second)
					f := h.latest.Load()
					require.Equal(t, verdict.Healthy, f.finding.Level, f.reason)
				}
				f := h.latest.Load()
				assert.Equal(t, 3040, f.counts.Total)
				assert.Equal(t, 40, f.finding.Excess)
				require.NoError(t, h.fatal())
				require.NoError(t, h.Shutdown(t.Context()))
			})
		})
	}
}

func TestCensusIsRareWhileLittleChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), nil)
		h.fake.containers = 50
		h.start(t)
		for i := range 40 { // as requests come and go
			h.fake.set(func() { h.fake.above[queue] = 40 + 2*(i%2) })
			pass(15 * time.Second)
		}
		assert.EqualValues(t, 1+10, h.fake.censuses.Load())
		assert.EqualValues(t, 2, h.fake.looks.Load(), "for leaks, which costs a collection of garbage")
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

// TestCensusFollowsTheCaptures has the page show the captured containers soon after they
// have come, have been replaced and have gone, however few they are.
func TestCensusFollowsTheCaptures(t *testing.T) {
	const soon = 2 * 15 * time.Second
	for _, containers := range []int{1, 10, 200} {
		t.Run(fmt.Sprint(containers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHealth(t, new(processHistory), nil).start(t)
				names := func() map[string]bool {
					names := make(map[string]bool)
					for _, c := range h.status(time.Now()).Containers.Listed {
						names[c.Name] = true
					}
					return names
				}
				captured := func(want int) {
					t.Helper()
					pass(soon)
					s := h.status(time.Now())
					assert.Equal(t, want, s.Containers.Total)
					assert.Equal(t, 40, s.Goroutines.Excess, "the queue's")
					assert.Equal(t, 3*want, s.Goroutines.Needed)
				}
				pass(time.Second) // extensions start before receivers
				h.fake.set(func() { h.fake.containers = containers })
				captured(containers)
				before := names()
				h.fake.replace() // as many as before
				captured(containers)
				for name := range names() {
					assert.NotContains(t, before, name)
				}
				h.fake.set(func() { h.fake.containers = 0 })
				captured(0)
				require.NoError(t, h.Shutdown(t.Context()))
			})
		})
	}
}

func TestCensusIsBoundedByItsCost(t *testing.T) {
	for took, want := range map[time.Duration]int32{
		10 * time.Millisecond:  40, // as often as goroutines are counted
		280 * time.Millisecond: 20, // 28 s are two counts
		500 * time.Millisecond: 10,
		10 * time.Second:       10, // census_interval is kept
	} {
		t.Run(took.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHealth(t, new(processHistory), nil)
				h.fake.containers, h.fake.took = 10, took
				h.start(t)
				synctest.Wait() // for the first census
				for range 40 {
					h.fake.replace()
					pass(15 * time.Second)
				}
				assert.Equal(t, 1+want, h.fake.censuses.Load())

				// So much has come that thresholds would be judged wrongly.
				h.fake.set(func() { h.fake.containers = 1000 })
				pass(15 * time.Second)
				assert.Equal(t, 2+want, h.fake.censuses.Load())
				require.NoError(t, h.Shutdown(t.Context()))
			})
		})
	}
}

// TestLeakOfEndedContainersIsSeen has each container leave three goroutines behind when it
// ends, which alone would look like a capture of it.
func TestLeakOfEndedContainersIsSeen(t *testing.T) {
	for _, tells := range []bool{false, true} {
		t.Run(fmt.Sprintf("the component tells what it captures: %t", tells), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHealth(t, new(processHistory), nil)
				h.fake.above = nil
				if tells {
					h.Captures("docker_logs", func(string) bool { return false })
				}
				h.start(t)
				for range 4 * 20 {
					h.fake.set(func() { h.fake.containers += 4 })
					pass(15 * time.Second)
				}
				f := h.latest.Load()
				if !tells {
					assert.Equal(t, verdict.Healthy, f.finding.Level)
					assert.LessOrEqual(t, f.finding.Excess, 4*12, "since the last census")
				} else {
					assert.Equal(t, verdict.Warning, f.finding.Level)
					assert.InDelta(t, 48, f.finding.Growth, 2)
				}
				require.NoError(t, h.Shutdown(t.Context()))
			})
		})
	}
}

func TestEndOfACaptureIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var captured atomic.Bool
		captured.Store(true)
		h := newHealth(t, new(processHistory), nil)
		h.fake.above, h.fake.containers = nil, 10
		h.Captures("docker_logs", func(string) bool { return captured.Load() })
		h.start(t)
		excess := func() int {
			pass(time.Minute) // a census
			return h.latest.Load().finding.Excess
		}
		assert.Zero(t, excess())
		captured.Store(false)
		assert.Zero(t, excess(), "it may be ending")
		assert.Equal(t, 30, excess())
		h.Captures("docker_logs/2", func(string) bool { return true })
		assert.Zero(t, excess(), "another captures them")
		h.Captures("docker_logs/2", nil)
		h.Captures("docker_logs", nil)
		assert.Zero(t, excess(), "nobody can tell")
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestWithoutCensusTheNumberIsJudged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), nil)
		h.fake.err = errors.New("no profile")
		h.fake.containers = 500
		h.start(t)
		pass(10 * time.Minute)
		f := h.latest.Load()
		assert.Equal(t, verdict.Warning, f.finding.Level)
		assert.Equal(t, "1,540 goroutines above what the captures need (warning from 1,000 on)", f.reason)
		assert.Equal(t, 1, h.logs.FilterMessageSnippet("cannot attribute goroutines").Len())
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestProvenLeakWarns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), nil)
		h.fake.proven = map[census.Origin]int{readLoop: 7}
		h.start(t)
		pass(time.Minute)
		require.Equal(t, verdict.Healthy, h.latest.Load().finding.Level, "not looked yet")
		pass(5 * time.Minute)
		f := h.latest.Load()
		assert.Equal(t, verdict.Warning, f.finding.Level)
		assert.EqualValues(t, 1, h.fake.traces.Load())
		assert.Equal(t, "7 goroutines proven never to wake again, 7 of them in docker_logs, created by net/http.(*Transport).dialConn", f.reason)
		assert.False(t, h.Pressure())
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestLeakIsReportedWithoutCensus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), nil)
		h.fake.err = errors.New("no profile")
		h.fake.proven = map[census.Origin]int{readLoop: 7}
		h.start(t)
		pass(6 * time.Minute)
		assert.Contains(t, h.latest.Load().reason, "7 goroutines proven never to wake again, 7 of them in docker_logs")
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestCreatorThatIsNotFoundIsLookedForOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), nil)
		h.fake.above[census.Origin{Component: "x", Function: "x.run"}] = 2500
		h.start(t)
		pass(time.Hour)
		assert.Contains(t, h.latest.Load().reason, "2,500 of them in x, running x.run")
		assert.EqualValues(t, 1, h.fake.traces.Load(), "each stops the world")
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

func TestRestartsThatDoNotHelpEndInShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		life := new(processHistory) // of the process
		restart := func(cfg *Config) { cfg.OnCritical = ActionRestart; cfg.MaxRestarts = 2 }
		for i := range 2 {
			h := newHealth(t, life, restart)
			h.fake.above[readLoop] = 2500
			h.start(t)
			pass(29 * time.Second)
			require.Zero(t, h.restarts.Load(), "too early to tell")
			pass(time.Minute)
			require.EqualValues(t, 1, h.restarts.Load(), "one is asked for, and it is waited for")
			require.NoError(t, h.fatal())
			require.NoError(t, h.Shutdown(t.Context()), "a reload must not fail")
			n, total, last := life.restartsSince(time.Now().Add(-time.Hour))
			require.Equal(t, []int{i + 1, i + 1}, []int{n, total})
			require.Contains(t, last.Reason, "docker_logs, created by net/http.(*Transport).dialConn")
		}
		h := newHealth(t, life, restart)
		h.fake.above[readLoop] = 2500
		h.start(t)
		pass(time.Minute)
		require.Zero(t, h.restarts.Load())
		require.ErrorContains(t, h.fatal(), "2 restarts in 1h0m0s did not help")
		require.ErrorContains(t, h.Shutdown(t.Context()), "shut down because of goroutines: 2,5", "or the exit status is 0")
		require.NoError(t, h.Shutdown(t.Context()))

		// Long after, it may be tried again.
		time.Sleep(2 * time.Hour)
		h = newHealth(t, life, restart)
		h.fake.above[readLoop] = 2500
		h.start(t)
		pass(time.Minute)
		require.EqualValues(t, 1, h.restarts.Load())
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

// TestRestartsEnd holds that a leak that comes back at once ends in a shutdown however
// rarely it is counted and however many restarts are allowed.
func TestRestartsEnd(t *testing.T) {
	for name, conf := range map[string]map[string]any{
		"defaults":     {},
		"rare counts":  {"collection_interval": "10m"},
		"many":         {"max_restarts": 150},
		"least window": {"restart_window": "121s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				configured, life := load(t, confmap.NewFromStringMap(conf)), new(processHistory)
				for range configured.MaxRestarts + 1 {
					h := newHealth(t, life, func(cfg *Config) {
						configured.ServerConfig = cfg.ServerConfig
						*cfg = *configured
						cfg.OnCritical = ActionRestart
					})
					h.fake.above[readLoop] = 2500
					h.start(t)
					pass(2*h.cfg.CollectionInterval + time.Second)
					if h.fatal() != nil {
						require.Error(t, h.Shutdown(t.Context()))
						_, total, _ := life.restartsSince(time.Now())
						require.Equal(t, configured.MaxRestarts, total)
						return
					}
					require.EqualValues(t, 1, h.restarts.Load())
					require.NoError(t, h.Shutdown(t.Context()))
				}
				require.Fail(t, "they go on")
			})
		})
	}
}

// TestActionWaitsForThePipelines has the verdict become critical while they start.
func TestActionWaitsForThePipelines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.OnCritical = ActionRestart })
		h.fake.above[readLoop] = 2500
		require.NoError(t, h.Start(t.Context(), componenttest.NewNopHost()))
		pass(5 * time.Minute)
		require.Equal(t, verdict.Critical, h.latest.Load().finding.Level)
		require.Zero(t, h.restarts.Load(), "the Collector does not listen yet")
		require.NoError(t, h.Ready())
		require.NoError(t, h.NotReady())
		pass(time.Minute)
		require.Zero(t, h.restarts.Load(), "they are shut down already")
		pass(14*time.Second + 500*time.Millisecond)
		require.NoError(t, h.Ready())
		pass(time.Second) // in which the goroutines are counted
		require.Zero(t, h.restarts.Load(), "it may not listen yet")
		pass(15 * time.Second)
		require.EqualValues(t, 1, h.restarts.Load())
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

// TestRestartThatHangs has a pipeline that does not shut down, not even to end the process.
func TestRestartThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.OnCritical = ActionRestart })
		h.fake.above[readLoop] = 2500
		h.start(t)
		pass(30*time.Second + patience - time.Second)
		require.EqualValues(t, 1, h.restarts.Load())
		require.NoError(t, h.fatal(), "it is waited for")
		pass(patience)
		require.ErrorContains(t, h.fatal(), "created by net/http.(*Transport).dialConn; the pipelines have not been restarted within 1m0s")
		require.Zero(t, h.exited.Load(), "the shutdown is waited for")
		pass(time.Second)
		require.EqualValues(t, 1, h.exited.Load(), "the exit status")
		require.Equal(t, 1, h.logs.FilterMessage("ending the process: a component has not shut down").Len())
		require.Error(t, h.Shutdown(t.Context()))
	})
}

// TestRestartThatIsNotHeard has the shutdown help that comes then.
func TestRestartThatIsNotHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.OnCritical = ActionRestart })
		h.fake.above[readLoop] = 2500
		h.start(t)
		pass(30*time.Second + patience)
		require.Error(t, h.fatal())
		require.ErrorContains(t, h.Shutdown(t.Context()), "have not been restarted", "or the exit status is 0")
		pass(time.Hour)
		require.Zero(t, h.exited.Load())
	})
}

func TestShutdownThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.OnCritical = ActionShutdown })
		h.fake.above[readLoop] = 2500
		h.start(t)
		pass(30*time.Second + patience - time.Second)
		require.Error(t, h.fatal())
		require.Zero(t, h.exited.Load())
		pass(time.Second)
		require.EqualValues(t, 1, h.exited.Load())
		require.Error(t, h.Shutdown(t.Context()))
	})
}

func TestRestartThatCannotBeAskedForShutsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.OnCritical = ActionRestart })
		h.goroutineHealth.restart = func() error { return errors.New("no signal") }
		h.fake.above[readLoop] = 2500
		h.start(t)
		pass(time.Minute)
		require.ErrorContains(t, h.fatal(), "no signal")
		require.Error(t, h.Shutdown(t.Context()))
	})
}

func TestReportDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), nil)
		h.fake.above[readLoop] = 2500
		h.start(t)
		pass(time.Hour)
		require.Equal(t, verdict.Critical, h.latest.Load().finding.Level)
		require.Zero(t, h.restarts.Load())
		require.NoError(t, h.fatal())
		require.Equal(t, 1, h.logs.FilterMessage("goroutines: critical").Len())
		require.EqualValues(t, 1, h.fake.traces.Load())
		report := h.logs.FilterMessageSnippet("report on goroutines").All()
		require.Len(t, report, 1)
		require.Contains(t, report[0].ContextMap()["report"], "net/http.(*persistConn).readLoop, created by net/http.(*Transport).dialConn")
		require.NoError(t, h.Shutdown(t.Context()))
	})
}

// TestClockIsSetBack has the plot go on at once.
func TestClockIsSetBack(t *testing.T) {
	p := new(processHistory)
	now := time.Unix(1_700_000_000, 0)
	p.addPoint(now.Add(24*time.Hour), 1, 1) // at boot the clock was a day ahead
	for i := range 240 {
		p.addPoint(now.Add(time.Duration(i)*15*time.Second), 2, 2)
	}
	assert.Len(t, p.plot(), 240)
	p.addPoint(now.Add(32*time.Second), 3, 3)
	p.addPoint(now.Add(47*time.Second), 4, 4)
	var totals []int
	for _, point := range p.plot() {
		totals = append(totals, point.Total)
	}
	assert.Equal(t, []int{2, 2, 2, 3, 4}, totals)
}

func TestPastIsBounded(t *testing.T) {
	p := new(processHistory)
	now := time.Unix(1_700_000_000, 0)
	for i := range 5000 {
		p.addPoint(now.Add(time.Duration(i)*time.Second), i, i)
		p.addRestart(restart{At: now}, 0)
	}
	assert.Len(t, p.plot(), 720+1)
	assert.Len(t, p.restarts, minRestartsKept)
	_, total, _ := p.restartsSince(now)
	assert.Equal(t, 5000, total)
	p.addRestart(restart{At: now}, 101)
	assert.Len(t, p.restarts, 101, "as many as are counted")
}
