// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package multiline

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// line is one of a log: its stream, when it was written, and its text.
type line struct {
	kind stream.Kind
	at   time.Duration
	text string
}

func out(at time.Duration, text string) line { return line{stream.Stdout, at, text} }
func err(at time.Duration, text string) line { return line{stream.Stderr, at, text} }

// epoch is when the logs of the tests begin.
var epoch = time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)

// record returns a line as the n-th record of a log. Its body is valid for one call.
func (l line) record(n int) source.Record {
	rec := stream.Record{Time: epoch.Add(l.at).UnixNano(), Kind: l.kind, Body: []byte(l.text)}
	return source.Record{Record: rec, Delivered: position.Delivered{Seq: uint64(n), ID: position.IDOf(rec)}}
}

// entry is what a test compares of an Entry.
type entry struct {
	Kind  stream.Kind
	At    time.Duration
	Body  string
	Lines []uint64
}

// collector keeps entries.
type collector struct{ entries []entry }

func (c *collector) take(e Entry) {
	kept := entry{e.Kind, time.Unix(0, e.Time).Sub(epoch), string(e.Body), nil}
	for _, d := range e.Lines {
		kept.Lines = append(kept.Lines, d.Seq)
	}
	c.entries = append(c.entries, kept)
}

func (c *collector) bodies() (list []string) {
	for _, e := range c.entries {
		list = append(list, e.Body)
	}
	return list
}

// top is above the top level.
var top = Rules{Limits: Limits{MaxBytes: 1 << 20}}

func rulesOf(t testing.TB, cfg Config) Rules {
	t.Helper()
	r, err := cfg.Compile(top)
	require.NoError(t, err)
	return r
}

// join joins a whole log.
func join(r Rules, log ...line) *collector {
	var c collector
	j := NewJoiner(r.Grammar, r.Limits, c.take)
	for i, l := range log {
		rec := l.record(i)
		j.Add(rec)
		for i := range rec.Body { // it is the reader's again
			rec.Body[i] = '#'
		}
	}
	j.EndAll()
	return &c
}

const ms = time.Millisecond

