// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Lines are compared across builds and machines: a change here breaks every log already written.
func TestLineIsPinned(t *testing.T) {
	o := Options{Source: "web", StderrShare: 0.3}
	require.NoError(t, o.Validate())
	assert.Equal(t, Line{
		Seq:  1,
		Body: []byte(`web 1 o 120 c6dab559 Gd2Com3xkzwvE]]<&B;x$4xc d5DhB]:C#=ovagtrEde6qpF.u2%]Cucb3"u.q'wHj2"jEt7okf5A0,ACdk>cB20lqeF$<\jt16`),
	}, o.Line(1))
	assert.True(t, o.Line(3).Stderr)
}

func TestLineDependsOnSeedSourceAndSeq(t *testing.T) {
	payload := func(o Options, seq uint64) string {
		body := string(o.Line(seq).Body)
		return strings.SplitN(body, " ", 6)[5]
	}
	base := Options{Source: "a"}
	assert.Equal(t, payload(base, 7), payload(base, 7))
	assert.NotEqual(t, payload(base, 7), payload(base, 8))
	assert.NotEqual(t, payload(base, 7), payload(Options{Source: "b"}, 7))
	assert.NotEqual(t, payload(base, 7), payload(Options{Source: "a", Seed: 1}, 7))
}

func TestAppendLineKeepsWhatIsThere(t *testing.T) {
	o := Options{Source: "web"}
	line, _ := o.AppendLine([]byte("before"), 3)
	assert.Equal(t, "before"+string(o.Line(3).Body), string(line))
}

func TestStderrShare(t *testing.T) {
	for _, share := range []float64{0, 0.25, 1} {
		o := Options{Source: "web", StderrShare: share}
		stderr := 0
		for seq := range uint64(20_000) {
			if o.Line(seq + 1).Stderr {
				stderr++
			}
		}
		assert.InDelta(t, share*20_000, stderr, 400)
	}
}

func TestPayload(t *testing.T) {
	for _, kind := range []Payload{"", ASCII, UTF8, Binary} {
		t.Run(string(kind), func(t *testing.T) {
			o := Options{Source: "web", Payload: kind, Sizes: Sizes{{Min: 40, Max: 300}}}
			for seq := uint64(1); seq <= 5_000; seq++ {
				body := o.Line(seq).Body
				require.NotContains(t, string(body), "\n")
				require.NotEqual(t, byte('\r'), body[len(body)-1])
				require.Equal(t, kind != Binary, utf8.Valid(body))
				require.Equal(t, kind == Binary, bytes.IndexByte(body, 0) >= 0)
				if kind == ASCII || kind == "" {
					require.Equal(t, len(body), utf8.RuneCount(body))
				}
			}
		})
	}
}

func TestAlphabets(t *testing.T) {
	assert.Len(t, alphabet, 64)
	for _, r := range runes {
		assert.Equal(t, 1, utf8.RuneCountInString(r))
		assert.LessOrEqual(t, len(r), longest)
	}
}

func TestGeneratingAndCheckingAllocateNothing(t *testing.T) {
	o := Options{Source: "web", Sizes: Sizes{{Min: 80, Max: 400}, {Min: 1000}}}
	buf, seq := make([]byte, 0, 1024), uint64(0)
	var c Checker
	c.Add(o.Line(1_000_000).Body, false) // the whole bitmap
	assert.Zero(t, testing.AllocsPerRun(1000, func() {
		seq++
		line, stderr := o.AppendLine(buf, seq)
		c.Add(line, stderr)
	}))
}

// json-file encodes each chunk as encoding/json does.
func TestAppendJSONFile(t *testing.T) {
	for _, body := range []string{
		"", "plain", "\xff\xff\x00\xc3", "é\u2028\ufffd",
		strings.Repeat("a", jsonFileChunk-1) + "é" + strings.Repeat("b", jsonFileChunk-2) + "€",
	} {
		want := ""
		for rest := body; rest != ""; {
			n := min(len(rest), jsonFileChunk)
			encoded, err := json.Marshal(rest[:n])
			require.NoError(t, err)
			var decoded string
			require.NoError(t, json.Unmarshal(encoded, &decoded))
			want += decoded
			rest = rest[n:]
		}
		assert.Equal(t, want, string(AppendJSONFile(nil, []byte(body))))
	}
}
