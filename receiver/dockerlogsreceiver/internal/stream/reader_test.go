// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const testLimit = 1 << 20

var base = time.Date(2026, 11, 23, 9, 37, 33, 123456789, time.UTC)

const (
	testBuffer = 32 << 10
	// smallBuffer holds no chunk, so that frames are read in pieces.
	smallBuffer = 8 << 10
)

func newReader(src io.Reader, tty bool, limit int) *Reader {
	return newReaderSize(testBuffer, src, tty, limit)
}

func newReaderSize(buffer int, src io.Reader, tty bool, limit int) *Reader {
	d := NewReader(buffer)
	d.Reset(src, tty, false, limit)
	return d
}

func stamp(after time.Duration) string {
	return base.Add(after).Format("2006-01-02T15:04:05.000000000Z07:00 ")
}

func coarse(after time.Duration) string {
	return base.Add(after).Format("2006-01-02T15:04:05Z ")
}

func frame(kind byte, payload string) string {
	header := []byte{kind, 0, 0, 0, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(header[4:], uint32(len(payload)))
	return string(header) + payload
}

// chunks is a line as the engine sends it, each chunk with the same stamp.
func chunks(kind byte, stamp, line string, size int) string {
	var b strings.Builder
	line += "\n"
	for len(line) > size {
		b.WriteString(frame(kind, stamp+line[:size]))
		line = line[size:]
	}
	b.WriteString(frame(kind, stamp+line))
	return b.String()
}

// line is a copy of a Record that outlives the next call.
type line struct {
	At      time.Duration
	Kind    Kind
	Body    string
	Dropped int
}

func copyOf(rec Record) line {
	return line{time.Duration(rec.Time - base.UnixNano()), rec.Kind, string(rec.Body), rec.Dropped}
}

func readAll(src io.Reader, tty bool, limit int) (got []line, frames int, err error) {
	return readAllSize(testBuffer, src, tty, limit)
}

func readAllSize(buffer int, src io.Reader, tty bool, limit int) (got []line, frames int, err error) {
	d := newReaderSize(buffer, src, tty, limit)
	for {
		rec, err := d.Next()
		if err != nil {
			return got, d.Frames(), err
		}
		got = append(got, copyOf(rec))
	}
}

func TestReader(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 50_000/16)
	chunk := long[:leastChunk]
	for name, test := range map[string]struct {
		body   string
		tty    bool
		limit  int
		want   []line
		frames int
		err    error
	}{
		"empty": {err: io.EOF},
		"two streams": {
			body:   frame(1, stamp(0)+"out\n") + frame(2, stamp(5)+"err\n"),
			want:   []line{{0, Stdout, "out", 0}, {5, Stderr, "err", 0}},
			frames: 2, err: io.EOF,
		},
		"blank, carriage return, NUL and invalid UTF-8 are kept": {
			body:   frame(1, stamp(0)+"\n") + frame(1, stamp(1)+"crlf\r\n") + frame(1, stamp(2)+"a\x00\xff\xfe\n"),
			want:   []line{{0, Stdout, "", 0}, {1, Stdout, "crlf\r", 0}, {2, Stdout, "a\x00\xff\xfe", 0}},
			frames: 3, err: io.EOF,
		},
		"times run backwards": {
			body:   frame(1, stamp(9)+"a\n") + frame(2, stamp(3)+"b\n"),
			want:   []line{{9, Stdout, "a", 0}, {3, Stderr, "b", 0}},
			frames: 2, err: io.EOF,
		},
		"chunks are joined": {
			body: chunks(1, stamp(7), long, 16384), frames: 4,
			want: []line{{7, Stdout, long, 0}}, err: io.EOF,
		},
		"chunks with the other stream's lines between them": {
			body: frame(1, stamp(1)+chunk) + frame(2, stamp(2)+chunk) + frame(1, stamp(1)+chunk) +
				frame(2, stamp(2)+"or\n") + frame(2, stamp(3)+"again\n") + frame(1, stamp(1)+"three\n"),
			want:   []line{{2, Stderr, chunk + "or", 0}, {3, Stderr, "again", 0}, {1, Stdout, chunk + chunk + "three", 0}},
			frames: 6, err: io.EOF,
		},
		"a line cut by the container's end is a line of its own": {
			body:   frame(1, stamp(1)+"cut") + frame(2, stamp(2)+"err\n") + frame(1, stamp(3)+"next\n"),
			want:   []line{{1, Stdout, "cut", 0}, {2, Stderr, "err", 0}, {3, Stdout, "next", 0}},
			frames: 3, err: io.EOF,
		},
		"a long line cut by the container's end": {
			body:   frame(1, stamp(1)+chunk) + frame(2, stamp(2)+"err\n") + frame(1, stamp(3)+"next\n"),
			want:   []line{{2, Stderr, "err", 0}, {1, Stdout, chunk, 0}, {3, Stdout, "next", 0}},
			frames: 3, err: io.EOF,
		},
		"the local driver of Engine 20.10 does not end long lines": {
			body:   frame(1, stamp(1)+chunk) + frame(1, stamp(1)+"end") + frame(1, stamp(2)+"next\n"),
			want:   []line{{1, Stdout, chunk + "end", 0}, {2, Stdout, "next", 0}},
			frames: 3, err: io.EOF,
		},
		"longer than the limit": {
			body: chunks(2, stamp(1), long, 16384) + frame(1, stamp(2)+"123456789\n"), limit: 5, frames: 5,
			want: []line{{1, Stderr, "01234", len(long) - 5}, {2, Stdout, "12345", 4}}, err: io.EOF,
		},
		"a frame larger than the buffer": {
			body: frame(1, stamp(1)+long+"\n") + frame(1, stamp(2)+"next\n"), frames: 2,
			want: []line{{1, Stdout, long, 0}, {2, Stdout, "next", 0}}, err: io.EOF,
		},
		"whole seconds": {
			body:   frame(1, coarse(0)+"a\n") + frame(1, coarse(0)+"a\n"),
			want:   []line{{-123456789, Stdout, "a", 0}, {-123456789, Stdout, "a", 0}},
			frames: 2, err: io.EOF,
		},
		"whole seconds, chunks in two of them": {
			body:   frame(1, coarse(0)+"a ") + frame(1, coarse(time.Second)+"b\n"),
			want:   []line{{-123456789, Stdout, "a b", 0}},
			frames: 2, err: io.EOF,
		},
		"a zone": {
			body: frame(1, "2026-11-23T11:37:33.123456789+02:00 a\n"), frames: 1,
			want: []line{{0, Stdout, "a", 0}}, err: io.EOF,
		},
		"the local driver of Engine 20.10, whose zone is not UTC": {
			body: frame(1, "2026-11-23T10:37:33.123456789+01:00 "+chunk) + frame(1, "2026-11-23T10:37:33.123456789+01:00 end") +
				frame(2, "2026-11-23T10:37:33.123456790+01:00 next\n"),
			want:   []line{{0, Stdout, chunk + "end", 0}, {1, Stderr, "next", 0}},
			frames: 3, err: io.EOF,
		},
		"a terminal in another zone": {
			tty: true, frames: 4,
			body: "2026-11-23T10:37:33.123456789+01:00 " + chunk + "2026-11-23T10:37:33.123456789+01:00 end\r\n" +
				"2026-11-23T10:37:34.123456789+01:00 cut2026-11-23T10:37:35.123456789+01:00 next\r\n",
			want: []line{{0, Stdout, chunk + "end", 0}, {time.Second, Stdout, "cut", 0}, {2 * time.Second, Stdout, "next", 0}}, err: io.EOF,
		},
		"no time stamp": {
			body: frame(1, stamp(3)+"a\n") + frame(1, "b\n"), frames: 2,
			want: []line{{3, Stdout, "a", 0}, {3, Stdout, "b", 0}}, err: io.EOF,
		},
		"frames without content are passed over": {
			body: frame(1, "") + frame(1, stamp(3)+"a\n"), frames: 1,
			want: []line{{3, Stdout, "a", 0}}, err: io.EOF,
		},
		"an error of the engine": {
			body: frame(1, stamp(3)+"a\n") + frame(3, "Error grabbing logs: unexpected EOF\n"), frames: 1,
			want: []line{{3, Stdout, "a", 0}}, err: &EngineError{"Error grabbing logs: unexpected EOF"},
		},
		"an error of the engine larger than the buffer": {
			body: frame(3, long), err: &EngineError{long[:maxErrorSize]},
		},
		"cut in an error of the engine": {
			body: frame(3, "Error grabbing logs: unexpected EOF\n")[:20], err: io.ErrUnexpectedEOF,
		},
		"cut in a header": {
			body: frame(1, stamp(3)+"a\n") + "\x01\x00\x00", frames: 1,
			want: []line{{3, Stdout, "a", 0}}, err: io.ErrUnexpectedEOF,
		},
		"cut in a frame": {
			body: frame(1, stamp(3)+"abc\n")[:40], err: io.ErrUnexpectedEOF,
		},
		"cut in a frame larger than the buffer": {
			body: frame(1, stamp(3)+long)[:40_000], err: io.ErrUnexpectedEOF,
		},
		"terminal": {
			tty: true, body: stamp(1) + "one\r\n" + stamp(2) + "\r\n" + stamp(3) + "bare\n",
			want:   []line{{1, Stdout, "one", 0}, {2, Stdout, "", 0}, {3, Stdout, "bare", 0}},
			frames: 3, err: io.EOF,
		},
		"terminal, the stamp again in a long line": {
			tty: true, frames: 4,
			body: stamp(1) + long[:16384] + stamp(1) + long[16384:32768] + stamp(1) + long[32768:] + "\r\n" + stamp(2) + "next\r\n",
			want: []line{{1, Stdout, long, 0}, {2, Stdout, "next", 0}}, err: io.EOF,
		},
		"terminal, a long line that ends with a chunk": {
			tty: true, frames: 3,
			body: stamp(1) + long[:16384] + stamp(1) + "\r\n" + stamp(2) + "next\r\n",
			want: []line{{1, Stdout, long[:16384], 0}, {2, Stdout, "next", 0}}, err: io.EOF,
		},
		"terminal, a program that prints the time": {
			tty: true, frames: 1, body: stamp(9) + "it is " + stamp(3) + "now\r\n",
			want: []line{{9, Stdout, "it is " + stamp(3) + "now", 0}}, err: io.EOF,
		},
		"terminal, a line cut by the container's end": {
			tty: true, frames: 3, body: stamp(1) + "cut" + stamp(2) + "cut too" + stamp(3) + "next\r\n",
			want: []line{{1, Stdout, "cut", 0}, {2, Stdout, "cut too", 0}, {3, Stdout, "next", 0}}, err: io.EOF,
		},
		"terminal, an error of the engine": {
			tty: true, frames: 2, body: stamp(1) + "a\r\nError grabbing logs: bad\n",
			want: []line{{1, Stdout, "a", 0}}, err: &EngineError{"Error grabbing logs: bad"},
		},
		"terminal, longer than the limit": {
			tty: true, limit: 3, frames: 1, body: stamp(1) + "abcde\r\n",
			want: []line{{1, Stdout, "abc", 2}}, err: io.EOF,
		},
		"terminal, cut in a stamp": {
			tty: true, frames: 1, body: stamp(1) + "a\r\n" + stamp(2)[:12],
			want: []line{{1, Stdout, "a", 0}}, err: io.ErrUnexpectedEOF,
		},
	} {
		t.Run(name, func(t *testing.T) {
			limit := test.limit
			if limit == 0 {
				limit = testLimit
			}
			for how, wrap := range map[string]func(io.Reader) io.Reader{
				"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
				"halves": iotest.HalfReader, "error with data": iotest.DataErrReader,
			} {
				for _, buffer := range []int{testBuffer, smallBuffer, minBuffer} {
					got, frames, err := readAllSize(buffer, wrap(strings.NewReader(test.body)), test.tty, limit)
					assert.Equal(t, test.want, got, how)
					assert.Equal(t, test.err, err, how)
					assert.Equal(t, test.frames, frames, how)
				}
			}
		})
	}
}

