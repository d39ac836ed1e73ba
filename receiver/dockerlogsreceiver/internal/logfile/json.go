// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"encoding/json"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// The parts of a record of the log driver json-file, which writes them in this order and
// without spaces:
//
//	{"log":"text\n","stream":"stdout","attrs":{…},"time":"2026-11-24T05:57:32.386Z"}
//
// attrs is there with the log options labels, env and tag only. Inside a string every quote
// is escaped, so that jsonStart can stand at the start of a record only.
var (
	jsonStart  = []byte(`{"log":"`)
	jsonStream = []byte(`,"stream":"std`)
	jsonOut    = []byte(`out"`)
	jsonErr    = []byte(`err"`)
	jsonAttrs  = []byte(`,"attrs":{`)
	jsonTime   = []byte(`,"time":"`)
	jsonEnd    = []byte(`"}`)
)

// jsonDecoder decodes the files of the log driver json-file. The zero value is ready.
type jsonDecoder struct {
	instants stream.Instants
	text     []byte // unescaped, of the record last returned
}

func (d *jsonDecoder) decode(b []byte) (c Chunk, n int, err error) {
	if len(b) > 0 && b[0] == 0 {
		return Chunk{}, len(b) - len(bytes.TrimLeft(b, "\x00")), ErrHole
	}
	end := bytes.IndexByte(b, '\n')
	switch {
	case end < 0 && len(b) > maxRecord:
		return Chunk{}, len(b), ErrTorn
	case end < 0:
		return Chunk{}, 0, errShort
	}
	line := b[:end]
	c, ok := d.record(line)
	if !ok {
		c, ok = d.lax(line)
	}
	if ok && bytes.IndexByte(line, 0) < 0 { // the engine writes NULs as escapes
		return c, end + 1, nil
	}
	// A torn record, with the next one directly behind it: the last in the line is whole.
	if next := bytes.LastIndex(line, jsonStart); next > 0 {
		return Chunk{}, next, ErrTorn
	}
	return Chunk{}, end + 1, ErrTorn
}

// record decodes a line that is just as the engine writes it.
func (d *jsonDecoder) record(line []byte) (c Chunk, ok bool) {
	rest, ok := bytes.CutPrefix(line, jsonStart)
	if !ok {
		return c, false
	}
	c.Text, rest, ok = d.unescape(rest)
	if !ok {
		return c, false
	}
	c.Text, c.Ended = bytes.CutSuffix(c.Text, newline)
	if rest, ok = bytes.CutPrefix(rest, jsonStream); !ok {
		return c, false
	}
	switch {
	case bytes.HasPrefix(rest, jsonOut):
		c.Kind = stream.Stdout
	case bytes.HasPrefix(rest, jsonErr):
		c.Kind = stream.Stderr
	default:
		return c, false
	}
	rest = rest[len(jsonOut):]
	if bytes.HasPrefix(rest, jsonAttrs) {
		if rest = skipAttrs(rest[len(jsonAttrs):]); rest == nil {
			return c, false
		}
	}
	if rest, ok = bytes.CutPrefix(rest, jsonTime); !ok {
		return c, false
	}
	ns, width := d.instants.Parse(rest)
	c.Time = ns
	return c, width > 0 && bytes.Equal(rest[width:], jsonEnd)
}

// skipAttrs returns what is behind the closing brace of an object of strings, of which the
// opening one has been read; nil if there is none.
func skipAttrs(b []byte) []byte {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == '}' && !quoted:
			return b[i+1:]
		case b[i] == '{' && !quoted:
			return nil
		}
	}
	return nil
}

// unescape returns the content of a JSON string, whose opening quote has been read, and
// what is behind its closing one. The content is a part of b where it has no escape, else
// it is in d.text.
func (d *jsonDecoder) unescape(b []byte) (text, rest []byte, ok bool) {
	quote := bytes.IndexByte(b, '"')
	if quote < 0 {
		return nil, nil, false
	}
	text = d.text[:0]
	for next := 0; ; {
		slash := bytes.IndexByte(b[next:quote], '\\')
		if slash < 0 {
			if next == 0 {
				return b[:quote], b[quote+1:], true
			}
			d.text = append(text, b[next:quote]...)
			return d.text, b[quote+1:], true
		}
		text = append(text, b[next:next+slash]...)
		next += slash + 1
		var size int
		if text, size = appendEscape(text, b[next:]); size == 0 {
			return nil, nil, false
		}
		if next += size; next > quote { // that one was escaped
			more := bytes.IndexByte(b[next:], '"')
			if more < 0 {
				return nil, nil, false
			}
			quote = next + more
		}
	}
}

// appendEscape appends the character whose escape, without its backslash, starts b, and
// returns how long that is; 0 if it is none.
func appendEscape(text, b []byte) ([]byte, int) {
	switch b[0] {
	case '"', '\\', '/':
		return append(text, b[0]), 1
	case 'n':
		return append(text, '\n'), 1
	case 'r':
		return append(text, '\r'), 1
	case 't':
		return append(text, '\t'), 1
	case 'b':
		return append(text, '\b'), 1
	case 'f':
		return append(text, '\f'), 1
	case 'u':
	default:
		return text, 0
	}
	r, ok := hex4(b[1:])
	if !ok {
		return text, 0
	}
	size := 1 + 4
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if next := b[size:]; len(next) > 1 && next[0] == '\\' && next[1] == 'u' {
			low, ok = hex4(next[2:])
		}
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			return utf8.AppendRune(text, pair), size + 2 + 4
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(text, r), size
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// lax decodes a line that is JSON and not as the engine writes it.
func (d *jsonDecoder) lax(line []byte) (c Chunk, ok bool) {
	var record struct {
		Log    string `json:"log"`
		Stream string `json:"stream"`
		Time   string `json:"time"`
	}
	if json.Unmarshal(line, &record) != nil {
		return c, false
	}
	d.text = append(d.text[:0], record.Log...)
	c.Text, c.Ended = bytes.CutSuffix(d.text, newline)
	c.Kind = stream.Stdout
	if record.Stream == stream.Stderr.String() {
		c.Kind = stream.Stderr
	}
	ns, width := d.instants.Parse([]byte(record.Time))
	c.Time = ns
	return c, width > 0 && width == len(record.Time)
}
