// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestResume(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		for _, compress := range []bool{false, true} {
			e := newEngine(t, format, 1_000, 4, compress)
			r := e.reader()
			e.write(7)
			read(t, r)
			place := r.Last().Place()
			e.write(20)
			again := e.reader()
			require.True(t, again.Resume(place))
			got, damage := read(t, again)
			assert.Empty(t, damage)
			assert.Equal(t, numbers(6, 27), got, "from the last record on")
		}
	})
	t.Run("other files", func(t *testing.T) {
		e, other := newEngine(t, JSON, 0, 1, false), newEngine(t, JSON, 0, 1, false)
		e.write(7)
		r := e.reader()
		assert.Nil(t, r.Last().Place(), "nothing has been read")
		read(t, r)
		place := r.Last().Place()
		other.lines = 100
		other.write(20)
		assert.False(t, other.reader().Resume(place))
		assert.False(t, other.reader().Resume(nil))
		assert.False(t, other.reader().Resume(place[1:]))
		require.NoError(t, os.Truncate(e.path, 300))
		assert.False(t, e.reader().Resume(place), "the file is shorter now")
	})
}

// TestTail: a reader may begin near the end, wherever that is in a record.
func TestTail(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		e := newEngine(t, format, 0, 1, false)
		assert.False(t, NewReader(filepath.Join(t.TempDir(), "none"), format, 1).Tail(10))
		e.write(100)
		for bytes := int64(1); bytes <= int64(e.size)+10; bytes += 3 {
			r := e.reader()
			require.True(t, r.Tail(bytes))
			got, damage := read(t, r)
			if len(damage) > 0 {
				require.Equal(t, []error{ErrTorn}, damage)
				require.Equal(t, JSON, format)
				got = got[1:]
			}
			require.Equal(t, numbers(100-len(got), 100), slices.Concat(got))
			require.GreaterOrEqual(t, int64(len(got)*140), bytes-140, "it goes far enough back")
		}
	})
}

// TestSeekBefore: a reader begins with a record that is older than a time, near the end if that
// is, and in whatever file the engine writes next.
func TestSeekBefore(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		e := newEngine(t, format, 0, 3, false)
		assert.False(t, NewReader(filepath.Join(t.TempDir(), "none"), format, 3).SeekBefore(e.timeOf(0)))
		assert.False(t, e.reader().SeekBefore(e.timeOf(0)), "an empty file")
		const lines = 30_000
		e.write(lines)
		for _, n := range []int{1, 2, 3, 500, 20_000, lines - 3000, lines - 1, lines} {
			r := e.reader()
			require.True(t, r.SeekBefore(e.timeOf(n)), n)
			got, damage := read(t, r)
			require.Empty(t, damage)
			require.Less(t, got[0], n)
			require.Equal(t, numbers(got[0], lines), got)
			if n == lines {
				assert.Less(t, len(got), lines/4, "it begins near the end")
			}
			place := r.Last().Place()
			assert.True(t, e.reader().Resume(place), "its file is known")
		}
		r := e.reader()
		assert.False(t, r.SeekBefore(e.timeOf(0)), "no record is older")
		got, damage := read(t, r)
		assert.Empty(t, damage)
		assert.Equal(t, numbers(0, lines), got, "it is as if it had not been called")
	})
}

// TestSeekBeforeAndRotation: what is older is in the file before, and what is newer in the next.
func TestSeekBeforeAndRotation(t *testing.T) {
	eachFormat(t, func(t *testing.T, format Format) {
		for _, compress := range []bool{false, true} {
			e := newEngine(t, format, 0, 5, compress)
			e.write(10)
			e.rotate()
			assert.False(t, e.reader().SeekBefore(e.timeOf(10)), "the file is still empty")
			e.write(10)
			r := e.reader()
			assert.False(t, r.SeekBefore(e.timeOf(10)), "all of the file is newer")
			got, _ := read(t, r)
			assert.Equal(t, numbers(0, 20), got)

			r = e.reader()
			require.True(t, r.SeekBefore(e.timeOf(11)))
			e.write(5)
			e.rotate()
			e.write(5)
			got, damage := read(t, r)
			assert.Empty(t, damage)
			assert.Equal(t, numbers(10, 30), got)
		}
	})
}

// TestSeekBeforeADamage: a log file that is damaged where the reader would begin is read from
// further back.
func TestSeekBeforeADamage(t *testing.T) {
	e := newEngine(t, JSON, 0, 1, false)
	e.write(5000)
	e.append(make([]byte, 2*bufferSize))
	e.append([]byte("\n"))
	e.write(1)
	r := e.reader()
	require.True(t, r.SeekBefore(e.timeOf(5000)))
	got, damage := read(t, r)
	assert.Less(t, got[0], 5000)
	assert.NotEmpty(t, damage)
	assert.Equal(t, 5000, got[len(got)-1])
}
