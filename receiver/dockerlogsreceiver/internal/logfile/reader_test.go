// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// engine is a model of how the engine writes a log's files.
type engine struct {
	t        *testing.T
	path     string
	format   Format
	maxSize  int
	maxFiles int
	compress bool
	unlinks  bool // the only file at its rotation, as Engine 29; else it is renamed, as Engine 20.10 does
	file     *os.File
	size     int
	lines    int
}

func newEngine(t *testing.T, format Format, maxSize, maxFiles int, compress bool) *engine {
	t.Helper()
	e := &engine{t: t, path: filepath.Join(t.TempDir(), "log"), format: format, maxSize: maxSize, maxFiles: maxFiles, compress: compress}
	e.create()
	t.Cleanup(func() { _ = e.file.Close() })
	return e
}

func (e *engine) create() {
	var err error
	e.file, err = os.OpenFile(e.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(e.t, err)
	e.size = 0
}

// encode returns the next line as the engine writes it.
func (e *engine) encode() []byte {
	text := fmt.Sprintf("line %d %s", e.lines, strings.Repeat("x", e.lines%50))
	at := time.Unix(0, e.timeOf(e.lines))
	e.lines++
	if e.format == JSON {
		return fmt.Appendf(nil, `{"log":"%s\n","stream":"stdout","time":"%s"}`+"\n", text, at.UTC().Format(time.RFC3339Nano))
	}
	b := append([]byte{0x0a, 6}, "stdout"...)
	b = binary.AppendUvarint(append(b, 0x10), uint64(at.UnixNano()))
	b = binary.AppendUvarint(append(b, 0x1a), uint64(len(text)))
	return framed(append(b, text...)...)
}

// timeOf returns the time of a line.
func (e *engine) timeOf(line int) int64 { return 1_795_499_852e9 + int64(line)*1001 }

func (e *engine) write(n int) {
	for range n {
		if e.maxSize > 0 && e.size >= e.maxSize {
			e.rotate()
		}
		e.append(e.encode())
	}
}

func (e *engine) append(b []byte) {
	n, err := e.file.Write(b)
	require.NoError(e.t, err)
	e.size += n
}

func (e *engine) rotate() {
	require.NoError(e.t, e.file.Close())
	numbered := func(i int) string {
		if e.compress {
			return fmt.Sprintf("%s.%d.gz", e.path, i)
		}
		return fmt.Sprintf("%s.%d", e.path, i)
	}
	switch {
	case e.maxFiles == 1 && e.unlinks:
		require.NoError(e.t, os.Remove(e.path))
	case e.maxFiles == 1:
		require.NoError(e.t, os.Rename(e.path, e.path+".1"))
	default:
		for i := e.maxFiles - 2; i > 0; i-- {
			if err := os.Rename(numbered(i), numbered(i+1)); err != nil {
				require.ErrorIs(e.t, err, os.ErrNotExist)
			}
		}
		require.NoError(e.t, os.Rename(e.path, e.path+".1"))
	}
	e.create()
	if e.compress && e.maxFiles > 1 {
		e.archive(e.path + ".1")
	}
}

func (e *engine) archive(path string) {
	text, err := os.ReadFile(path)
	require.NoError(e.t, err)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Extra = []byte(`{"lastTime":"2026-11-24T05:57:32Z"}`)
	_, err = w.Write(text)
	require.NoError(e.t, err)
	require.NoError(e.t, w.Close())
	require.NoError(e.t, os.WriteFile(path+".gz", b.Bytes(), 0o600))
	require.NoError(e.t, os.Remove(path))
}

func (e *engine) reader() *Reader {
	r := NewReader(e.path, e.format, e.maxFiles)
	e.t.Cleanup(func() { _ = r.Close() })
	return r
}

// read reads to the end and returns the numbers of the lines, with -1 in place of an error
// that it also returns.
func read(t *testing.T, r *Reader) (lines []int, damage []error) {
	t.Helper()
	for {
		c, err := r.Next()
		switch {
		case err == io.EOF:
			return lines, damage
		case err == nil:
			assert.True(t, c.Ended)
			var n int
			_, scanErr := fmt.Sscanf(string(c.Text), "line %d ", &n)
			require.NoError(t, scanErr, "%q", c.Text)
			lines = append(lines, n)
		case isDamage(err):
			lines, damage = append(lines, -1), append(damage, err)
		default:
			require.NoError(t, err)
		}
	}
}

func numbers(from, to int) (list []int) {
	for i := from; i < to; i++ {
		list = append(list, i)
	}
	return list
}

func eachFormat(t *testing.T, test func(*testing.T, Format)) {
	t.Run("json-file", func(t *testing.T) { test(t, JSON) })
	t.Run("local", func(t *testing.T) { test(t, Local) })
}

// TestRotation has the engine write and rotate between reads that stop anywhere. As long as
// no file that has not been read is removed, every line comes once, in order.
func TestRotation(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		for _, compress := range []bool{false, true} {
			for _, maxFiles := range []int{2, 3, 5} {
				t.Run(fmt.Sprintf("%d files, compress=%v", maxFiles, compress), func(t *testing.T) {
					for seed := range uint64(5) {
						random := rand.New(rand.NewPCG(seed, 0))
						e := newEngine(t, format, 2_000, maxFiles, compress)
						r := e.reader()
						var got []int
						for range 60 {
							e.write(random.IntN(12 * (maxFiles - 1))) // some 16 lines fill a file
							if random.IntN(4) == 0 {
								r.Rest()
							}
							lines, _ := read(t, r)
							got = append(got, lines...)
						}
						require.Equal(t, numbers(0, e.lines), got, "seed %d", seed)
					}
				})
			}
		}
	})
}

