// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// writeFrom writes the lines of these numbers, from included, a second apart every hundred.
func (f *fixture) writeFrom(from, to int) {
	for i := from; i < to; i++ {
		if i%100 == 99 {
			time.Sleep(time.Second)
		}
		f.container.Write(enginetest.Stdout, fmt.Sprintf("line %d\n", i))
	}
}

// logRequests counts the requests for logs so far.
func (f *fixture) logRequests() (n int) {
	for _, request := range f.engine.Requests() {
		if request.Kind == enginetest.KindLogs {
			n++
		}
	}
	return n
}

// TestHoles has a record that an engine leaves out together with some behind it, without a
// word: the latter must arrive, once, and the former is told as one gap.
func TestHoles(t *testing.T) {
	for name, test := range map[string]struct {
		before, lines int // read before the others are written, and in all
		bad, skips    int
		lost          int
		gaps          int
	}{
		"in a backlog":                {0, 3497, 105, 161, 1, 1},
		"in a backlog, near its end":  {0, 3000, 2990, 8, 1, 1},
		"in a backlog, the last":      {0, 3000, 2999, 1, 1, 1},
		"in what is new":              {100, 120, 105, 10, 1, 1},
		"the first that is new":       {3000, 3020, 3000, 10, 1, 1},
		"in what is known":            {100, 110, 50, 20, 0, 0},
		"in what is known and is new": {100, 110, 95, 10, 0, 0},
		"in more than is remembered":  {0, position.MaxRecords + 2000, 1000, 100, 101, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.flush = func(context.Context) error { // accepts at once
					f.source.Commit(f.delivered)
					f.delivered = nil
					return nil
				}
				f.writeFrom(0, test.before)
				f.read(strategy.Plan{})
				time.Sleep(time.Minute)
				f.container.Damage(test.bad, test.skips)
				f.writeFrom(test.before, test.lines)
				result := f.read(strategy.Plan{})
				assert.Equal(t, Complete, result.End, "%v", result.Err)
				gaps := len(f.gaps)
				before := f.logRequests()
				assert.LessOrEqual(t, before, 40)
				for range 10 {
					time.Sleep(time.Minute)
					f.writeFrom(test.lines, test.lines+5)
					test.lines += 5
					f.read(strategy.Plan{})
					gaps += len(f.gaps)
				}
				assert.LessOrEqual(t, f.logRequests()-before, 60)
				taken := slices.Compact(slices.Sorted(slices.Values(f.taken)))
				assert.Equal(t, len(taken), len(f.taken), "repeated")
				assert.Equal(t, test.lines-test.lost, len(taken))
				assert.Equal(t, test.gaps, gaps)
			})
		})
	}
}

// TestHoleThatAReadDidNotNotice: an answer to which lines were added while it was read has as many
// as were asked for, in spite of a hole. The next read fills it, and counts what is missing.
func TestHoleThatAReadDidNotNotice(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.writeFrom(0, 100)
		f.read(strategy.Plan{})
		f.container.Damage(100, 10)
		f.writeFrom(100, 120)
		details, err := f.client.Inspect(f.t.Context(), f.container.ID())
		require.NoError(f.t, err)
		r := &reading{Source: f.source, container: &details, out: f, began: f.source.pos.End()}
		got, err := r.read(f.t.Context(), engine.LogsQuery{Tail: 10}, strategy.Plan{}, f.source.pos.BeginBehind(10))
		require.NoError(f.t, err)
		require.Equal(f.t, position.Complete, got.outcome)
		result := f.read(strategy.Plan{})
		assert.Equal(f.t, Complete, result.End, "%v", result.Err)
		assert.Equal(f.t, []Gap{GapUnreadableRecord}, f.gaps)
		taken := slices.Compact(slices.Sorted(slices.Values(f.taken)))
		assert.Len(f.t, f.taken, 119)
		assert.Len(f.t, taken, 119, "repeated")
		assert.NotContains(f.t, taken, "line 100")
	})
}

