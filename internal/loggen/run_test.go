// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// write is one Write to a tape.
type write struct {
	at     time.Duration // since the tape began
	stderr bool
	text   string
}

// tape records writes to two streams in their order. Its clock is that of the bubble.
type tape struct {
	start  time.Time
	writes []write
	delay  func(at time.Duration) time.Duration // how long a write takes
}

func newTape() *tape { return &tape{start: time.Now()} }

type tapeStream struct {
	*tape
	stderr bool
}

func (s tapeStream) Write(p []byte) (int, error) {
	at := time.Since(s.start)
	s.writes = append(s.writes, write{at, s.stderr, string(p)})
	if s.delay != nil {
		time.Sleep(s.delay(at))
	}
	return len(p), nil
}

func (r *tape) run(t *testing.T, ctx context.Context, o Options) Report {
	t.Helper()
	report, err := Run(ctx, o, tapeStream{r, false}, tapeStream{r, true})
	require.NoError(t, err)
	return report
}

// until is how many lines were out at a time.
func (r *tape) until(at time.Duration) int {
	lines := 0
	for _, w := range r.writes {
		if w.at <= at {
			lines += strings.Count(w.text, "\n")
		}
	}
	return lines
}

// check feeds a checker with everything, as a reader that joins the writes of each stream would.
func (r *tape) check(t *testing.T, o Options, report Report) {
	t.Helper()
	var streams [2]strings.Builder
	for _, w := range r.writes {
		i := 0
		if w.stderr {
			i = 1
		}
		streams[i].WriteString(w.text)
	}
	var c Checker
	o.Lines = report.Lines
	c.Expect(o)
	for i := range streams {
		text := streams[i].String()
		for line := range strings.Lines(text) {
			c.Add([]byte(strings.TrimSuffix(line, "\n")), i == 1)
		}
	}
	require.NoError(t, c.Err())
	assert.Equal(t, o.Blanks(report.Lines), c.Blank())
	assert.Equal(t, report.Blank, c.Blank())
	if o.CRLF {
		ends := report.Lines
		if o.NoFinalNewline {
			ends--
		}
		assert.Equal(t, ends, c.Tallies()[o.Source].CarriageReturns)
	}
	assert.EqualValues(t, streams[0].Len()+streams[1].Len(), report.Bytes)
	assert.EqualValues(t, len(r.writes), report.Writes)
}

func TestRateIsKept(t *testing.T) {
	for _, rate := range []float64{0.5, 10, 999, 100_000} {
		synctest.Test(t, func(t *testing.T) {
			o := Options{Source: "web", Rate: rate, Lines: uint64(rate*3) + 2, StartDelay: time.Minute}
			tape := newTape()
			report := tape.run(t, t.Context(), o)
			tape.check(t, o, report)
			want := time.Duration(float64(o.Lines-1) / rate * float64(time.Second))
			assert.InDelta(t, want, report.Elapsed, float64(2*minWait))
			assert.True(t, report.KeptRate)
			assert.Zero(t, report.LateLines)
			assert.LessOrEqual(t, report.MaxLag, 2*minWait)
			assert.Equal(t, time.Minute, tape.writes[0].at)
			assert.InDelta(t, rate, tape.until(time.Minute+time.Second), rate/100+1)
		})
	}
}

func TestBursts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Source: "web", BurstSize: 100, BurstEvery: 10 * time.Second, Lines: 250}
		tape := newTape()
		report := tape.run(t, t.Context(), o)
		tape.check(t, o, report)
		require.Len(t, tape.writes, 3)
		for i, lines := range []int{100, 200, 250} {
			assert.Equal(t, time.Duration(i)*o.BurstEvery, tape.writes[i].at)
			assert.Equal(t, lines, tape.until(tape.writes[i].at))
		}
		assert.True(t, report.KeptRate)
	})
}

func TestBurstsOnTopOfARate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Source: "web", Rate: 10, BurstSize: 1000, BurstEvery: time.Minute, Lines: 2602}
		tape := newTape()
		tape.check(t, o, tape.run(t, t.Context(), o))
		assert.Equal(t, 1001, tape.until(0))
		assert.Equal(t, 1001+590, tape.until(59*time.Second))
		assert.Equal(t, 2000+601, tape.until(time.Minute))
		assert.Equal(t, 2602, tape.until(time.Minute+100*time.Millisecond))
	})
}

func TestFallingBehindIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The pipe is full from second 1 to second 3: what was due from then until 100 ms before its end comes late, then the rate is
		// made up for.
		o := Options{Source: "web", Rate: 100, Lines: 1000}
		tape := newTape()
		tape.delay = func(at time.Duration) time.Duration {
			if at >= time.Second && at < 3*time.Second {
				return 3*time.Second - at
			}
			return 0
		}
		report := tape.run(t, t.Context(), o)
		tape.check(t, o, report)
		assert.False(t, report.KeptRate)
		assert.EqualValues(t, 190, report.LateLines)
		assert.Equal(t, 2*time.Second, report.MaxLag)
		assert.InDelta(t, 100, report.Rate, 1)
	})
	synctest.Test(t, func(t *testing.T) {
		// A pipe that takes half the rate.
		o := Options{Source: "web", Rate: 1000, Lines: 5000}
		tape := newTape()
		report := func() Report {
			tape.delay = func(time.Duration) time.Duration {
				lines := strings.Count(tape.writes[len(tape.writes)-1].text, "\n")
				return time.Duration(lines) * 2 * time.Millisecond
			}
			return tape.run(t, t.Context(), o)
		}()
		assert.False(t, report.KeptRate)
		assert.InDelta(t, 500, report.Rate, 5)
		assert.Greater(t, report.MaxLag, 4*time.Second)
	})
}

func TestPartialLinesTakeTwoWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{Source: "web", Lines: 9, PartialEvery: 3, StderrShare: 0.5, CRLF: true, BlankEvery: 2, NoFinalNewline: true}
		tape := newTape()
		tape.check(t, o, tape.run(t, t.Context(), o))
		var pauses int
		for i, w := range tape.writes[:len(tape.writes)-1] {
			if !strings.HasSuffix(w.text, "\n") {
				pauses++
				next := tape.writes[i+1]
				assert.Equal(t, partialPause, next.at-w.at)
				assert.Equal(t, w.stderr, next.stderr)
			}
		}
		assert.Equal(t, 3, pauses)
		last := tape.writes[len(tape.writes)-1].text
		assert.False(t, strings.HasSuffix(last, "\n") || strings.HasSuffix(last, "\r"))
	})
}

func TestStreamsAreWrittenInSequence(t *testing.T) {
	o := Options{Source: "web", Lines: 2000, StderrShare: 0.1, Sizes: Sizes{{Min: 100, Max: 3000, Weight: 50}, {Min: 200_000}}}
	tape := newTape()
	report := tape.run(t, t.Context(), o)
	tape.check(t, o, report)
	var all strings.Builder
	for i, w := range tape.writes {
		all.WriteString(w.text)
		if i > 0 && w.stderr == tape.writes[i-1].stderr {
			assert.GreaterOrEqual(t, len(tape.writes[i-1].text), bufferSize, "written before it had to be")
		}
	}
	var want bytes.Buffer
	for seq := uint64(1); seq <= o.Lines; seq++ {
		want.Write(o.Line(seq).Body)
		want.WriteByte('\n')
	}
	assert.Equal(t, want.String(), all.String())
}

func TestRunStopsAfterTheLineInHand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		o := Options{Source: "web", Rate: 50, PartialEvery: 7}
		time.AfterFunc(10*time.Second+5*time.Millisecond, cancel)
		tape := newTape()
		report := tape.run(t, ctx, o)
		tape.check(t, o, report)
		assert.EqualValues(t, 501, report.Lines)
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		report := newTape().run(t, ctx, Options{Source: "web", StartDelay: time.Hour})
		assert.Zero(t, report.Lines)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestRunReportsAFailedWrite(t *testing.T) {
	r, w := io.Pipe()
	broken := errors.New("broken")
	r.CloseWithError(broken)
	report, err := Run(t.Context(), Options{Source: "web", StderrShare: 1}, io.Discard, w)
	require.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "write stderr: ")
	assert.Zero(t, report.Lines)
	_, err = Run(t.Context(), Options{}, w, w)
	assert.ErrorContains(t, err, "source: ")
}

func TestScheduleIsItsOwnInverse(t *testing.T) {
	for _, s := range []schedule{{rate: 3}, {rate: 1e-6}, {rate: 1e9}, {burstSize: 7, burstEvery: 1}, {burstSize: maxSeq, burstEvery: time.Hour}, {rate: 0.3, burstSize: 5, burstEvery: time.Second}} {
		for _, seq := range []uint64{1, 2, 6, 7, 8, 9, 1000, maxSeq} {
			at := s.at(seq)
			if s.due(at) < seq { // beyond 292 years
				assert.Equal(t, time.Duration(1<<63-1), at)
				continue
			}
			assert.Less(t, s.due(at-1), seq)
		}
	}
}
