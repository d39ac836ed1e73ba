// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"flag"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSizesAreHonouredToTheByte(t *testing.T) {
	for _, text := range []string{"120", "29", "80-400", "120:95,20000:4,1000000:1", "60-80:3,90-100"} {
		t.Run(text, func(t *testing.T) {
			sizes, err := ParseSizes(text)
			require.NoError(t, err)
			again, err := ParseSizes(sizes.String())
			require.NoError(t, err)
			assert.Equal(t, sizes, again)
			o := Options{Source: "web", Sizes: sizes, Lines: 10}
			require.NoError(t, o.Validate())

			const lines = 2_000
			count := make([]int, len(sizes)) // lines by range
			total := 0                       // of the weights
			for _, r := range sizes {
				total += int(r.weight())
			}
			extremes := map[int]bool{}
			for seq := uint64(1); seq <= lines; seq++ {
				size := len(o.Line(seq).Body)
				extremes[size] = true
				for i, r := range sizes {
					if r.Min <= size && size <= r.max() {
						count[i]++
					}
				}
			}
			all := 0
			for i, r := range sizes {
				all += count[i]
				assert.InDelta(t, float64(lines)*float64(r.weight())/float64(total), count[i], 80, "%v", r)
				assert.True(t, extremes[r.Min])
				assert.True(t, extremes[r.max()])
			}
			assert.Equal(t, lines, all, "a line has a length outside all ranges")
		})
	}
}

func TestParseSizesRefuses(t *testing.T) {
	for _, text := range []string{"", "x", "120:", "120:0", "120-", "-5", "120,,130", "120:1:2", "1e3", "120:-1"} {
		_, err := ParseSizes(text)
		assert.Error(t, err, text)
	}
}

func TestValidate(t *testing.T) {
	valid := Options{Source: "web"}
	require.NoError(t, valid.Validate())
	for want, change := range map[string]func(*Options){
		`source: "" must be`:                        func(o *Options) { o.Source = "" },
		`source: "a b" must be`:                     func(o *Options) { o.Source = "a b" },
		`source: "é" must be`:                       func(o *Options) { o.Source = "é" },
		"rate: -1 must be":                          func(o *Options) { o.Rate = -1 },
		"rate: NaN must be":                         func(o *Options) { o.Rate = math.NaN() },
		"burst-size: goes":                          func(o *Options) { o.BurstSize = 1 },
		"stderr-share: 1.1 must be":                 func(o *Options) { o.StderrShare = 1.1 },
		`payload: "hex" must be`:                    func(o *Options) { o.Payload = "hex" },
		"no-final-newline: needs lines":             func(o *Options) { o.NoFinalNewline = true },
		"start-delay: -1s must not":                 func(o *Options) { o.StartDelay = -time.Second },
		"linger: -1s must not":                      func(o *Options) { o.Linger = -time.Second },
		"exit-code: 256 must be":                    func(o *Options) { o.ExitCode = 256 },
		"lines: at most":                            func(o *Options) { o.Lines = maxSeq + 1 },
		"size: 20 bytes have no room":               func(o *Options) { o.Sizes = Sizes{{Min: 20}} },
		"size: 90-80 is the wrong way round":        func(o *Options) { o.Sizes = Sizes{{Min: 90, Max: 80}} },
		"size: 1000000000 bytes are more than 2684": func(o *Options) { o.Sizes = Sizes{{Min: 90, Max: 1e9}} },
	} {
		o := valid
		change(&o)
		assert.ErrorContains(t, o.Validate(), want)
	}
}

func TestArgsAreReadBack(t *testing.T) {
	assert.Empty(t, new(Options).Args())
	o := Options{
		Seed: 3, Source: "web", Lines: 10, Rate: 0.5, BurstSize: 7, BurstEvery: time.Minute,
		Sizes: Sizes{{Min: 80, Max: 400, Weight: 9}, {Min: 5000, Max: 5000, Weight: 1}}, StderrShare: 0.25, Payload: Binary, CRLF: true,
		BlankEvery: 3, PartialEvery: 4, NoFinalNewline: true, StartDelay: time.Second, Linger: time.Hour, UntilSignal: true, ExitCode: 9,
	}
	var read Options
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	read.RegisterFlags(fs)
	require.NoError(t, fs.Parse(o.Args()))
	assert.Equal(t, o, read)
	count := 0
	fs.VisitAll(func(*flag.Flag) { count++ })
	assert.Len(t, o.Args(), count, "an option above is at its default, so the test proves nothing for it")
}

func TestBlanks(t *testing.T) {
	o := Options{Lines: 10, BlankEvery: 5}
	assert.EqualValues(t, 2, o.Blanks(10))
	assert.EqualValues(t, 1, o.Blanks(9))
	o.NoFinalNewline = true
	assert.EqualValues(t, 1, o.Blanks(10), "nothing may stand behind a line without an end")
	assert.Zero(t, new(Options).Blanks(10))
}