// TestHoleBehindWhichMuchIsWritten: the answer that is to show the hole begins behind it, as so much
// has been written meanwhile.
func TestHoleBehindWhichMuchIsWritten(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.writeFrom(0, 3000)
		f.container.Damage(105, 161)
		wrote := false
		f.flush = func(context.Context) error {
			if !wrote {
				wrote = true
				f.writeFrom(3000, 3500)
			}
			return nil
		}
		gaps := 0
		for range 2 {
			result := f.read(strategy.Plan{})
			assert.Equal(f.t, Complete, result.End, "%v", result.Err)
			gaps += len(f.gaps)
		}
		assert.Equal(f.t, 1, gaps)
		assert.Equal(f.t, 3499, len(f.taken))
		assert.Equal(f.t, 3499, len(slices.Compact(slices.Sorted(slices.Values(f.taken)))), "repeated")
	})
}

// TestHoleThatHidesAllThatIsKnown: that the log has nothing known is not taken for a rotation,
// after which all of it would be delivered again.
func TestHoleThatHidesAllThatIsKnown(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.writeFrom(0, 3000)
		for range 2 { // the second finds nothing new, and only the newest stay remembered
			f.read(strategy.Plan{})
			f.source.Commit(f.delivered)
			f.delivered = nil
			time.Sleep(time.Minute)
		}
		f.container.Damage(2900, 150)
		f.writeFrom(3000, 3500)
		result := f.read(strategy.Plan{})
		assert.Equal(t, Complete, result.End, "%v", result.Err)
		assert.Empty(t, f.gaps)
		assert.Len(t, f.taken, 3500)
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(f.taken))), 3500, "repeated")
	})
}

// What came late is remembered in the order of the log: else the next answer would seem to
// end before the newest record that is known, and what the log has behind what came late
// would be forgotten first, and read again as new.
func TestWhatCameLateIsRememberedInOrder(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.writeFrom(0, 100)
		f.read(strategy.Plan{})
		f.container.Damage(120, 30)
		f.writeFrom(100, 200)
		f.read(strategy.Plan{})
		f.source.Commit(f.delivered)
		assert.Equal(t, 199, len(f.taken))
		for _, tail := range []int{0, 1000} { // the first shrinks what is remembered
			f.source.minTail = tail
			result := f.read(strategy.Plan{})
			assert.Equal(t, Complete, result.End, "%v", result.Err)
			assert.Zero(t, result.New)
		}
	})
}

// Another engine ends its answer at the bad record.
func TestAnswerThatEndsInTheMiddle(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.writeFrom(0, 3000)
		f.container.Poison(100, "")
		result := f.read(strategy.Plan{})
		assert.Equal(t, Complete, result.End, "%v", result.Err)
		assert.Equal(t, []Gap{GapUnreadableRecord}, f.gaps)
		assert.Equal(t, 2999, len(f.taken))
		assert.Less(t, f.logRequests(), 40)
	})
}

// TestMuchBehindABadRecord: what has been written behind a record that cannot be read arrives
// whole, though it was little when the reads before were made.
func TestMuchBehindABadRecord(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.writeFrom(0, 3000)
		for range 2 { // the second finds nothing new, and only the newest stay remembered
			f.read(strategy.Plan{})
			f.source.Commit(f.delivered)
			f.delivered = nil
		}
		f.container.Poison(2999, "")
		f.writeFrom(3000, 3005)
		for range badRecordStops - 1 {
			assert.NotEqual(t, Complete, f.read(strategy.Plan{}).End)
		}
		answers := 0
		f.engine.SetLatency(func(r enginetest.Request) time.Duration {
			if r.Kind == enginetest.KindLogs {
				if answers++; answers == 2 {
					f.writeFrom(3005, 3500)
				}
			}
			return 0
		})
		assert.Equal(t, Complete, f.read(strategy.Plan{}).End)
		assert.Len(t, f.taken, 3500)
	})
}

