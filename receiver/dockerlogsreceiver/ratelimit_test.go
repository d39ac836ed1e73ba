// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// notes are the records that no container has written, by event.name.
func (f *fixture) notes(name string) (list []logstest.Record) {
	for _, rec := range f.sink.All() {
		if rec.EventName == name {
			list = append(list, rec)
		}
	}
	return list
}

// TestDelay holds that a container which writes more than its limit is read slower, without a
// loss, a repeat or a change of order, that no follow waits meanwhile, and that other containers
// are read as ever.
func TestDelay(t *testing.T) {
	const perSecond, burst, lines = 50, 20, 3000
	eachWay(t, func(tr *trial, _ *memory) {
		tr.cfg.Overrides = []Override{{
			Match: Match{Name: "loud"}, RateLimit: &RateLimitConfig{RecordsPerSecond: perSecond, Burst: burst},
		}}
		loud, quiet := tr.container("loud"), tr.container("quiet")
		tr.start()
		tr.pass(time.Minute)
		began := time.Now()
		for second := range 60 {
			tr.write(quiet, stdout, 1)
			if second < 30 {
				tr.write(loud, stdout, lines/60)
				tr.write(loud, stderr, lines/60)
			}
			tr.pass(time.Second)
			// What a follow has brought when it ends is paid for later.
			most := burst + int(time.Since(began).Seconds()*perSecond) + 1
			require.LessOrEqual(tr.t, tr.sink.Count("loud"), most, "second %d", second)
			require.GreaterOrEqual(tr.t, tr.sink.Count("quiet"), second-35, "second %d", second)
		}
		assert.Greater(tr.t, tr.sink.Count("loud"), lines/2)
		if tr.cfg.Strategy == StrategyStreaming {
			assert.Equal(tr.t, 60, tr.sink.Count("quiet"))
			assert.Equal(tr.t, 1, tr.engine.OpenFollows(), "that of the other")
			assert.EqualValues(tr.t, 1, tr.metric("captures", "state=delayed"))
		}
		tr.complete()
		assert.Zero(tr.t, tr.metric("reopens", "stalled_pipeline"))
		assert.Zero(tr.t, tr.metric("rate_limited_records"))
		assert.Zero(tr.t, tr.logged(zap.WarnLevel, "rate limit"))
		if tr.files {
			assert.Positive(tr.t, tr.metric("strategy_changes", "to=file"))
		}
		tr.conclude()
	})
}

// TestDelayWithinTheLimit holds that a limit which is kept to changes nothing.
func TestDelayWithinTheLimit(t *testing.T) {
	eachWay(t, func(tr *trial, _ *memory) {
		tr.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 100, Burst: 1000}
		c := tr.begin()
		tr.pass(time.Minute)
		requests := tr.requests(enginetest.KindLogs)
		tr.writing(60, time.Second, c, 10)
		if tr.cfg.Strategy == StrategyStreaming {
			assert.Equal(tr.t, 610, tr.sink.Count("web"))
			assert.Equal(tr.t, requests, tr.requests(enginetest.KindLogs), "it is followed")
		}
		tr.conclude()
	})
}

// TestShutdownWhileDelayed holds that the receiver stops at once, and goes on where it was.
func TestShutdownWhileDelayed(t *testing.T) {
	eachWay(t, func(tr *trial, _ *memory) {
		tr.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 1, Burst: 5}
		c := tr.begin()
		tr.pass(time.Minute)
		tr.write(c, stdout, 100)
		tr.pass(40 * time.Second)
		before := tr.sink.Count("")
		require.Less(tr.t, before, 60)
		began := time.Now()
		tr.halt()
		assert.Zero(tr.t, time.Since(began))
		assert.LessOrEqual(tr.t, tr.sink.Count(""), before+6, "what was in hand")
		tr.start()
		tr.complete()
		tr.conclude()
	})
}

