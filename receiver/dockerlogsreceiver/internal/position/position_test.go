// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package position

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const testTime = int64(1_700_000_000e9)

func out(at time.Duration, text string) stream.Record {
	return stream.Record{Time: testTime + int64(at), Kind: stream.Stdout, Body: []byte(text)}
}

func errout(at time.Duration, text string) stream.Record {
	return stream.Record{Time: testTime + int64(at), Kind: stream.Stderr, Body: []byte(text)}
}

func coarse(rec stream.Record) stream.Record {
	rec.Time -= rec.Time % 1e9
	rec.Coarse = true
	return rec
}

// lines makes n records, step apart.
func lines(n int, step time.Duration) []stream.Record {
	log := make([]stream.Record, n)
	for i := range log {
		log[i] = out(time.Duration(i+1)*step, fmt.Sprint("line ", i))
	}
	return log
}

// readLog reads the last tail records of a log, as source does, and accepts
// what is new.
func readLog(p *Position, log []stream.Record, tail int, follow bool) (got []string, verdicts []Verdict, end Outcome) {
	if tail > 0 {
		log = log[max(0, len(log)-tail):]
	}
	c := p.Begin(tail, follow)
	for _, rec := range log {
		id := IDOf(rec)
		v := c.Judge(rec, id)
		verdicts = append(verdicts, v)
		switch v {
		case Unclear:
			return got, verdicts, Short
		case BeforeFloor:
			p.PassFloor(id)
		case Fresh:
			got = append(got, string(rec.Body))
			p.accept(id)
		}
	}
	end = c.End(len(log))
	if end == Complete && c.Proven() || end == AllNew {
		p.ClearFloor()
	}
	return got, verdicts, end
}

// accept admits a record and has it accepted.
func (p *Position) accept(id ID) {
	p.frontier.Commit([]Delivered{{Seq: p.Admit(id), ID: id}})
	p.Trim()
}

func blank() *Position { return New(Start(0)) }

// catchUp reads with longer and longer tails, as source does.
func catchUp(t *testing.T, p *Position, log []stream.Record, tail int) (got []string) {
	for {
		if p.Blank() {
			tail = 0
		}
		more, _, end := readLog(p, log, tail, false)
		got = append(got, more...)
		if end == Complete {
			return got
		}
		require.Equal(t, Short, end)
		if tail *= 8; tail > 8*len(log) {
			tail = 0
		}
	}
}

func texts(log []stream.Record) (got []string) {
	for _, rec := range log {
		got = append(got, string(rec.Body))
	}
	return got
}

func TestPositionBlankTakesAll(t *testing.T) {
	p := blank()
	log := lines(10, time.Second)
	got, _, end := readLog(p, log, 0, false)
	assert.Equal(t, texts(log), got)
	assert.Equal(t, Complete, end)
	got, _, end = readLog(p, log, 0, false)
	assert.Empty(t, got)
	assert.Equal(t, Complete, end)
}

func TestPositionResumes(t *testing.T) {
	log := lines(100, 10*time.Millisecond)
	for _, tail := range []int{0, 200, 80, 61} {
		p := blank()
		_, _, _ = readLog(p, log[:40], 0, false)
		got, _, end := readLog(p, log, tail, false)
		assert.Equal(t, texts(log[40:]), got, tail)
		assert.Equal(t, Complete, end, tail)
	}
}

func TestPositionTailTooShort(t *testing.T) {
	log := lines(100, 10*time.Millisecond)
	p := blank()
	_, _, _ = readLog(p, log[:40], 0, false)
	for _, follow := range []bool{false, true} {
		got, _, end := readLog(p, log, 60, follow)
		assert.Empty(t, got)
		assert.Equal(t, Short, end)
	}
	got, _, _ := readLog(p, log, 480, false)
	assert.Equal(t, texts(log[40:]), got)
}