// A log that grows and rotates between any two requests has no holes.
func TestRotationIsNoHole(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.engine.SetLatency(func(enginetest.Request) time.Duration { return 20 * time.Millisecond })
		const lines = 60_000
		var writer sync.WaitGroup
		writer.Go(func() {
			for i := range lines {
				f.container.Write(enginetest.Stdout, fmt.Sprintf("line %d\n", i))
				time.Sleep(time.Millisecond)
				if i%401 == 400 {
					f.container.Rotate(0)
				}
			}
		})
		gaps := make(map[Gap]int)
		for began := time.Now(); time.Since(began) < lines*time.Millisecond+time.Second; time.Sleep(250 * time.Millisecond) {
			result := f.read(strategy.Plan{})
			assert.Equal(t, Complete, result.End, "%v", result.Err)
			f.source.Commit(f.delivered)
			f.delivered = nil
			for _, gap := range f.gaps {
				gaps[gap]++
			}
		}
		writer.Wait()
		assert.Zero(t, gaps[GapUnreadableRecord])
		assert.LessOrEqual(t, gaps[GapRotated], lines/401+1)
		taken := slices.Compact(slices.Sorted(slices.Values(f.taken)))
		assert.Equal(t, len(taken), len(f.taken), "repeated")
		assert.Greater(t, len(taken), lines/4)
	})
}

// Whether a short log is whole is asked when something is new, or has been lost.
func TestShortLogCostsFewRequests(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for i, step := range []struct {
			act      func()
			requests int
		}{
			{func() {}, 1},
			{func() { f.write(10) }, 2},
			{func() {}, 1},
			{func() { f.write(2) }, 2},
			{func() { f.container.Rotate(5) }, 2},
			{func() {}, 1},
			{func() { f.write(100); f.read(strategy.Plan{}); f.source.rate = rate{} }, 1},
		} {
			step.act()
			before := f.logRequests()
			f.read(strategy.Plan{})
			assert.Equal(t, step.requests, f.logRequests()-before, "step %d", i)
		}
	})
}

// TestLineThatGrowsBetweenTwoAnswers: of a log that holds nothing but the beginning of a long
// line, a second answer that begins later is not asked for: it would be taken for a line.
func TestLineThatGrowsBetweenTwoAnswers(t *testing.T) {
	inBubble(t, func(f *fixture) {
		chunk := func(text string) string { return strings.Repeat(text, 16384) }
		at := time.Now()
		f.container.WriteChunk(at, enginetest.Stdout, chunk("a"), false)
		answers := 0
		f.engine.SetLatency(func(r enginetest.Request) time.Duration {
			if r.Kind == enginetest.KindLogs {
				if answers++; answers == 2 {
					f.container.WriteChunk(at, enginetest.Stdout, chunk("b"), false)
					f.container.WriteChunk(at, enginetest.Stdout, "c", true)
				}
			}
			return 0
		})
		for range 3 {
			assert.Equal(t, Complete, f.read(strategy.Plan{}).End)
		}
		assert.Equal(t, brief([]string{chunk("a") + chunk("b") + "c"}), brief(f.taken))
	})
}

// TestReadsThatGoOn has answers with more records than were asked for, since more are written
// while a journal is read. That is no hole.
func TestReadsThatGoOn(t *testing.T) {
	inBubble(t, func(f *fixture) {
		random := rand.New(rand.NewPCG(1, 2))
		f.container.SetFaults(enginetest.Faults{ReadOn: func() int { return random.IntN(3) }})
		f.flush = func(context.Context) error {
			f.source.Commit(f.delivered)
			f.delivered = nil
			return nil
		}
		lines := 0
		for range 200 {
			more := random.IntN(400)
			f.writeFrom(lines, lines+more)
			lines += more
			result := f.read(strategy.Plan{})
			assert.Equal(t, Complete, result.End, "%v", result.Err)
			assert.Empty(t, f.gaps)
			time.Sleep(time.Minute)
		}
		assert.Len(t, f.taken, lines)
		for i, line := range f.taken {
			if !assert.Equal(t, fmt.Sprint("line ", i), line) {
				break
			}
		}
	})
}