// TestKillWhileDelayed holds that nothing is lost, and that what repeats has its uid.
func TestKillWhileDelayed(t *testing.T) {
	eachStrategy(t, func(tr *trial, m *memory) {
		tr.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 10, Burst: 5}
		pipeline := &mortal{Logs: tr.sink}
		tr.renew(pipeline)
		c := tr.begin()
		tr.pass(time.Minute)
		tr.write(c, stdout, 200)
		tr.pass(5 * time.Second)
		uids := make(map[string]string)
		for _, rec := range tr.kill(m, pipeline) {
			uids[rec.Body] = rec.UID
		}
		require.Less(tr.t, len(uids), 150)
		tr.start()
		tr.await("all", func() bool {
			all := len(uids)
			for _, rec := range tr.sink.All() {
				if _, again := uids[rec.Body]; !again {
					all++
				}
			}
			return all == tr.wanted
		})
		for _, rec := range tr.sink.All() {
			if uid, again := uids[rec.Body]; again {
				assert.Equal(tr.t, uid, rec.UID)
			}
		}
		assert.Zero(tr.t, tr.metric("gaps"))
	})
}

// TestRotationWhileDelayed holds that what the engine throws away meanwhile is a gap that is
// counted, and that the rest goes on.
func TestRotationWhileDelayed(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 10, Burst: 10}
		c := f.followed()
		for i := range 100 {
			write(c, 50*i+1, 50*i+50)
			c.Rotate(100)
			f.pass(time.Second)
		}
		f.eventually("the last line", func() bool {
			bodies := f.sink.Bodies()
			return bodies[len(bodies)-1] == "line 5000"
		})
		assert.Positive(t, f.metric("gaps", "rotated"))
		write(c, 5001, 5003)
		f.eventually("what comes later", func() bool {
			bodies := f.sink.Bodies()
			return bodies[len(bodies)-1] == "line 5003"
		})
	})
}

// TestDrop holds that what exceeds the limit is dropped and counted, one by one, that this
// depends on when the lines were written and not on how they are read, and that a record says
// how many they were.
func TestDrop(t *testing.T) {
	const perSecond, burst = 10, 20
	eachWay(t, func(tr *trial, _ *memory) {
		tr.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: perSecond, Burst: burst, OnExcess: OnExcessDrop}
		c := tr.container("loud")
		tr.start()
		written := 0
		put := func(n int) {
			write(c, written+1, written+n)
			written += n
		}
		put(burst)
		tr.pass(time.Minute)
		var want []string
		want = append(want, numbered(1, burst)...)
		put(100) // what the bucket holds passes
		want = append(want, numbered(written-100+1, written-100+burst)...)
		for range 5 {
			tr.pass(time.Second)
			put(perSecond + 5)
			want = append(want, numbered(written-perSecond-4, written-5)...)
		}
		last := time.Now()
		tr.pass(2 * time.Minute)
		put(burst)
		want = append(want, numbered(written-burst+1, written)...)
		tr.pass(time.Minute)

		var got []string
		for _, rec := range tr.sink.All() {
			if rec.EventName == "" {
				got = append(got, rec.Body)
			}
		}
		require.Equal(tr.t, want, got)
		dropped := written - len(want)
		assert.EqualValues(tr.t, dropped, tr.metric("rate_limited_records"))
		assert.EqualValues(tr.t, len(want), tr.metric("records"))
		notes := tr.notes(eventRateLimited)
		require.Len(tr.t, notes, 1, "one episode")
		note := notes[0]
		assert.Equal(tr.t, plog.SeverityNumberWarn, note.Severity)
		assert.EqualValues(tr.t, dropped, note.Attributes["docker_logs.rate_limit.dropped_records"])
		assert.EqualValues(tr.t, perSecond, note.Attributes["docker_logs.rate_limit.records_per_second"])
		assert.Contains(tr.t, note.Body, fmt.Sprint(dropped, " records of this container were dropped"))
		assert.Equal(tr.t, "loud", note.Container())
		assert.WithinDuration(tr.t, last, note.Time, time.Microsecond, "that of the last one that was dropped")
		assert.Equal(tr.t, 1, tr.logged(zap.WarnLevel, "records of this container were dropped"))

		// What was dropped is not read again.
		calls := tr.sink.Count("")
		tr.halt()
		tr.start()
		tr.pass(5 * time.Minute)
		assert.Equal(tr.t, calls, tr.sink.Count(""))
		assert.Zero(tr.t, tr.metric("gaps"))
	})
}