func TestPositionGap(t *testing.T) {
	log := lines(100, 10*time.Millisecond)
	p := blank()
	_, _, _ = readLog(p, log[:40], 0, false)
	rotated := log[50:]
	got, _, end := readLog(p, rotated, 480, false)
	assert.Empty(t, got)
	require.Equal(t, Gap, end)
	p.Forget()
	got, _, end = readLog(p, rotated, 0, false)
	assert.Equal(t, texts(rotated), got)
	assert.Equal(t, Complete, end)
}

func TestPositionEmptiedLog(t *testing.T) {
	p := blank()
	_, _, _ = readLog(p, lines(5, time.Second), 0, false)
	_, _, end := readLog(p, nil, 32, false)
	assert.Equal(t, Complete, end)
	assert.False(t, p.Blank())
}

func TestPositionSameInstant(t *testing.T) {
	log := []stream.Record{out(1, "a"), out(1, "b"), out(1, "c"), errout(1, "a"), out(1, "d")}
	for n := range log {
		p := blank()
		_, _, _ = readLog(p, log[:n], 0, false)
		assert.Equal(t, texts(log[n:]), catchUp(t, p, log, 32), n)
	}
}

func TestPositionInvertedStreams(t *testing.T) {
	log := []stream.Record{out(10, "a"), errout(30, "b"), out(20, "c"), errout(25, "d"), out(40, "e")}
	for n := range log {
		p := blank()
		_, _, _ = readLog(p, log[:n], 0, false)
		assert.Equal(t, texts(log[n:]), catchUp(t, p, log, 2), n)
	}
}

func TestPositionRepeatsOfTheEngine(t *testing.T) {
	log := lines(50, time.Millisecond)
	p := blank()
	got, verdicts, _ := readLog(p, append(append([]stream.Record{}, log[:40]...), log[20:]...), 0, true)
	assert.Equal(t, texts(log), got)
	assert.Equal(t, Repeat, verdicts[40])
}

func TestPositionClockSetBack(t *testing.T) {
	log := append(lines(20, time.Second), out(-time.Hour, "back 1"), out(-time.Hour+1, "back 2"), out(-time.Hour+2, "back 3"))
	for n := range len(log) {
		for _, tail := range []int{0, 32, len(log) - n + 1} {
			p := blank()
			_, _, _ = readLog(p, log[:n], 0, false)
			got, _, end := readLog(p, log, tail, false)
			assert.Equal(t, texts(log[n:]), got, "%d of %d", n, tail)
			assert.Equal(t, Complete, end, n)
		}
	}
}

func TestPositionFloor(t *testing.T) {
	log := lines(100, time.Second)
	floor := log[60].Time
	for name, test := range map[string]struct {
		log  []stream.Record
		tail int
		want []string
		end  Outcome
	}{
		"reaches back beyond it":     {log, 50, texts(log[60:]), Complete},
		"whole log":                  {log, 0, texts(log[60:]), Complete},
		"all before it":              {log[:60], 32, nil, Complete},
		"too short":                  {log, 40, nil, Short},
		"the whole log is behind it": {log[60:], 50, nil, AllNew},
		"empty":                      {nil, 50, nil, Complete},
	} {
		t.Run(name, func(t *testing.T) {
			p := New(Start(floor))
			got, _, end := readLog(p, test.log, test.tail, false)
			assert.Equal(t, test.want, got)
			require.Equal(t, test.end, end)
			if len(test.log) == 0 {
				assert.Equal(t, floor, p.floor, "an empty answer proves nothing")
			} else if end == Complete {
				assert.Zero(t, p.floor)
				got, _, _ = readLog(p, append(test.log[:len(test.log):len(test.log)], out(time.Hour, "later")), 64, false)
				assert.Equal(t, []string{"later"}, got)
			}
		})
	}
	p := New(Start(floor))
	_, _, _ = readLog(p, log[60:], 50, false)
	assert.True(t, p.Blank())

	// In whole seconds a line that is written after the floor seems to be before it.
	p = New(Start(testTime + 5e9 + 7e8))
	got, _, _ := readLog(p, []stream.Record{coarse(out(4*time.Second, "before")), coarse(out(5900*time.Millisecond, "after"))}, 0, false)
	assert.Equal(t, []string{"after"}, got)

	// Other times that are shared are exact.
	p = New(Start(testTime + 5e9 + 7e8))
	before, after := out(5600*time.Millisecond, "before"), out(5700*time.Millisecond, "after")
	before.Coarse, after.Coarse = true, true
	got, _, _ = readLog(p, []stream.Record{before, after, after}, 0, false)
	assert.Equal(t, []string{"after", "after"}, got)
}

