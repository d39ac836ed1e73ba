// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// TestBeforeABadRecord has an engine that reports a record which it cannot read ahead of those
// before it: these must arrive, once, whatever it does.
func TestBeforeABadRecord(t *testing.T) {
	flavors := map[string]enginetest.Option{"20": enginetest.Docker20(), "26": enginetest.Docker26(), "29": enginetest.Docker29()}
	for name, test := range map[string]struct {
		read, bad, lines int // read before the others are written, the bad record, and all
		tty              bool
	}{
		"in a backlog":            {read: 0, bad: 5000, lines: 6000},
		"early in a backlog":      {read: 0, bad: 7, lines: 6000},
		"in a backlog, the first": {read: 0, bad: 0, lines: 100},
		"in a backlog, the last":  {read: 0, bad: 2999, lines: 3000},
		"in what is new":          {read: 100, bad: 2500, lines: 3000},
		"the first that is new":   {read: 3000, bad: 3000, lines: 3020},
		"far behind":              {read: 100, bad: 2000, lines: 20_000},
		"of a terminal":           {read: 100, bad: 2500, lines: 3000, tty: true},
	} {
		for engine, flavor := range flavors {
			t.Run(name+" on "+engine, func(t *testing.T) {
				withEngine(t, enginetest.ContainerSpec{TTY: test.tty}, func(f *fixture) {
					f.acceptAtOnce()
					f.writeSlowly(0, test.read)
					f.read(strategy.Plan{})
					f.container.Poison(test.bad, "invalid character 'l' after object key")
					f.writeSlowly(test.read, test.lines)
					before := f.logRequests()
					gaps := f.readOn()
					// What a tail and the halving of the time take, and the reads that look again.
					assert.Less(t, f.logRequests()-before, 160)
					lines := test.lines
					if test.bad == lines-1 { // only now something is behind
						f.writeSlowly(lines, lines+5)
						lines += 5
						gaps = append(gaps, f.readOn()...)
					}
					assert.Equal(t, []Gap{GapUnreadableRecord}, gaps)
					f.assertOnce(lines, test.bad)
					before = f.logRequests()
					f.writeSlowly(lines, lines+100)
					assert.Empty(t, f.readOn())
					f.assertOnce(lines+100, test.bad)
					assert.Less(t, f.logRequests()-before, 40)
				}, flavor)
			})
		}
	}
}

// TestBeforeABadRecordOfBothStreams: the time stamps of the two run backwards, and a long line of
// one has others between its chunks.
func TestBeforeABadRecordOfBothStreams(t *testing.T) {
	withEngine(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.acceptAtOnce()
		chunk := make([]byte, 16384)
		for i := range chunk {
			chunk[i] = 'x'
		}
		began := time.Now()
		f.container.WriteAt(began, enginetest.Stdout, "first\n")
		f.container.WriteAt(began, enginetest.Stderr, "first of stderr\n")
		f.read(strategy.Plan{})
		want := []string{"first", "first of stderr"}
		write := func(at time.Duration, stream enginetest.Stream, text string) {
			f.container.WriteAt(began.Add(at), stream, text+"\n")
			want = append(want, text)
		}
		for i := range 1000 {
			at := time.Duration(i+1) * 10 * time.Millisecond
			write(at, enginetest.Stdout, fmt.Sprint("out ", i))
			if i%10 == 0 {
				write(at-25*time.Millisecond, enginetest.Stderr, fmt.Sprint("late ", i))
			}
			if i%100 == 50 {
				f.container.WriteChunk(began.Add(at+1), enginetest.Stderr, string(chunk), false)
				write(at+2, enginetest.Stdout, fmt.Sprint("between ", i))
				f.container.WriteChunk(began.Add(at+1), enginetest.Stderr, fmt.Sprint(i), true)
				want = append(want, string(chunk)+fmt.Sprint(i))
			}
		}
		time.Sleep(20 * time.Second)
		f.container.Poison(f.container.Written(), "bad")
		f.container.Write(enginetest.Stdout, "bad\nbehind\n")
		want = append(want, "behind")
		assert.Equal(t, []Gap{GapUnreadableRecord}, f.readOn())
		assert.Equal(t, brief(slices.Sorted(slices.Values(want))), brief(slices.Sorted(slices.Values(f.taken))))
	}, enginetest.Docker26())
}

