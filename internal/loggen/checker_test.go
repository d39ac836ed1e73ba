// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEveryCorruptionIsDetected(t *testing.T) {
	for _, o := range []Options{
		{Source: "web", Sizes: Sizes{{Min: 60, Max: 120}}},
		{Source: "web", Sizes: Sizes{{Min: 60, Max: 120}}, Payload: UTF8, StderrShare: 1},
		{Source: "web", Sizes: Sizes{{Min: 60}}, Payload: Binary},
		{Source: "a", Sizes: Sizes{{Min: 22}}, Lines: 9}, // headers alone
	} {
		t.Run(fmt.Sprint(o.Payload, o.Sizes), func(t *testing.T) {
			var c Checker
			a, b := o.Line(1), o.Line(2)
			want := func(verdict Verdict, body []byte, stderr bool, what string, args ...any) {
				t.Helper()
				require.Equal(t, verdict, c.Add(body, stderr), fmt.Sprintf(what, args...)+": %q", body)
			}
			damaged := func(body []byte, what string, args ...any) {
				t.Helper()
				want(Damaged, body, a.Stderr, what, args...)
			}
			for i := range a.Body {
				for bit := range 8 {
					flipped := bytes.Clone(a.Body)
					flipped[i] ^= 1 << bit
					damaged(flipped, "bit %d of byte %d flipped", bit, i)
				}
				damaged(slices.Delete(bytes.Clone(a.Body), i, i+1), "byte %d left out", i)
				damaged(slices.Insert(bytes.Clone(a.Body), i, a.Body[i]), "byte %d doubled", i)
				if i > 0 {
					damaged(a.Body[:i], "truncated to %d", i)
					damaged(a.Body[i:], "%d bytes missing at the front", i)
				}
				for j := range b.Body {
					if spliced := slices.Concat(a.Body[:i], b.Body[j:]); !bytes.Equal(spliced, b.Body) {
						damaged(spliced, "spliced, %d of the one, from %d of the other", i, j)
					}
				}
			}
			damaged(slices.Concat(a.Body, b.Body), "two lines in one")
			damaged(slices.Concat(a.Body, []byte("\n"), b.Body), "two lines in one with the newline")
			damaged(slices.Concat(a.Body, []byte(" ")), "padded")
			damaged(slices.Concat(a.Body, []byte("\r\r")), "two carriage returns")
			want(Damaged, a.Body, !a.Stderr, "the other stream")
			want(Intact, a.Body, a.Stderr, "as written")
			want(Repeated, a.Body, a.Stderr, "again")
			want(Intact, slices.Concat(b.Body, []byte("\r")), b.Stderr, "with its carriage return")
			assert.EqualValues(t, 1, c.Tallies()["web"].CarriageReturns+c.Tallies()["a"].CarriageReturns)
		})
	}
}

func TestDamageSaysWhatIsWrong(t *testing.T) {
	o := Options{Source: "web"}
	var c Checker
	good := o.Line(1).Body
	c.Add(good[:50], false) // nothing of this source was seen yet
	c.Add(good, false)
	c.Add([]byte("Error grabbing logs"), true)
	c.Add(good[:50], false)
	c.Add(slices.Concat(good[:119], []byte("~")), false)
	c.Add(good, true)

	unknown, web := c.Tallies()[""], c.Tallies()["web"]
	require.Len(t, unknown.Examples, 2)
	require.ErrorIs(t, unknown.Examples[1].Err, errHeader)
	assert.True(t, unknown.Examples[1].Stderr)
	require.Len(t, web.Examples, 3)
	assert.EqualError(t, web.Examples[0].Err, "wrong length: says 120 bytes, has 50")
	assert.Equal(t, Damage{Err: web.Examples[0].Err, Seq: 1, Size: 50, Body: good[:50]}, web.Examples[0])
	assert.ErrorIs(t, web.Examples[1].Err, errChecksum)
	assert.ErrorIs(t, web.Examples[2].Err, errStream)
	assert.ErrorContains(t, c.Err(), `source "web": 1 lines seen, 0 lost, 0 repeated, 0 out of order, 3 damaged, the first: wrong length`)

	for range 20 {
		c.Add(bytes.Repeat([]byte("x"), 1000), false)
	}
	unknown = c.Tallies()[""]
	assert.EqualValues(t, 22, unknown.Damaged)
	require.Len(t, unknown.Examples, maxExamples)
	assert.Len(t, unknown.Examples[7].Body, maxExample)
}