// TestDropForLong holds that a container which never keeps to its limit is told of once a
// minute, that all the numbers add up, and that the last is told at the end.
func TestDropForLong(t *testing.T) {
	eachWay(t, func(tr *trial, _ *memory) {
		tr.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 10, OnExcess: OnExcessDrop}
		c := tr.container("loud")
		tr.start()
		const minutes, lines = 5, 25
		for i := range 60 * minutes {
			write(c, lines*i+1, lines*i+lines)
			tr.pass(time.Second)
		}
		// A container that is polled is read once more.
		tr.pass(time.Minute)
		tr.stop()
		var dropped int64
		notes := tr.notes(eventRateLimited)
		for _, note := range notes {
			dropped += note.Attributes["docker_logs.rate_limit.dropped_records"].(int64)
		}
		assert.InDelta(tr.t, minutes, len(notes), 1)
		assert.Equal(tr.t, len(notes), tr.logged(zap.WarnLevel, "records of this container were dropped"))
		admitted := tr.sink.Count("") - len(notes)
		assert.EqualValues(tr.t, 60*minutes*lines, dropped+int64(admitted))
		assert.Equal(tr.t, dropped, tr.metric("rate_limited_records"))
		assert.Equal(tr.t, 60*minutes*10, admitted)
	})
}

// TestDropWhileThePipelineIsHeld holds that what is dropped takes bounded memory while nothing
// is accepted.
func TestDropWhileThePipelineIsHeld(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyPolling
		f.cfg.Batch.MaxBytes = minBufferSize
		f.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 1, OnExcess: OnExcessDrop}
		c := f.container("loud")
		f.start()
		f.sink.Hold(false)
		const lines = 20000
		write(c, 1, lines)
		f.pass(time.Minute)
		assert.Less(t, f.metric("rate_limited_records"), int64(lines))
		f.sink.Open()
		f.pass(time.Minute)
		assert.EqualValues(t, lines-1, f.metric("rate_limited_records"))
		require.Equal(t, "line 1", f.sink.Bodies()[0])
	})
}

// TestDropHeedsTheClock holds that a clock which is set back does not stop the bucket from
// filling, and that two streams which overtake one another do not fill it twice.
func TestDropHeedsTheClock(t *testing.T) {
	at := func(d time.Duration) position.ID { return position.ID{Time: int64(1e18) + int64(d)} }
	l := newLimiter(RateLimitConfig{RecordsPerSecond: 10, OnExcess: OnExcessDrop})
	admitted := func(times ...time.Duration) (n int) {
		for _, d := range times {
			if !l.drop(at(d)) {
				n++
			}
		}
		return n
	}
	for range 10 {
		admitted(0)
	}
	var zigzag []time.Duration
	for i := range 100 {
		zigzag = append(zigzag, time.Second+time.Duration(i)*time.Millisecond, 500*time.Millisecond+time.Duration(i)*time.Millisecond)
	}
	assert.Equal(t, 10, admitted(zigzag...)) // and what 99 ms fill is not a whole one
	assert.Zero(t, admitted(-time.Hour))
	assert.Equal(t, 1, admitted(-time.Hour+100*time.Millisecond))
}

// TestRateLimitLabel holds that a container's label is heeded, and that a wrong one is logged
// once and what is configured used.
func TestRateLimitLabel(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.RateLimit = RateLimitConfig{RecordsPerSecond: 5, OnExcess: OnExcessDrop}
		labelled := func(name, value string) *enginetest.Container {
			return f.engine.Add(enginetest.ContainerSpec{
				Name: name, Running: true, Labels: map[string]string{"io.opentelemetry.docker_logs.rate_limit": value},
			})
		}
		all := []*enginetest.Container{f.container("plain"), labelled("more", "50"), labelled("free", "0"), labelled("wrong", "lots")}
		f.start()
		for range 3 {
			for _, c := range all {
				write(c, 1, 100)
			}
			f.pass(2 * time.Minute)
			f.engine.CutEvents() // all are looked at again
			f.pass(time.Minute)
		}
		got := make(map[string]int)
		for _, rec := range f.sink.All() {
			if rec.EventName == "" {
				got[rec.Container()]++
			}
		}
		assert.Equal(t, map[string]int{"plain": 15, "more": 150, "free": 300, "wrong": 15}, got)
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "a label of this container is not understood"))
	})
}