func TestPositionWholeSecondsCountEqualLines(t *testing.T) {
	var log []stream.Record
	for i := range 30 {
		log = append(log, coarse(out(time.Duration(i)*100*time.Millisecond, []string{"same", "same", "other"}[i%3])))
	}
	for n := range log {
		for _, tail := range []int{0, 32} {
			p := blank()
			_, _, _ = readLog(p, log[:n], 0, false)
			got, _, _ := readLog(p, log, tail, false)
			assert.Equal(t, texts(log[n:]), got, n)
		}
	}
}

// TestPositionLineCutByTheTail: the tail begins inside a long line of the other
// stream, whose end alone must not be taken for a line.
func TestPositionLineCutByTheTail(t *testing.T) {
	p := blank()
	_, _, _ = readLog(p, []stream.Record{out(10, "known")}, 0, false)
	c := p.Begin(2, false)
	rec := out(10, "known")
	require.Equal(t, Known, c.Judge(rec, IDOf(rec)))
	cut := errout(5, "the end of a line")
	require.Equal(t, Unclear, c.Judge(cut, IDOf(cut)))

	// Its time may be later than that of the record before it: the streams overtake one
	// another. What this process has read tells which line it is.
	cut = errout(11, "the end of another")
	for name, test := range map[string]struct {
		begun []int64 // nil: nothing has been read by this process
		want  Verdict
	}{
		"not told":     {nil, Unclear},
		"it has begun": {[]int64{0, cut.Time}, Unclear},
		"none has":     {[]int64{0, 0}, Fresh},
		"another has":  {[]int64{0, cut.Time - 1}, Unclear}, // a journal gives each chunk a time of its own
		"on the other": {[]int64{cut.Time, 0}, Fresh},
	} {
		if test.begun != nil {
			p.Begin(0, false).NotePartials([2]int64(test.begun))
		}
		c = p.Begin(2, false)
		require.Equal(t, Known, c.Judge(rec, IDOf(rec)))
		require.Equal(t, test.want, c.Judge(cut, IDOf(cut)), name)
		p.partialKnown = false
	}
	// A read that meets nothing of a stream tells nothing of what had begun on it.
	p.Begin(0, false).NotePartials([2]int64{0, 7})
	c = p.Begin(2, false)
	require.Equal(t, Known, c.Judge(rec, IDOf(rec)))
	c.NotePartials([2]int64{})
	c = p.Begin(2, false)
	require.Equal(t, Known, c.Judge(rec, IDOf(rec)))
	require.Equal(t, Unclear, c.Judge(cut, IDOf(cut)))
	p.Begin(0, false).NotePartials([2]int64{})
	c = p.Begin(2, false)
	require.Equal(t, Known, c.Judge(rec, IDOf(rec)))
	later := errout(10+stream.Overtaking, "a line")
	require.Equal(t, Fresh, c.Judge(later, IDOf(later)))
}

// TestPositionEndedEarly: an answer that ends between records that are known was cut, or
// the engine cannot read what follows.
func TestPositionEndedEarly(t *testing.T) {
	log := lines(100, 10*time.Millisecond)
	for _, tail := range []int{0, 80} {
		p := blank()
		_, _, _ = readLog(p, log[:60], 0, false)
		got, _, end := readLog(p, log[:50], tail, false)
		assert.Empty(t, got)
		assert.Equal(t, Early, end, tail)
		got, _, end = readLog(p, log, tail, false)
		assert.Equal(t, texts(log[60:]), got)
		assert.Equal(t, Complete, end, tail)
	}
	// All that came is older than all that is known.
	p := blank()
	_, _, _ = readLog(p, lines(500, time.Second), 0, false)
	p.Shrink()
	_, _, end := readLog(p, lines(10, time.Second), 0, false)
	assert.Equal(t, Early, end)
	_, _, end = readLog(p, lines(10, time.Second), 64, false)
	assert.Equal(t, Short, end)
}