// Two sources, shuffled, cut, doubled and damaged, fed by four goroutines: every count is exact.
func TestCheckerCountsExactly(t *testing.T) {
	const lines = 50_000
	rng := rand.New(rand.NewPCG(1, 2))
	var c Checker
	var feed []Line
	want := map[string]Tally{}
	for _, source := range []string{"a", "b"} {
		o := Options{Source: source, Lines: lines, StderrShare: 0.4, Sizes: Sizes{{Min: 40, Max: 90}}}
		c.Expect(o)
		var tally Tally
		for seq := uint64(1); seq <= lines; seq++ {
			line := o.Line(seq)
			switch n := rng.IntN(100); {
			case n < 3 || seq > lines-70: // the end too, where only Expect can tell
				tally.Lost++
				continue
			case n < 5:
				line.Body[len(line.Body)-1] ^= 1
				tally.Lost++
				tally.Damaged++
			case n < 9:
				feed = append(feed, line, line)
				tally.Repeated += 2
				tally.Seen++
			default:
				tally.Seen++
			}
			feed = append(feed, line)
		}
		want[source] = tally
	}
	rng.Shuffle(len(feed), func(i, j int) { feed[i], feed[j] = feed[j], feed[i] })
	var wg sync.WaitGroup
	for part := range slices.Chunk(feed, len(feed)/4+1) {
		wg.Go(func() {
			for _, line := range part {
				c.Add(line.Body, line.Stderr)
			}
			c.Add(nil, true)
		})
	}
	wg.Wait()

	assert.EqualValues(t, 4, c.Blank())
	got := c.Tallies()
	require.Len(t, got, 2)
	for source, want := range want {
		got := got[source]
		assert.Equal(t, []uint64{want.Seen, want.Lost, want.Repeated, want.Damaged}, []uint64{got.Seen, got.Lost, got.Repeated, got.Damaged}, source)
		assert.Equal(t, uint64(lines), got.LostRanges[len(got.LostRanges)-1].Last)
		assert.NotZero(t, got.OutOfOrder)
	}
	assert.Error(t, c.Err())
}

func TestOrderIsPerStream(t *testing.T) {
	o := Options{Source: "web", StderrShare: 0.5, Lines: 1000}
	var c Checker
	c.Expect(o)
	var streams [2][]Line
	for seq := uint64(1); seq <= o.Lines; seq++ {
		line := o.Line(seq)
		i := 0
		if line.Stderr {
			i = 1
		}
		streams[i] = append(streams[i], line)
	}
	for _, lines := range streams { // all of stdout, then all of stderr: each in order
		for _, line := range lines {
			c.Add(line.Body, line.Stderr)
		}
	}
	require.NoError(t, c.Err())

	tty := Checker{TTY: true}
	for _, lines := range streams {
		for _, line := range lines {
			tty.Add(line.Body, false)
		}
	}
	tally := tty.Tallies()["web"]
	assert.Zero(t, tally.Damaged)
	below := 0 // lines of stderr that a later one of stdout overtook
	for _, line := range streams[1] {
		if line.Seq < streams[0][len(streams[0])-1].Seq {
			below++
		}
	}
	assert.EqualValues(t, below, tally.OutOfOrder)
}