func TestJoin(t *testing.T) {
	start, end := Config{LineStartPattern: `^\d`}, Config{LineEndPattern: `;$`}
	for name, test := range map[string]struct {
		cfg  Config
		log  []line
		want []string
	}{
		"start":                      {start, []line{out(0, "1 a"), out(1*ms, " b"), out(2*ms, "2 c"), out(3*ms, "3 d"), out(4*ms, " e")}, []string{"1 a\n b", "2 c", "3 d\n e"}},
		"start, the first missing":   {start, []line{out(0, " a"), out(1*ms, " b"), out(2*ms, "2 c")}, []string{" a\n b", "2 c"}},
		"end":                        {end, []line{out(0, "a"), out(1*ms, "b;"), out(2*ms, "c;"), out(3*ms, "d")}, []string{"a\nb;", "c;", "d"}},
		"empty lines":                {start, []line{out(0, "1"), out(0, ""), out(0, ""), out(0, "2")}, []string{"1\n\n", "2"}},
		"streams do not mix":         {start, []line{out(0, "1 a"), err(1*ms, "2 x"), out(2*ms, " b"), err(3*ms, " y"), out(4*ms, "3")}, []string{"1 a\n b", "2 x\n y", "3"}},
		"a pause ends":               {start, []line{out(0, "1 a"), out(500*ms, " b"), out(1001*ms, " c")}, []string{"1 a\n b", " c"}},
		"the other stream's clock":   {start, []line{out(0, "1 a"), err(1400*ms, "2"), out(450*ms, " b"), err(2*time.Second, "3"), out(500*ms, " c")}, []string{"2", "1 a\n b", "3", " c"}},
		"max_lines":                  {Config{LineStartPattern: `^\d`, MaxLines: 2}, []line{out(0, "1"), out(0, "a"), out(0, "b"), out(0, "c"), out(0, "d"), out(0, "2")}, []string{"1\na", "b\nc", "d", "2"}},
		"max_lines of a preset":      {Config{Preset: "java", MaxLines: 2}, []line{out(0, "a.B: x"), out(0, "\tat a"), out(0, "\tat b"), out(0, "\tat c"), out(0, "\tat d"), out(0, "y")}, []string{"a.B: x\n\tat a", "\tat b\n\tat c", "\tat d", "y"}},
		"force_flush_period":         {Config{LineStartPattern: `^\d`, ForceFlushPeriod: 2 * time.Second}, []line{out(0, "1"), out(1500*ms, "a"), out(4*time.Second, "b")}, []string{"1\na", "b"}},
		"the clock was set back":     {start, []line{out(time.Hour, "1"), out(0, "a"), out(1*ms, "2")}, []string{"1\na", "2"}},
		"preset, lines of their own": {Config{Preset: "go"}, []line{out(0, "x"), out(0, "y")}, []string{"x", "y"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := join(rulesOf(t, test.cfg), test.log...).bodies()
			slices.Sort(got)
			slices.Sort(test.want)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestEntryIsThatOfItsFirstLine(t *testing.T) {
	got := join(rulesOf(t, Config{LineStartPattern: `^\d`}), out(0, "1"), err(1*ms, "2"), out(2*ms, "a"), out(3*ms, "3"))
	assert.Equal(t, []entry{
		{stream.Stdout, 0, "1\na", []uint64{0, 2}},
		{stream.Stderr, 1 * ms, "2", []uint64{1}},
		{stream.Stdout, 3 * ms, "3", []uint64{3}},
	}, got.entries)
}

func TestRunEndsAnEntry(t *testing.T) {
	r := rulesOf(t, Config{LineStartPattern: `^\d`})
	var c collector
	j := NewJoiner(r.Grammar, r.Limits, c.take)
	j.Add(out(0, "1").record(0))
	j.RunEnded(epoch.Add(10 * ms).UnixNano())
	j.Add(out(5*ms, "a").record(1))
	j.Add(out(20*ms, "b").record(2))
	j.Add(out(30*ms, "c").record(3))
	j.EndAll()
	assert.Equal(t, []string{"1\na", "b\nc"}, c.bodies())
}

func TestEntryIsBounded(t *testing.T) {
	r := rulesOf(t, Config{LineStartPattern: `^\d`})
	r.MaxBytes = 10
	got := join(r, out(0, "1"), out(0, "abcd"), out(0, "efgh"), out(0, "0123456789"), out(0, "x"))
	assert.Equal(t, []string{"1\nabcd", "efgh", "0123456789", "x"}, got.bodies())

	// However much the other stream writes meanwhile.
	r = rulesOf(t, Config{LineStartPattern: `^\d`})
	log := []line{out(0, "1 first")}
	for i := range 2 * MaxSpan {
		log = append(log, err(0, fmt.Sprint(i)))
	}
	log = append(log, out(0, "a"))
	c := join(r, log...)
	at := slices.IndexFunc(c.entries, func(e entry) bool { return e.Body == "1 first" })
	assert.InDelta(t, MaxSpan, at, 5)
	assert.Equal(t, "a", c.entries[len(c.entries)-1].Body)
}

func TestCutLineIsCounted(t *testing.T) {
	r := rulesOf(t, Config{LineStartPattern: `^\d`})
	dropped := 0
	j := NewJoiner(r.Grammar, r.Limits, func(e Entry) { dropped += e.Dropped })
	for i, l := range []line{out(0, "1"), out(0, "a"), out(0, "b")} {
		rec := l.record(i)
		rec.Dropped = i
		j.Add(rec)
	}
	j.EndAll()
	assert.Equal(t, 3, dropped)
}

// TestPresets: the parts of a file that a line of two dashes divides are each one record, or
// several of one line.
func TestPresets(t *testing.T) {
	files, e := filepath.Glob(filepath.Join("testdata", "traces", "*.txt"))
	require.NoError(t, e)
	require.Len(t, files, len(Languages()))
	for _, file := range files {
		language := Preset(strings.TrimSuffix(filepath.Base(file), ".txt"))
		text, e := os.ReadFile(file)
		require.NoError(t, e)
		want := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n--\n")
		var log []line
		for _, part := range want {
			for text := range strings.SplitSeq(part, "\n") {
				log = append(log, out(0, text))
			}
		}
		for _, preset := range []Preset{language, Auto} {
			t.Run(fmt.Sprintf("%s of %s", language, preset), func(t *testing.T) {
				assert.Equal(t, want, join(rulesOf(t, Config{Preset: preset}), log...).bodies())
			})
		}
	}
}

// FuzzReads holds that a log gives the same entries however it is read: whole, or in reads
// that each come to the end of what there is, of which nothing more is known than that what
// was stamped before has been read.
func FuzzReads(f *testing.F) {
	f.Add([]byte("\x00\x10\x81\x05\xfe\x33\x00\x01"), byte(0))
	f.Add([]byte("aAbBcCdDeE"), byte(3))
	texts := []string{"1 a", " b", "java.lang.X: y", "\tat z", "Caused by: q", "", "Traceback (most recent call last):", "  File", "KeyError: 'x'", "panic: p", "goroutine 1 [running]:"}
	configs := []Config{{LineStartPattern: `^\d`}, {LineEndPattern: `z$`}, {Preset: Auto}, {Preset: "java", MaxLines: 3}, {LineStartPattern: `^\d`, MaxLines: 5}}
	f.Fuzz(func(t *testing.T, data []byte, which byte) {
		r := rulesOf(t, configs[int(which)%len(configs)])
		var log []line
		var at time.Duration
		for _, b := range data {
			at += time.Duration(b>>4) * 50 * ms
			log = append(log, line{stream.Kind(1 + b>>3&1), at, texts[int(b)%len(texts)]})
		}
		whole := join(r, log...).entries
		var split collector
		j := NewJoiner(r.Grammar, r.Limits, split.take)
		for i, l := range log {
			j.Add(l.record(i))
			if data[i]&1 == 0 && i+1 < len(log) {
				j.EndBefore(epoch.Add(log[i+1].at))
			}
		}
		j.EndAll()
		byFirst := func(a, b entry) int { return int(a.Lines[0]) - int(b.Lines[0]) }
		slices.SortFunc(whole, byFirst)
		slices.SortFunc(split.entries, byFirst)
		require.Equal(t, whole, split.entries)
		n := 0
		for _, e := range whole {
			n += len(e.Lines)
		}
		require.Equal(t, len(log), n, "every line is in one entry")
	})
}

func TestConfig(t *testing.T) {
	for name, test := range map[string]struct {
		cfg  Config
		want string
	}{
		"nothing":      {Config{}, ""},
		"two":          {Config{Preset: "java", LineEndPattern: "x"}, "has more than one of preset"},
		"preset":       {Config{Preset: "cobol"}, `preset: "cobol" is not dotnet, go, java, node, python, ruby, auto or none`},
		"start":        {Config{LineStartPattern: "("}, `line_start_pattern: "(" is not a regular expression`},
		"end":          {Config{LineEndPattern: "["}, `line_end_pattern: "[" is not a regular expression`},
		"long pattern": {Config{LineEndPattern: strings.Repeat("x", maxPattern+1)}, "line_end_pattern: has 1025 bytes"},
		"slow start":   {Config{LineStartPattern: slowPattern}, "line_start_pattern: takes too long to match"},
		"slow end":     {Config{LineEndPattern: slowPattern}, "line_end_pattern: takes too long to match"},
		"period":       {Config{ForceFlushPeriod: time.Hour}, "force_flush_period: must be from 10ms to 1m0s, is 1h0m0s"},
		"max_lines":    {Config{MaxLines: 1}, "max_lines: must be from 2 to 3000, is 1"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.cfg.Compile(top)
			if test.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.want)
			}
		})
	}
}

// slowPattern is short, and is compiled to 220,000 instructions.
var slowPattern = strings.Repeat(".{0,1000}", 110) + "x"

// A container cannot ask for a pattern that takes seconds for a line.
func TestSlowPatternOfALabel(t *testing.T) {
	require.LessOrEqual(t, len(slowPattern), maxPattern)
	configured := rulesOf(t, Config{Preset: "java"})
	for label, key := range map[string]string{LabelLineStart: "line_start_pattern", LabelLineEnd: "line_end_pattern"} {
		got, err := configured.ByLabels(map[string]string{label: slowPattern})
		assert.ErrorContains(t, err, key+": takes too long to match")
		assert.Equal(t, configured, got)
	}
	for pattern, ok := range map[string]bool{
		`^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}([.,]\d{1,9})?`: true,
		`x{1000}`:           true,
		`x{1000}y{1000}`:    false,
		`(\pL{50}){20}`:     true,
		`(\pL{0,50}x){20}z`: false,
	} {
		_, err := compilePattern("line_start_pattern", pattern)
		assert.Equal(t, ok, err == nil, "%s: %v", pattern, err)
	}
}

// Presets keep to the bound that others have.
func TestPresetsAreQuick(t *testing.T) {
	for language, rules := range presets {
		for _, r := range rules {
			size, err := programSize(r.pattern.String())
			require.NoError(t, err)
			assert.Less(t, size, maxProgram/10, "%s: %s", language, r.pattern)
		}
	}
}

func TestLevels(t *testing.T) {
	top := rulesOf(t, Config{Preset: "java", MaxLines: 7})
	override, err := Config{ForceFlushPeriod: time.Second}.Compile(top)
	require.NoError(t, err)
	assert.Equal(t, top.Grammar, override.Grammar)
	assert.Equal(t, Limits{time.Second, 7, 1 << 20}, override.Limits)
	off, err := Config{Preset: None}.Compile(top)
	require.NoError(t, err)
	assert.Nil(t, off.Grammar)
	assert.False(t, off.Equal(top))

	labelled, err := top.ByLabels(map[string]string{LabelLineStart: `^\d`})
	require.NoError(t, err)
	assert.IsType(t, lineStart{}, labelled.Grammar)
	again, err := top.ByLabels(map[string]string{LabelLineStart: `^\d`})
	require.NoError(t, err)
	assert.True(t, again.Equal(labelled))
	same, err := top.ByLabels(map[string]string{LabelPreset: "fortran"})
	assert.ErrorContains(t, err, `labels io.opentelemetry.docker_logs.multiline.*: preset: "fortran" is not`)
	assert.True(t, same.Equal(top))
}

// BenchmarkAdd is what joining costs a line.
func BenchmarkAdd(b *testing.B) {
	for name, cfg := range map[string]Config{"start": {LineStartPattern: `^\d{4}-\d{2}-\d{2}`}, "java": {Preset: "java"}, "auto": {Preset: Auto}} {
		b.Run(name, func(b *testing.B) {
			r := rulesOf(b, cfg)
			j := NewJoiner(r.Grammar, r.Limits, func(Entry) {})
			rec := out(0, "2026-11-24 10:00:00.001 INFO  [main] Application - the request took 14 ms and nothing went wrong at all").record(0)
			b.SetBytes(int64(len(rec.Body)))
			for b.Loop() {
				j.Add(rec)
			}
		})
	}
}