// TestRotatedMeanwhile: a reader that is new reads all files that there are, the oldest first.
func TestRotatedMeanwhile(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		for _, compress := range []bool{false, true} {
			e := newEngine(t, format, 1_000, 4, compress)
			e.write(500)
			got, damage := read(t, e.reader())
			assert.Empty(t, damage)
			assert.Greater(t, len(got), 20)
			assert.Equal(t, numbers(e.lines-len(got), e.lines), got)
		}
	})
}

// TestRotatedAway: what was removed before it was read is one gap, and all that is there
// comes.
func TestRotatedAway(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		for _, compress := range []bool{false, true} {
			e := newEngine(t, format, 1_000, 3, compress)
			r := e.reader()
			e.write(5)
			read(t, r)
			e.write(200)
			got, damage := read(t, r)
			require.Len(t, damage, 1)
			require.ErrorIs(t, damage[0], ErrRotated)
			at := slices.Index(got, -1)
			assert.Equal(t, numbers(5, 5+at), got[:at], "the rest of the file that was held")
			assert.Equal(t, numbers(e.lines-len(got)+at+1, e.lines), got[at+1:])
			assert.Greater(t, len(got), at+20)
		}
	})
}

func TestOneFile(t *testing.T) {
	t.Run("renamed", func(t *testing.T) {
		e := newEngine(t, JSON, 1_000, 1, false)
		e.write(30)
		r := e.reader()
		first, _ := read(t, r)
		assert.Positive(t, first[0], "the file that the engine's API does not show either is left alone")
		e.write(8)
		got, damage := read(t, r)
		assert.Empty(t, damage)
		assert.Equal(t, numbers(30, 38), got)
	})
	t.Run("unlinked", func(t *testing.T) {
		e := newEngine(t, JSON, 1_000, 1, false)
		e.unlinks = true
		e.write(5)
		r := e.reader()
		read(t, r)
		e.write(10)
		got, damage := read(t, r)
		require.Len(t, damage, 1, "whether there was another file meanwhile cannot be known")
		assert.Equal(t, e.lines, 1+got[len(got)-1])
	})
}

// TestHalfRecord: a record that is being written is waited for.
func TestHalfRecord(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		e := newEngine(t, format, 0, 1, false)
		r := e.reader()
		for i := range 20 {
			record := e.encode()
			cut := 1 + i*len(record)/21
			e.append(record[:cut])
			got, damage := read(t, r)
			assert.Empty(t, damage)
			assert.Empty(t, got)
			if i%2 == 0 {
				r.Rest()
			}
			e.append(record[cut:])
			got, damage = read(t, r)
			assert.Empty(t, damage)
			assert.Equal(t, []int{i}, got)
		}
	})
}

// TestTornRecord: the engine was killed while it wrote, and writes on behind the torn record.
func TestTornRecord(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		for _, whole := range []bool{true, false} { // whether the reader comes when all is written
			e := newEngine(t, format, 0, 1, false)
			r := e.reader()
			e.write(3)
			var before []int
			if !whole {
				before, _ = read(t, r)
			}
			record := e.encode()
			e.append(record[:len(record)/2])
			if !whole {
				more, damage := read(t, r)
				assert.Empty(t, more)
				assert.Empty(t, damage)
			}
			e.write(3)
			got, damage := read(t, r)
			require.Len(t, damage, 1)
			require.ErrorIs(t, damage[0], ErrTorn)
			assert.Equal(t, []int{0, 1, 2, -1, 4, 5, 6}, append(before, got...))
		}
	})
}

// TestTornAtTheEnd: a torn record at the end of a file that the engine has left is one gap.
func TestTornAtTheEnd(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		e := newEngine(t, format, 0, 3, false)
		r := e.reader()
		e.write(2)
		record := e.encode()
		e.append(record[:len(record)/2])
		e.rotate()
		e.write(2)
		got, damage := read(t, r)
		require.Len(t, damage, 1)
		require.ErrorIs(t, damage[0], ErrTorn)
		assert.Equal(t, []int{0, 1, -1, 3, 4}, got)
	})
}

func TestHole(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		e := newEngine(t, format, 0, 1, false)
		r := e.reader()
		e.write(2)
		e.append(make([]byte, bufferSize+1000))
		e.write(2)
		got, damage := read(t, r)
		assert.Len(t, damage, 1)
		assert.Equal(t, []int{0, 1, -1, 2, 3}, got)
	})
}