// TestBeforeABadRecordIsInterrupted: what could not be asked for is asked for again.
func TestBeforeABadRecordIsInterrupted(t *testing.T) {
	withEngine(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.acceptAtOnce()
		f.writeSlowly(0, 100)
		f.read(strategy.Plan{})
		f.container.Poison(2500, "bad")
		f.writeSlowly(100, 3000)
		refused := 0
		f.engine.SetLatency(func(r enginetest.Request) time.Duration {
			if refused < 3 && r.Kind == enginetest.KindLogs && r.Query.Has("until") && r.Query.Get("until") != "" {
				refused++
				f.container.SetFaults(enginetest.Faults{Status: 500})
			}
			return 0
		})
		var gaps []Gap
		for range 8 {
			gaps = append(gaps, f.readOn()...)
			f.container.SetFaults(enginetest.Faults{})
		}
		assert.Equal(t, 3, refused)
		assert.Equal(t, []Gap{GapUnreadableRecord}, gaps)
		f.assertOnce(3000, 2500)
	}, enginetest.Docker26())
}

// TestBeforeABadRecordOfALoudContainer: what is written meanwhile arrives too.
func TestBeforeABadRecordOfALoudContainer(t *testing.T) {
	withEngine(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.acceptAtOnce()
		f.writeSlowly(0, 100)
		f.read(strategy.Plan{})
		f.container.Poison(2500, "bad")
		lines := 3000
		f.writeSlowly(100, lines)
		f.engine.SetLatency(func(r enginetest.Request) time.Duration {
			if r.Kind == enginetest.KindLogs && r.Query.Get("until") != "" {
				f.writeSlowly(lines, lines+20)
				lines += 20
			}
			return 0
		})
		assert.Equal(t, []Gap{GapUnreadableRecord}, f.readOn())
		f.engine.SetLatency(nil)
		f.readOn()
		assert.Greater(t, lines, 3200)
		f.assertOnce(lines, 2500)
	}, enginetest.Docker26())
}

// acceptAtOnce makes the fixture accept all that is read.
func (f *fixture) acceptAtOnce() {
	f.flush = func(context.Context) error {
		f.source.Commit(f.delivered)
		f.delivered = nil
		return nil
	}
}

// writeSlowly writes the lines of these numbers, from included, a millisecond apart.
func (f *fixture) writeSlowly(from, to int) {
	for i := from; i < to; i++ {
		time.Sleep(time.Millisecond)
		f.container.Write(enginetest.Stdout, fmt.Sprintf("line %d\n", i))
	}
}

// readOn reads until a read comes to the end, some times at most, and returns the gaps.
func (f *fixture) readOn() (gaps []Gap) {
	for range 5 * badRecordStops { // some of them may bring a record or two
		result := f.read(strategy.Plan{})
		gaps = append(gaps, f.gaps...)
		if result.End == Complete || errors.Is(result.Err, errBadNewest) {
			break
		}
		time.Sleep(time.Second)
	}
	return gaps
}

// assertOnce asserts that of so many lines all but one have arrived once.
func (f *fixture) assertOnce(lines, bad int) {
	f.t.Helper()
	got := make(map[string]int)
	for _, line := range f.taken {
		got[line]++
	}
	lost := 0
	for i := range lines {
		n := got[fmt.Sprintf("line %d", i)]
		if i == bad {
			assert.Zero(f.t, n, "the bad record")
			continue
		}
		if n == 0 {
			lost++
		}
		assert.LessOrEqual(f.t, n, 1, "line %d", i)
	}
	assert.Zero(f.t, lost, "lines lost")
}