func TestPositionIsBounded(t *testing.T) {
	p := blank()
	for i := range 5 * MaxRecords {
		p.accept(IDOf(out(time.Duration(i), "burst")))
		require.LessOrEqual(t, len(p.ids), 2*MaxRecords)
	}
	require.GreaterOrEqual(t, len(p.ids), MaxRecords)
	for i := range 2 * MinRecords {
		p.accept(IDOf(out(time.Hour+time.Duration(i)*time.Minute, "slow")))
	}
	require.LessOrEqual(t, len(p.ids), 2*MinRecords)
	require.LessOrEqual(t, cap(p.ids), 8*MinRecords)
}

func TestSince(t *testing.T) {
	p := blank()
	for i, rec := range lines(1000, 9*time.Millisecond) { // nine seconds
		p.accept(IDOf(rec))
		switch {
		case i < MinRecords:
			assert.Equal(t, p.ids[0].Time, p.Since(), "all of it")
		case i > 200:
			assert.Equal(t, rec.Time-int64(stream.Overtaking), p.Since(), "of a loud container a second")
		}
	}
	p = blank()
	for _, rec := range lines(100, time.Minute) {
		p.accept(IDOf(rec))
	}
	assert.Equal(t, p.ids[len(p.ids)-MinRecords].Time, p.Since(), "of a silent one enough records")
}

func TestOrdinal(t *testing.T) {
	p := blank()
	rec := coarse(out(0, "same"))
	for i := range 3 {
		require.Equal(t, i, p.Ordinal(IDOf(rec), true))
		p.Admit(IDOf(rec))
	}
}

// TestPositionRandom reads logs of all sorts piece by piece, from random places back,
// and wants every record once.
func TestPositionRandom(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 0))
		precise := seed%3 != 0
		log := make([]stream.Record, 200)
		at := time.Duration(0)
		for i := range log {
			at += time.Duration(random.Int64N(int64(300 * time.Millisecond)))
			if random.IntN(50) == 0 {
				at -= time.Hour
			}
			log[i] = out(at, fmt.Sprint(random.IntN(5)))
			if random.IntN(3) == 0 {
				log[i] = errout(at-time.Duration(random.Int64N(50_000)), fmt.Sprint(random.IntN(5)))
			}
			if !precise {
				log[i] = coarse(log[i])
			} else {
				log[i].Time += int64(i) // no two are equal
			}
		}
		p := blank()
		var got []string
		for end := 0; end < len(log); {
			end = min(len(log), end+random.IntN(30))
			tail := MinRecords/2 + random.IntN(40)
			got = append(got, catchUp(t, p, log[:end], tail)...)
		}
		require.Equal(t, texts(log), got, seed)
	}
}

// TestSeenBefore: what is older has been delivered or is not wanted, on both streams.
func TestSeenBefore(t *testing.T) {
	p := blank()
	assert.Zero(t, p.SeenBefore(), "nothing is known")
	all := lines(100, time.Second)
	for _, rec := range all {
		p.accept(IDOf(rec))
	}
	assert.Equal(t, p.ids[0].Time-int64(stream.Overtaking), p.SeenBefore())
	assert.Equal(t, all[99].Time, p.Newest())
	p.Shrink()
	assert.Equal(t, all[100-MinRecords].Time-int64(stream.Overtaking), p.SeenBefore())
	floor := all[50].Time
	assert.Equal(t, floor-int64(stream.Overtaking), New(Start(floor)).SeenBefore())
}