func TestTruncated(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		e := newEngine(t, format, 0, 1, false)
		r := e.reader()
		e.write(5)
		read(t, r)
		require.NoError(t, os.Truncate(e.path, 0))
		got, damage := read(t, r)
		require.Len(t, damage, 1)
		require.ErrorIs(t, damage[0], ErrTruncated)
		assert.Equal(t, []int{-1}, got)
		e.write(5)
		got, damage = read(t, r)
		assert.Empty(t, damage)
		assert.Equal(t, numbers(5, 10), got)
		r.Rest()
		require.NoError(t, os.Truncate(e.path, 0))
		e.write(100) // more than there were
		got, damage = read(t, r)
		require.Len(t, damage, 1)
		require.ErrorIs(t, damage[0], ErrTruncated)
		assert.Equal(t, append([]int{-1}, numbers(10, 110)...), got)
	})
}

// TestBrokenArchive: an archive that is cut off, as after a kill while it was written, costs
// only its own rest.
func TestBrokenArchive(t *testing.T) {
	e := newEngine(t, JSON, 1_000, 4, true)
	e.write(60)
	path := e.path + ".2.gz"
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, info.Size()/2))
	whole, damage := read(t, e.reader())
	require.Len(t, damage, 1)
	require.ErrorIs(t, damage[0], ErrTorn)
	assert.Equal(t, e.lines-1, whole[len(whole)-1])
}

// TestRemoved: a file that is held open is read to its end when the container is gone.
func TestRemoved(t *testing.T) {
	e := newEngine(t, JSON, 0, 1, false)
	r := e.reader()
	e.write(5)
	_, err := r.Next()
	require.NoError(t, err)
	e.write(5)
	require.NoError(t, os.RemoveAll(filepath.Dir(e.path)))
	e.write(5)
	got, damage := read(t, r)
	assert.Empty(t, damage)
	assert.Equal(t, numbers(1, 15), got)
}

// TestRemovedBehindARotation: what stood in a file that had been begun and is gone is known to be
// missing, where the file that is held is so long that the engine may have begun another.
func TestRemovedBehindARotation(t *testing.T) {
	for name, seen := range map[string]bool{"seen": true, "not seen": false} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, JSON, 1_000, 5, false)
			r := e.reader()
			e.write(5)
			read(t, r)
			assert.False(t, r.LeftUnread(1_000))
			e.write(30)
			if seen {
				_, err := r.Next()
				require.NoError(t, err)
				require.NoError(t, r.more()) // which meets the next file
			}
			require.NoError(t, os.RemoveAll(filepath.Dir(e.path)))
			read(t, r)
			assert.True(t, r.LeftUnread(1_000))
			assert.Equal(t, seen, r.LeftUnread(0), "of a log without a limit only what was seen")
		})
	}
	e := newEngine(t, JSON, 1_000, 5, false)
	r := e.reader()
	e.write(5)
	require.NoError(t, os.RemoveAll(filepath.Dir(e.path)))
	read(t, r)
	assert.False(t, r.LeftUnread(1_000), "a shorter file was the last")
}

// TestWholeRecordsBehindAHalf: the length that half a record of the driver local begins with does
// not hide what stands behind it, once nobody writes the other half.
func TestWholeRecordsBehindAHalf(t *testing.T) {
	half := framed(make([]byte, 16_000)...)[:4096]
	for name, end := range map[string]func(*engine, *Reader){
		"rotated": func(e *engine, _ *Reader) { e.rotate() },
		"ended":   func(_ *engine, r *Reader) { assert.True(t, r.Torn()) },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, Local, 0, 3, false)
			r := e.reader()
			e.write(2)
			e.append(half)
			e.write(50)
			got, damage := read(t, r)
			assert.Empty(t, damage)
			assert.Equal(t, numbers(0, 2), got, "the half may become whole")
			end(e, r)
			e.write(2)
			more, _ := read(t, r)
			if name == "rotated" {
				require.Equal(t, -1, more[0])
				more = more[1:]
			}
			assert.Equal(t, numbers(2, 54), more)
			assert.False(t, r.Torn())
		})
	}
}

// TestRestTakesNoMemory: a reader that rests holds one descriptor and no buffer.
func TestRestTakesNoMemory(t *testing.T) {
	e := newEngine(t, JSON, 0, 1, false)
	e.write(10)
	r := e.reader()
	read(t, r)
	assert.NotNil(t, r.buf)
	r.Rest()
	assert.Nil(t, r.buf)
	e.write(1)
	got, _ := read(t, r)
	assert.Equal(t, []int{10}, got)
}

func BenchmarkReader(b *testing.B) {
	path := filepath.Join(b.TempDir(), "log")
	line := []byte(jsonLine(`"`+strings.Repeat("x", 111)+`\n"`, "stdout", ""))
	const lines = 100_000
	require.NoError(b, os.WriteFile(path, bytes.Repeat(line, lines), 0o600))
	b.SetBytes(int64(lines * len(line)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(path, JSON, 1)
		n := 0
		for ; ; n++ {
			if _, err := r.Next(); err != nil {
				break
			}
		}
		require.Equal(b, lines, n)
		require.NoError(b, r.Close())
	}
}
