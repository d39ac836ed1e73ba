// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// framed puts a message between its lengths.
func framed(message ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(message)))
	b = append(b, message...)
	return binary.BigEndian.AppendUint32(b, uint32(len(message)))
}

// message makes one of stdout, with further fields.
func message(text string, more ...byte) []byte {
	b := append([]byte{0x0a, 6}, "stdout"...)
	b = binary.AppendUvarint(append(b, 0x10), 1_795_499_852_386_123_456)
	if text != "" {
		b = binary.AppendUvarint(append(b, 0x1a), uint64(len(text)))
		b = append(b, text...)
	}
	return append(b, more...)
}

func TestLocal(t *testing.T) {
	partial := []byte{0x20, 1}
	part := func(fields ...byte) []byte { return append([]byte{0x20, 1, 0x2a, byte(len(fields))}, fields...) }
	for name, test := range map[string]struct {
		file  []byte
		text  string
		kind  stream.Kind
		ended bool
		err   error
	}{
		"line":                 {file: framed(message("plain")...), text: "plain", ended: true},
		"blank line":           {file: framed(message("")...), ended: true},
		"stderr":               {file: framed(append([]byte{0x0a, 6}, "stderr\x10\x05"...)...), kind: stream.Stderr, ended: true},
		"chunk":                {file: framed(message("long", part(0x12, 2, 'i', 'd', 0x18, 1)...)...), text: "long"},
		"last chunk":           {file: framed(message("long", part(0x08, 1, 0x12, 2, 'i', 'd', 0x18, 2)...)...), text: "long", ended: true},
		"chunk without more":   {file: framed(message("long", partial...)...), text: "long"},
		"fields of the future": {file: framed(message("plain", 0x32, 2, 'a', 'b', 0x38, 1, 0x41, 1, 2, 3, 4, 5, 6, 7, 8, 0x4d, 1, 2, 3, 4)...), text: "plain", ended: true},
		"nothing":              {err: errShort},
		"half a length":        {file: []byte{0, 0}, err: errShort},
		"half a record":        {file: framed(message("plain")...)[:20], err: errShort},
		"NULs":                 {file: make([]byte, 100), err: ErrTorn},
		"too long":             {file: []byte{0x7f, 0, 0, 0, 1}, err: ErrTorn},
		"lengths differ":       {file: append(framed(message("plain")...)[:len(framed(message("plain")...))-1], 9), err: ErrTorn},
		"no source":            {file: framed(0x10, 5), err: ErrTorn},
		"other source":         {file: framed(append([]byte{0x0a, 3}, "tty\x10\x05"...)...), err: ErrTorn},
		"no message":           {file: framed(0xff, 0xff, 0xff), err: ErrTorn},
		"a field is cut off":   {file: framed(0x0a, 200, 'a'), err: ErrTorn},
		"no field's number":    {file: framed(message("plain", 0xf8, 0xff, 0xff, 0xff, 0x7f, 1)...), err: ErrTorn},
		"an older wire type":   {file: framed(message("plain", 0x33)...), err: ErrTorn},
	} {
		t.Run(name, func(t *testing.T) {
			c, n, err := localDecoder{}.decode(test.file)
			require.ErrorIs(t, err, test.err)
			if err != nil {
				assert.Zero(t, n)
				return
			}
			assert.Equal(t, len(test.file), n)
			assert.Equal(t, test.text, string(c.Text))
			assert.Equal(t, max(test.kind, stream.Stdout), c.Kind)
			assert.Equal(t, test.ended, c.Ended)
		})
	}
}

// A record as Engine 20.10 wrote it.
func TestLocalOfAnEngine(t *testing.T) {
	file, err := hex.DecodeString("00000019" + "0a06" + "7374646f7574" + "10c0a0d0e0f0a0b0f518" + "1a05" + "706c61696e" + "00000019")
	require.NoError(t, err)
	c, n, err := localDecoder{}.decode(file)
	require.NoError(t, err)
	assert.Equal(t, len(file), n)
	assert.Equal(t, "plain", string(c.Text))
	assert.Equal(t, stream.Stdout, c.Kind)
	assert.True(t, c.Ended)
}

// FuzzLocal holds that what the library of protocol buffers takes for a record is the same
// record here, and nothing else is one. The input is a message, as hardly any change of its
// two lengths leaves them equal; without them it is a file that is no log.
func FuzzLocal(f *testing.F) {
	f.Add(message("plain"))
	f.Add(message("long", 0x20, 1, 0x2a, 2, 0x08, 1))
	f.Add(framed(message("in its frame")...))
	f.Fuzz(func(t *testing.T, input []byte) {
		if c, n, err := (localDecoder{}).decode(input); n < 0 || n > len(input) || (err == nil) != (n > 0) || err == nil && len(c.Text) > n {
			t.Fatalf("takes %d bytes of %d, a text of %d, %v", n, len(input), len(c.Text), err)
		}
		got, n, err := localDecoder{}.decode(append(framed(input...), "behind"...))
		want, ok := libraryMessage(input)
		if ok != (err == nil) || ok && n != len(input)+2*localFrame {
			t.Fatalf("%d bytes, %v; the library: %v", n, err, ok)
		}
		if ok && (got.Kind != want.Kind || got.Time != want.Time || got.Ended != want.Ended || !bytes.Equal(got.Text, want.Text)) {
			t.Fatalf("%+v; the library: %+v", got, want)
		}
	})
}

// libraryMessage decodes a message with the library of protocol buffers. Groups, which the
// engine does not write, are no message.
func libraryMessage(b []byte) (c Chunk, ok bool) {
	var partial, last bool
	ok = libraryFields(b, func(number protowire.Number, value any) bool {
		switch value := value.(type) {
		case uint64:
			switch number {
			case localTime:
				c.Time = int64(value)
			case localPartial:
				partial = value != 0
			}
		case []byte:
			switch number {
			case localSource:
				c.Kind = map[string]stream.Kind{"stdout": stream.Stdout, "stderr": stream.Stderr}[string(value)]
				return c.Kind != 0
			case localLine:
				c.Text = value
			case localPart:
				last = false
				return libraryFields(value, func(number protowire.Number, value any) bool {
					if v, is := value.(uint64); is && number == localLast {
						last = v != 0
					}
					return true
				})
			}
		}
		return true
	})
	c.Ended = !partial || last
	return c, ok && c.Kind != 0 && c.Time != 0
}

// libraryFields calls each with the number of each field and its value: a uint64 or bytes,
// nil for one of a fixed size. It reports whether all are well formed and all calls were true.
func libraryFields(b []byte, each func(protowire.Number, any) bool) bool {
	for len(b) > 0 {
		number, wire, tag := protowire.ConsumeTag(b)
		if tag < 0 || wire == protowire.StartGroupType {
			return false
		}
		n := protowire.ConsumeFieldValue(number, wire, b[tag:])
		if n < 0 {
			return false
		}
		var value any
		switch wire {
		case protowire.VarintType:
			value, _ = protowire.ConsumeVarint(b[tag:])
		case protowire.BytesType:
			value, _ = protowire.ConsumeBytes(b[tag:])
		}
		if !each(number, value) {
			return false
		}
		b = b[tag+n:]
	}
	return true
}

func BenchmarkLocal(b *testing.B) {
	file := framed(message(string(make([]byte, 112)))...)
	var d localDecoder
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := d.decode(file); err != nil {
			b.Fatal(err)
		}
	}
}