func TestMissingAgainstTheObvious(t *testing.T) {
	o := Options{Source: "web"}
	rng := rand.New(rand.NewPCG(3, 4))
	for _, total := range []uint64{0, 1, 62, 63, 64, 65, 127, 128, 129, 1000} {
		for _, share := range []float64{0, 0.02, 0.5, 0.98, 1} {
			var c Checker
			var want []Range
			for seq := uint64(1); seq <= total; seq++ {
				if rng.Float64() < share {
					c.Add(o.Line(seq).Body, false)
				} else if n := len(want); n > 0 && want[n-1].Last == seq-1 {
					want[n-1].Last = seq
				} else {
					want = append(want, Range{seq, seq})
				}
			}
			require.Equal(t, want, c.Missing("web", total), "%d lines, %v of them seen", total, share)
		}
	}
	var c Checker
	c.Add(o.Line(100).Body, false)
	assert.Equal(t, []Range{{1, 50}}, c.Missing("web", 50))
	assert.Equal(t, []Range{{1, 7}}, c.Missing("never heard of", 7))
}

func TestErrNamesWhatIsLost(t *testing.T) {
	var c Checker
	require.NoError(t, c.Err())
	c.Expect(Options{Source: "web", Lines: 1000})
	require.EqualError(t, c.Err(), `source "web": 0 lines seen, 1000 lost 1-1000, 0 repeated, 0 out of order, 0 damaged`)
	for seq := uint64(2); seq <= 998; seq += 2 {
		c.Add((&Options{Source: "web"}).Line(seq).Body, false)
	}
	assert.EqualError(t, c.Err(), `source "web": 499 lines seen, 501 lost 1 3 5 7 9 11 13 15 ..., 0 repeated, 0 out of order, 0 damaged`)
}

// json-file cannot hold invalid UTF-8, and cuts runes at the ends of its chunks: that is the engine's doing, not the reader's.
func TestReplacedIsNotDamaged(t *testing.T) {
	for _, o := range []Options{
		{Source: "web", Lines: 5, Payload: Binary},
		{Source: "web", Lines: 5, Payload: UTF8, Sizes: Sizes{{Min: 100_000}}, StderrShare: 1},
	} {
		var knows, ignorant Checker
		knows.Expect(o)
		for seq := uint64(1); seq <= o.Lines; seq++ {
			line := o.Line(seq)
			body := AppendJSONFile(nil, line.Body)
			require.Equal(t, Damaged, ignorant.Add(body, line.Stderr))
			require.Equal(t, Damaged, knows.Add(body[:len(body)-1], line.Stderr))
			require.Equal(t, Damaged, knows.Add(body, !line.Stderr))
			require.Equal(t, Intact, knows.Add(body, line.Stderr))
			require.Equal(t, Repeated, knows.Add(body, line.Stderr))
		}
		tally := knows.Tallies()["web"]
		assert.EqualValues(t, 10, tally.Replaced)
		assert.EqualValues(t, 10, tally.Damaged)
		assert.Empty(t, tally.LostRanges)
	}
}

func FuzzAdd(f *testing.F) {
	o := Options{Source: "web", StderrShare: 0.5, Sizes: Sizes{{Min: 60, Max: 90}}}
	for seq := uint64(1); seq < 10; seq++ {
		line := o.Line(seq)
		f.Add(line.Body, line.Stderr)
	}
	f.Add([]byte("web 68719476735 o 60 00000000 "), false)
	f.Fuzz(func(t *testing.T, body []byte, stderr bool) {
		var c Checker
		c.Expect(o)
		c.Expect(Options{Source: "x", Sizes: Sizes{{Min: 25}}})
		verdict := c.Add(body, stderr)
		h, err := parse(bytes.TrimSuffix(body, []byte("\r")))
		if (verdict == Intact) != (err == nil && h.stderr == stderr) && c.Tallies()[string(h.source)].Replaced == 0 {
			t.Fatalf("%v, but parsed: %v", verdict, err)
		}
		if verdict == Damaged && errors.Is(c.Err(), nil) {
			t.Fatal("damage goes unreported")
		}
	})
}
