// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap/zapcore"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

const logBounded = "older lines are left out"

// writeSlowly writes a line a second.
func (f *fixture) writeSlowly(c *enginetest.Container, from, to int) {
	for i := from; i <= to; i++ {
		write(c, i, i)
		f.pass(time.Second)
	}
}

// stays holds that nothing comes but what has come.
func (f *fixture) stays(from, to int) {
	f.t.Helper()
	f.expectLines(from, to)
	f.pass(5 * time.Minute)
	f.expectLines(from, to)
	assert.Zero(f.t, f.metric("gaps"))
}

// bounded holds that older lines of so many containers have been left out, and told of.
func (f *fixture) bounded(n int) {
	f.t.Helper()
	assert.EqualValues(f.t, n, f.metric("bounded_backfills"))
	assert.Equal(f.t, n, f.logged(zapcore.InfoLevel, logBounded))
}

func TestBackfill(t *testing.T) {
	for name, test := range map[string]struct {
		bounds BackfillConfig
		first  int // of 300 lines, of which 200 were written three hours ago, a second each, and 100 just now
	}{
		"no bound":                   {first: 1},
		"age":                        {bounds: BackfillConfig{MaxAge: time.Hour}, first: 201},
		"age, of more than all":      {bounds: BackfillConfig{MaxAge: 24 * time.Hour}, first: 1},
		"records":                    {bounds: BackfillConfig{MaxRecords: 120}, first: 181},
		"records, one":               {bounds: BackfillConfig{MaxRecords: 1}, first: 300},
		"records, as many":           {bounds: BackfillConfig{MaxRecords: 300}, first: 1},
		"records, more":              {bounds: BackfillConfig{MaxRecords: 100_000}, first: 1},
		"both, the age stricter":     {bounds: BackfillConfig{MaxAge: time.Hour, MaxRecords: 250}, first: 201},
		"both, records stricter":     {bounds: BackfillConfig{MaxAge: 24 * time.Hour, MaxRecords: 250}, first: 51},
		"both, records far stricter": {bounds: BackfillConfig{MaxAge: time.Hour, MaxRecords: 10}, first: 291},
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(f *fixture, _ bool) {
				f.cfg.StartAt, f.cfg.Backfill = StartAtBeginning, test.bounds
				c := f.container("web")
				f.writeSlowly(c, 1, 200)
				f.pass(3 * time.Hour)
				f.writeSlowly(c, 201, 300)
				f.start()
				f.stays(test.first, 300)
				write(c, 301, 310)
				f.stays(test.first, 310)
				told := 0
				if test.first > 1 {
					told = 1
				}
				f.bounded(told)
			})
		})
	}
}

// All that can be read may be too old.
func TestBackfillOfAnOldLog(t *testing.T) {
	onEachEngine(t, func(f *fixture, _ bool) {
		f.cfg.StartAt, f.cfg.Backfill = StartAtBeginning, BackfillConfig{MaxAge: time.Hour, MaxRecords: 10}
		c := f.container("web")
		f.writeSlowly(c, 1, 100)
		f.pass(2 * time.Hour)
		f.start()
		f.pass(5 * time.Minute)
		assert.Empty(f.t, f.sink.Bodies())
		write(c, 101, 103)
		f.stays(101, 103)
		f.bounded(1)
	})
}

// What is written while the log is read for the first time is no backlog, nor is what a
// container writes that is made later.
func TestBackfillBoundsNoNewContainer(t *testing.T) {
	onEachEngine(t, func(f *fixture, _ bool) {
		f.cfg.StartAt, f.cfg.Backfill = StartAtBeginning, BackfillConfig{MaxAge: time.Second, MaxRecords: 10}
		f.start()
		f.engine.SetLatency(func(enginetest.Request) time.Duration { return 2 * time.Second })
		c := f.container("web")
		write(c, 1, 5000)
		f.stays(1, 5000)
		f.bounded(0)
	})
}

// A log that has a record which the engine cannot read is read from behind that.
func TestBackfillBehindABadRecord(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.StartAt, f.cfg.Backfill = StartAtBeginning, BackfillConfig{MaxRecords: 100}
		c := f.container("web")
		c.Poison(c.Written()+150, "invalid character")
		write(c, 1, 200)
		f.start()
		f.eventually("the lines behind it", func() bool { return f.sink.Count("") >= 49 })
		f.pass(5 * time.Minute)
		bodies := f.sink.Bodies()
		assert.Equal(t, "line 200", bodies[len(bodies)-1])
		assert.LessOrEqual(t, len(bodies), 100)
	})
}

// An engine that does not answer for the end of a log that was emptied by hand shows it as
// a whole.
func TestBackfillWhereTheTailHangs(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.StartAt, f.cfg.Backfill = StartAtBeginning, BackfillConfig{MaxRecords: 100}
		f.cfg.Strategy = StrategyPolling
		c := f.container("web")
		write(c, 1, 20)
		c.SetFaults(enginetest.Faults{HangTail: true})
		f.start()
		f.stays(1, 20)
		f.bounded(0)
	})
}

