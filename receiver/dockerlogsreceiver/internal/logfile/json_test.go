// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	written = "2026-11-24T05:57:32.386123456Z"
	torn    = `{"log":"half","stream":"stdout","time":"2026-11-24T05:57:32.386`
)

func writtenAt(t testing.TB, text string) int64 {
	t.Helper()
	when, err := time.Parse(time.RFC3339Nano, text)
	require.NoError(t, err)
	return when.UnixNano()
}

func jsonLine(text, stream, rest string) string {
	return fmt.Sprintf(`{"log":%s,"stream":%q%s,"time":%q}`+"\n", text, stream, rest, written)
}

func TestJSON(t *testing.T) {
	for name, test := range map[string]struct {
		file  string
		text  string
		kind  stream.Kind
		ended bool
		n     int // bytes taken; all, if 0
		err   error
	}{
		"line":                  {file: jsonLine(`"hello\n"`, "stdout", ""), text: "hello", ended: true},
		"stderr":                {file: jsonLine(`"hello\n"`, "stderr", ""), text: "hello", kind: stream.Stderr, ended: true},
		"blank line":            {file: jsonLine(`"\n"`, "stdout", ""), ended: true},
		"chunk":                 {file: jsonLine(`"hello"`, "stdout", ""), text: "hello"},
		"escapes of the engine": {file: jsonLine(`"\\ \" \r \u0009 \u003c\u003e\u0026 \u2028 \ufffd é\n"`, "stdout", ""), text: "\\ \" \r \t <>& \u2028 \ufffd é", ended: true},
		"escapes of others":     {file: jsonLine(`"\t\b\f\/ \ud83d\ude00 \ud83d \ud83dx\n"`, "stdout", ""), text: "\t\b\f/ 😀 \ufffd \ufffdx", ended: true},
		"attributes":            {file: jsonLine(`"a\n"`, "stdout", `,"attrs":{"tag":"a}\"{b","env":"\\"}`), text: "a", ended: true},
		"text like the rest":    {file: jsonLine(`"\",\"stream\":\"stderr\",\"time\":\"x\"}\n"`, "stdout", ""), text: `","stream":"stderr","time":"x"}`, ended: true},
		"other order":           {file: `{"time":"` + written + `","stream":"stderr","log":"hello\n"}` + "\n", text: "hello", kind: stream.Stderr, ended: true},
		"spaces":                {file: `{"log": "hello\n", "stream": "stdout", "time": "` + written + `"}` + "\n", text: "hello", ended: true},
		"half a record":         {file: torn, n: -1, err: errShort},
		"torn, and the next":    {file: torn + jsonLine(`"next\n"`, "stdout", ""), n: len(torn), err: ErrTorn},
		"no record":             {file: "what is this\n", err: ErrTorn},
		"no time":               {file: `{"log":"a\n","stream":"stdout"}` + "\n", err: ErrTorn},
		"NULs":                  {file: "\x00\x00\x00" + jsonLine(`"a\n"`, "stdout", ""), n: 3, err: ErrHole},
		"NULs in two records":   {file: jsonLine("\"one \x00\x00\x00 two\\n\"", "stdout", ""), err: ErrTorn},
		"a NUL in a record":     {file: jsonLine(`"a\u0000b\n"`, "stdout", ""), text: "a\x00b", ended: true},
		"endless":               {file: strings.Repeat("x", maxRecord+1), err: ErrTorn},
	} {
		t.Run(name, func(t *testing.T) {
			var d jsonDecoder
			c, n, err := d.decode([]byte(test.file))
			require.ErrorIs(t, err, test.err)
			want := test.n
			switch want {
			case 0:
				want = len(test.file)
			case -1:
				want = 0
			}
			assert.Equal(t, want, n)
			if err == nil {
				assert.Equal(t, test.text, string(c.Text))
				assert.Equal(t, max(test.kind, stream.Stdout), c.Kind)
				assert.Equal(t, test.ended, c.Ended)
				assert.Equal(t, writtenAt(t, written), c.Time)
			}
		})
	}
}

// Trailing zeros of the time are cut off in the file.
func TestJSONTimes(t *testing.T) {
	var d jsonDecoder
	for _, text := range []string{
		"2026-11-24T05:57:32Z", "2026-11-24T05:57:32.1Z", "2026-11-24T05:57:32.12345678Z", "2026-11-24T05:58:02.000000001Z",
		"2026-11-24T06:58:02.5+01:00",
	} {
		c, _, err := d.decode([]byte(`{"log":"a\n","stream":"stdout","time":"` + text + `"}` + "\n"))
		require.NoError(t, err, text)
		assert.Equal(t, writtenAt(t, text), c.Time, text)
	}
}

// FuzzJSON holds that a line which encoding/json takes for a record is the same record here.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		jsonLine(`"hello\n"`, "stdout", ""), jsonLine(`"\ud83d\ude00\u0009\\\n"`, "stderr", `,"attrs":{"a":"b"}`), torn + jsonLine(`"a"`, "stdout", ""),
		"\x00\x00" + jsonLine(`"a\n"`, "stdout", ""), jsonLine("\"a\x00b\\n\"", "stdout", ""), `{"log":"a","log":"b","stream":"stdout","time":"2026-11-24T05:57:32Z"}` + "\n",
	} {
		f.Add([]byte(seed))
	}
	// Plain comparisons: those of testify would take most of the time.
	f.Fuzz(func(t *testing.T, file []byte) {
		var d jsonDecoder
		c, n, err := d.decode(file)
		if n < 0 || n > len(file) || n == 0 && err == nil {
			t.Fatalf("takes %d bytes of %d", n, len(file))
		}
		line, _, ended := bytes.Cut(file, newline)
		if err == nil && bytes.IndexByte(line, 0) >= 0 {
			t.Fatal("what was overwritten is no record")
		}
		var want struct{ Log, Stream, Time string }
		if err != nil || !ended || json.Unmarshal(line, &want) != nil {
			return
		}
		when, timeErr := time.Parse(time.RFC3339Nano, want.Time)
		if timeErr != nil {
			return
		}
		text, last := strings.CutSuffix(want.Log, "\n")
		got := string([]rune(string(c.Text))) // invalid bytes are replaced one by one
		if got != text || c.Ended != last || c.Time != when.UnixNano() {
			t.Fatalf("%q at %d, ended: %v; encoding/json: %q at %d, ended: %v", got, c.Time, c.Ended, text, when.UnixNano(), last)
		}
	})
}

func BenchmarkJSON(b *testing.B) {
	line := []byte(jsonLine(`"`+strings.Repeat("x", 111)+`\n"`, "stdout", ""))
	var d jsonDecoder
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.decode(line); err != nil {
			b.Fatal(err)
		}
	}
}
