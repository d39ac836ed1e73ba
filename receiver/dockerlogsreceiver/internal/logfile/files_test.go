// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFilesThatBeginAlike: a compressed file is known by its first record's time stamp, which
// stands at the end of the record, however long that is.
func TestFilesThatBeginAlike(t *testing.T) {
	for _, prefix := range []int{0, 200, 300, 3_000, 16_000} {
		t.Run(fmt.Sprint(prefix), func(t *testing.T) {
			e := newEngine(t, JSON, 4*(prefix+100), 5, true)
			r := e.reader()
			e.writeAlike(2, prefix)
			got, _ := readAlike(t, r)
			r.Rest()
			e.writeAlike(10, prefix) // which begins two files more
			more, damage := readAlike(t, r)
			assert.Empty(t, damage)
			assert.Equal(t, numbers(0, e.lines), append(got, more...), "two rotations between two reads")
			e.writeAlike(40, prefix)
			got, damage = readAlike(t, e.reader())
			assert.Empty(t, damage)
			assert.Equal(t, numbers(e.lines-len(got), e.lines), got, "by a new reader, from the oldest on")
			assert.Greater(t, len(got), 16)
		})
	}
}

// writeAlike writes n lines, each with its number behind so many characters that are the same in all.
func (e *engine) writeAlike(n, prefix int) {
	for range n {
		if e.size >= e.maxSize {
			e.rotate()
		}
		at := time.Unix(0, e.timeOf(e.lines)).UTC().Format(time.RFC3339Nano)
		e.append(fmt.Appendf(nil, `{"log":"%s line %d \n","stream":"stdout","time":"%s"}`+"\n", strings.Repeat("x", prefix), e.lines, at))
		e.lines++
	}
}

// readAlike is read for lines whose number stands behind a prefix.
func readAlike(t *testing.T, r *Reader) (lines []int, damage []error) {
	t.Helper()
	for {
		c, err := r.Next()
		switch {
		case err == nil:
			n := 0
			_, err := fmt.Sscanf(strings.TrimLeft(string(c.Text), "x"), " line %d", &n)
			require.NoError(t, err)
			lines = append(lines, n)
		case !isDamage(err):
			return lines, damage
		default:
			damage = append(damage, err)
		}
	}
}

func isDamage(err error) bool {
	return errors.Is(err, ErrTorn) || errors.Is(err, ErrRotated) || errors.Is(err, ErrTruncated) || errors.Is(err, ErrHole)
}

// TestPlaceOfAFileThatBeginsLikeAnother: a later process finds the file that a place is in.
func TestPlaceOfAFileThatBeginsLikeAnother(t *testing.T) {
	e := newEngine(t, JSON, 2_000, 5, false)
	r := e.reader()
	e.writeAlike(3, 900)
	readAlike(t, r)
	place := r.Last().Place()
	e.writeAlike(4, 900)
	later := e.reader()
	require.True(t, later.Resume(place))
	got, damage := readAlike(t, later)
	assert.Empty(t, damage)
	assert.Equal(t, numbers(2, 7), got)
}

// TestOldestFileCannotBeOpened: what may hold lines is not left out because it cannot be opened.
func TestOldestFileCannotBeOpened(t *testing.T) {
	e := newEngine(t, JSON, 1_000, 4, false)
	e.write(60)
	oldest := e.path + ".3"
	require.NoError(t, os.Rename(oldest, oldest+".kept"))
	require.NoError(t, os.Symlink(oldest, oldest)) // to itself
	r := e.reader()
	_, err := r.Next()
	require.ErrorIs(t, err, syscall.ELOOP)
	require.NoError(t, os.Rename(oldest+".kept", oldest))
	got, damage := read(t, r)
	assert.Empty(t, damage)
	assert.Equal(t, numbers(e.lines-len(got), e.lines), got)
}

// TestOldestFileDuringARotation: a file that is being renamed is not passed by.
func TestOldestFileDuringARotation(t *testing.T) {
	for i := range 1_000 {
		path := filepath.Join(t.TempDir(), "log")
		require.NoError(t, os.WriteFile(path+".1", []byte("oldest"), 0o600))
		require.NoError(t, os.WriteFile(path, []byte("next"), 0o600))
		rotated := make(chan error)
		go func() {
			rotated <- errors.Join(os.Rename(path+".1", path+".2"), os.Rename(path, path+".1"), os.WriteFile(path, nil, 0o600))
		}()
		f, err := names{path, 3}.oldest()
		require.NoError(t, <-rotated)
		if errors.Is(err, fs.ErrNotExist) { // between two renames; it is looked for again
			f, err = names{path, 3}.oldest()
		}
		require.NoError(t, err)
		text := make([]byte, 6)
		_, err = f.Read(text)
		require.NoError(t, err)
		require.Equal(t, "oldest", string(text), "try %d", i)
		require.NoError(t, f.Close())
	}
}

// TestArchiveOfNothing: the oldest file is an archive that was never written, as after a kill.
func TestArchiveOfNothing(t *testing.T) {
	for _, size := range []int64{0, 5} {
		e := newEngine(t, JSON, 1_000, 4, true)
		e.write(60)
		require.NoError(t, os.Truncate(e.path+".3.gz", size))
		got, damage := read(t, e.reader())
		require.Len(t, damage, 1)
		require.ErrorIs(t, damage[0], ErrTorn)
		assert.Equal(t, -1, got[0])
		assert.Equal(t, numbers(e.lines-len(got)+1, e.lines), got[1:])
		assert.Greater(t, len(got), 20)
	}
}

// TestFileThatCannotBeReadIsNotTruncated: an error of the file system is no sign of that.
func TestFileThatCannotBeReadIsNotTruncated(t *testing.T) {
	e := newEngine(t, JSON, 0, 1, false)
	r := e.reader()
	e.write(20)
	read(t, r)
	r.Rest()
	require.NoError(t, r.file.plain.Close())
	_, err := r.Next()
	require.ErrorIs(t, err, os.ErrClosed)
}