func TestHeaderMalformed(t *testing.T) {
	for _, body := range []string{"\x04\x00\x00\x00\x00\x00\x00\x01", "\x01\x00\x01\x00\x00\x00\x00\x01", "\x01\x00\x00\x00\xff\xff\xff\xff", "HTTP/1.1 200"} {
		_, _, err := readAll(strings.NewReader(body), false, testLimit)
		assert.ErrorContains(t, err, "malformed frame header")
	}
}

func TestFlush(t *testing.T) {
	chunk := strings.Repeat("x", leastChunk)
	for name, test := range map[string]struct {
		body string
		tty  bool
		want []line
	}{
		"both streams": {
			body: frame(1, stamp(1)+chunk) + frame(2, coarse(0)+"err"),
			want: []line{{1, Stdout, chunk, 0}, {-123456789, Stderr, "err", 0}},
		},
		"terminal": {
			tty: true, body: stamp(1) + "first run" + stamp(2) + "second",
			want: []line{{1, Stdout, "first run", 0}, {2, Stdout, "second", 0}},
		},
		"not after a cut": {body: frame(1, stamp(1)+chunk) + "\x01"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newReader(strings.NewReader(test.body), test.tty, testLimit)
			_, err := d.Next()
			require.Error(t, err)
			require.True(t, d.Pending())
			var got []line
			for rec, ok := d.Flush(math.MaxInt64); ok; rec, ok = d.Flush(math.MaxInt64) {
				got = append(got, copyOf(rec))
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// TestReady holds that a record that is complete in the buffer is announced and
// that Next then does not touch the source.
func TestReady(t *testing.T) {
	for name, test := range map[string]struct {
		tty   bool
		parts []string
		ready []int // records that each part makes ready beyond the first
	}{
		"frames":   {parts: []string{frame(1, stamp(1)+"a\n") + frame(2, stamp(2)+"b\n") + frame(1, stamp(3)+"c\n")[:20], frame(1, stamp(3)+"c\n")[20:]}, ready: []int{1, 0}},
		"chunk":    {parts: []string{frame(1, stamp(1)+"a\n") + frame(1, stamp(2)+strings.Repeat("b", leastChunk)), frame(1, stamp(2)+"c\n")}, ready: []int{0, 0}},
		"terminal": {tty: true, parts: []string{stamp(1) + "a\r\n" + stamp(2) + "b\r\n" + stamp(3), "c\r\n"}, ready: []int{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			source := &parts{t: t, list: test.parts}
			d := newReader(source, test.tty, testLimit)
			for i, want := range test.ready {
				source.allowed = i + 1
				_, err := d.Next()
				require.NoError(t, err)
				for range want {
					require.True(t, d.Ready())
					_, err := d.Next()
					require.NoError(t, err)
				}
				require.False(t, d.Ready())
			}
		})
	}
}

// parts gives one part a read and fails the test when it is asked for more than
// is allowed.
type parts struct {
	t       *testing.T
	list    []string
	allowed int
	given   int
}

func (p *parts) Read(b []byte) (int, error) {
	require.Less(p.t, p.given, p.allowed, "read that would have blocked")
	p.given++
	return copy(b, p.list[p.given-1]), nil
}

// TestFlushBefore holds that only the lines of an earlier run are given up.
func TestFlushBefore(t *testing.T) {
	chunk := strings.Repeat("x", leastChunk)
	d := newReader(strings.NewReader(frame(1, stamp(1)+chunk)+frame(2, stamp(5)+chunk)), false, testLimit)
	_, err := d.Next()
	require.ErrorIs(t, err, io.EOF)
	rec, ok := d.Flush(base.UnixNano() + 5)
	require.True(t, ok)
	require.Equal(t, Stdout, rec.Kind)
	_, ok = d.Flush(base.UnixNano() + 5)
	require.False(t, ok)
	require.True(t, d.Pending())
}

// TestSharedTimes reads what Podman 5 makes of lines: a stamp for what it reads at a time,
// which ends anywhere, also in the middle of a short line.
func TestSharedTimes(t *testing.T) {
	body := frame(1, stamp(1)+"a\n") + frame(1, stamp(1)+"a\n") + frame(1, stamp(1)+"begun") +
		frame(2, stamp(2)+"err") + frame(1, stamp(3)+" and ") + frame(2, stamp(4)+"or\n") + frame(1, stamp(time.Second+2)+"ended\n") +
		frame(1, stamp(time.Second+5)+"last words") + frame(1, stamp(3*time.Second)+"next run\n")
	d := NewReader(testBuffer)
	d.Reset(strings.NewReader(body), false, true, testLimit)
	for _, want := range []line{
		{1, Stdout, "a", 0},
		{1, Stdout, "a", 0},
		{2, Stderr, "error", 0},
		{1, Stdout, "begun and ended", 0},
		{time.Second + 5, Stdout, "last words", 0},
		{3 * time.Second, Stdout, "next run", 0},
	} {
		rec, err := d.Next()
		require.NoError(t, err)
		require.Equal(t, want, copyOf(rec))
		require.True(t, rec.Coarse)
	}
	_, err := d.Next()
	require.ErrorIs(t, err, io.EOF)
}

func TestSourceErrorIsKept(t *testing.T) {
	broken := errors.New("broken")
	d := newReader(io.MultiReader(strings.NewReader(frame(1, stamp(1)+"a\n")), iotest.ErrReader(broken)), false, testLimit)
	_, err := d.Next()
	require.NoError(t, err)
	for range 2 {
		_, err = d.Next()
		require.ErrorIs(t, err, broken)
	}
	d = newReader(stuck{}, false, testLimit)
	_, err = d.Next()
	require.ErrorIs(t, err, io.ErrNoProgress)
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

// TestMemory holds that a hostile sender gets no more memory than the limit, and
// that a long line's memory is not kept.
func TestMemory(t *testing.T) {
	const limit = 64 << 10
	endless := io.MultiReader(strings.NewReader("\x01\x00\x00\x00\x7f\xff\xff\xff"+stamp(1)), io.LimitReader(zeros{}, 100<<20))
	d := newReader(endless, false, limit)
	_, err := d.Next()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.LessOrEqual(t, cap(d.partial[0].body), 2*limit)
	assert.Equal(t, testBuffer, len(d.buf))

	d = newReader(strings.NewReader(chunks(1, stamp(1), strings.Repeat("x", limit), 16384)+frame(1, stamp(2)+"b\n")), false, limit)
	_, err = d.Next()
	require.NoError(t, err)
	_, err = d.Next()
	require.NoError(t, err)
	assert.Nil(t, d.partial[0].body)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestAllocations(t *testing.T) {
	body := strings.Repeat(frame(1, stamp(1)+strings.Repeat("x", 120)+"\n"), 1000)
	source := strings.NewReader(body)
	d := newReader(source, false, testLimit)
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		source.Reset(body)
		for range 1000 {
			if _, err := d.Next(); err != nil {
				t.Fatal(err)
			}
		}
	}))
}

func BenchmarkReader(b *testing.B) {
	for _, size := range []int{120, 1000, 100_000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			body := []byte(chunks(1, stamp(1), strings.Repeat("x", size), 16384))
			for len(body) < 1<<20 {
				body = append(body, body...)
			}
			source := bytes.NewReader(body)
			d := newReader(source, false, testLimit)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if source.Len() == 0 && !d.Ready() {
					source.Reset(body)
				}
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