// After a restart a container that was excluded before is bounded; one that has been made
// meanwhile is read whole, and one that is known goes on.
func TestBackfillOfTheNewlySelected(t *testing.T) {
	onEachEngine(t, func(f *fixture, _ bool) {
		f.stored()
		f.cfg.Exclude = []Match{{Name: "old"}}
		old, web := f.container("old"), f.container("web")
		f.writeSlowly(old, 1, 50)
		f.start()
		write(web, 1, 3)
		f.eventually("web", func() bool { return f.sink.Count("web") == 3 })
		f.pass(2 * time.Minute)
		write(web, 4, 4) // with which it is stored when the containers were listed last
		f.pass(time.Minute)
		f.halt()
		write(old, 51, 60)
		young := f.container("young")
		write(young, 1, 30)
		write(web, 5, 34)
		f.pass(time.Hour)
		f.cfg.Exclude = nil
		f.cfg.Backfill = BackfillConfig{MaxAge: 24 * time.Hour, MaxRecords: 10}
		f.start()
		f.eventually("all", func() bool { return f.sink.Count("") == 34+10+30 })
		f.pass(5 * time.Minute)
		assert.Equal(f.t, numbered(51, 60), f.sink.Of("old"), "it is newly selected")
		assert.Equal(f.t, numbered(1, 30), f.sink.Of("young"), "it has been made meanwhile")
		assert.Equal(f.t, numbered(1, 34), f.sink.Of("web"), "it goes on")
		assert.Zero(f.t, f.metric("gaps"))
		f.bounded(1)
	})
}

// Where a log was begun is stored before anything of it is accepted: what has been written
// since is not left out after a crash.
func TestBackfillAfterAKill(t *testing.T) {
	for name, bounds := range map[string]BackfillConfig{"records": {MaxRecords: 10}, "age": {MaxAge: 10 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(f *fixture, _ bool) {
				m := f.stored()
				f.cfg.StartAt, f.cfg.Backfill = StartAtBeginning, bounds
				pipeline := &mortal{Logs: f.sink}
				f.renew(pipeline)
				f.sink.Refuse(errors.New("full"))
				c := f.container("web")
				f.writeSlowly(c, 1, 100)
				f.start()
				f.pass(10 * time.Second)
				write(c, 101, 130)
				f.kill(m, pipeline)
				f.pass(time.Hour)
				write(c, 131, 150)
				f.start()
				f.pass(5 * time.Minute)
				got := f.sink.Of("web")
				if assert.NotEmpty(f.t, got) {
					assert.Equal(f.t, numbered(151-len(got), 150), got)
					assert.InDelta(f.t, 60, len(got), 2, "ten lines or seconds before the first start, and all since")
				}
			})
		})
	}
}

// A receiver that ends before it has found where max_records begins leaves that to the next.
func TestBackfillAfterAnEndBeforeTheFirstRead(t *testing.T) {
	for name, startAt := range map[string]StartAt{"first start": StartAtBeginning, "newly selected": StartAtEnd} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(f *fixture, _ bool) {
				f.stored()
				f.cfg.StartAt, f.cfg.Backfill = startAt, BackfillConfig{MaxRecords: 10}
				c := f.container("web")
				f.writeSlowly(c, 1, 100)
				if startAt == StartAtEnd {
					f.cfg.Exclude = []Match{{Name: "web"}}
					f.start()
					f.pass(2 * time.Minute)
					f.halt()
					f.cfg.Exclude = nil
				}
				f.engine.SetLatency(func(r enginetest.Request) time.Duration {
					if r.Kind == enginetest.KindLogs {
						return 5 * time.Second
					}
					return 0
				})
				f.start()
				f.pass(2 * time.Second)
				f.halt()
				assert.Empty(f.t, f.sink.Bodies())
				f.pass(time.Minute)
				f.engine.SetLatency(nil)
				f.start()
				f.stays(91, 100)
			})
		})
	}
}

// A container that has ended lately is read with start_at: beginning, and one that has ended
// long ago is not.
func TestContainerEndedBeforeTheFirstStart(t *testing.T) {
	for name, test := range map[string]struct {
		ago  time.Duration
		want bool
	}{
		"seconds":        {10 * time.Second, true},
		"minutes":        {30 * time.Minute, true},
		"nearly an hour": {59 * time.Minute, true},
		"an hour":        {61 * time.Minute, false},
		"a day":          {24 * time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			onEachEngine(t, func(f *fixture, _ bool) {
				f.cfg.StartAt = StartAtBeginning
				c := f.container("job")
				f.writeSlowly(c, 1, 20)
				c.Exit(1)
				f.pass(test.ago)
				f.start()
				if test.want {
					f.stays(1, 20)
				} else {
					f.pass(5 * time.Minute)
					assert.Empty(f.t, f.sink.Bodies())
				}
				f.bounded(0)
			})
		})
	}
}
