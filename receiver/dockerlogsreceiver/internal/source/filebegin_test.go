// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// startAtEnd makes a source of what is written from now on.
func (f *fixture) startAtEnd() {
	f.source.CloseFiles()
	f.source = New(f.shared, f.container.ID(), position.Start(time.Now().UnixNano()))
	f.source.Restart()
}

// assertBeganNearTheEnd asserts that the files were not read from their beginning.
func (f *fixture) assertBeganNearTheEnd(lines int) {
	f.t.Helper()
	assert.True(f.t, f.source.files.midway)
	assert.Less(f.t, f.source.files.lines.Frames(), lines)
}

func TestFileStartsAtTheEnd(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(20_000)
		f.startAtEnd()
		f.number(10)
		f.complete(file)
		f.assertBeganNearTheEnd(10_000)
		assert.Equal(f.t, lineNumbers(20_000, 20_010), f.taken)
		f.number(10)
		f.complete(file)
		f.accept()
		f.again()
		f.number(10)
		f.complete(file)
		f.assertBeganNearTheEnd(30)
		assert.Equal(f.t, lineNumbers(20_000, 20_030), f.taken)
		f.complete(api)
		f.number(10)
		f.complete(api)
		f.complete(file)
		assert.Equal(f.t, lineNumbers(20_000, 20_040), f.taken)
	})
}

// TestFileBehindTheAPIBeginsNearTheEnd: what is known of the log shows where to begin.
func TestFileBehindTheAPIBeginsNearTheEnd(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(20_000)
		f.complete(api)
		f.accept()
		f.again()
		f.number(10)
		f.complete(file)
		f.assertBeganNearTheEnd(10_000)
		assert.Equal(f.t, lineNumbers(0, 20_010), f.taken)
	})
}

// TestFileStartsAtTheEndAndRotates: what has been written since arrives, once, in whatever file
// it is.
func TestFileStartsAtTheEndAndRotates(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	spec := enginetest.ContainerSpec{DriverOpts: map[string]string{"max-file": "2"}}
	withFiles(t, spec, func(f *fixture) {
		for range 200 {
			f.taken = nil
			f.number(random.IntN(3))
			rotations := 1 // the engine keeps one older file
			rotate := func() {
				if rotations > 0 && random.IntN(2) == 0 {
					f.container.Rotate(1 << 20)
					rotations--
				}
			}
			wait := func() { time.Sleep(time.Duration(random.IntN(3)) * 700 * time.Millisecond) }
			f.container.Rotate(0)
			f.number(random.IntN(3))
			wait()
			rotate()
			wait()
			f.number(1) // without any record nothing proves whose files these are
			f.startAtEnd()
			from := f.container.Written()
			wait()
			f.number(random.IntN(3))
			rotate()
			f.number(random.IntN(3))
			f.complete(file)
			f.number(random.IntN(3))
			wait()
			f.complete(file)
			require.Equal(f.t, lineNumbers(from, f.container.Written()), append([]string(nil), f.taken...), "from %d", from)
			f.source.CloseFiles()
		}
	})
}

// TestFileStartsAtTheEndOfBothStreams: one is late, and its record has the time of before.
func TestFileStartsAtTheEndOfBothStreams(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(1)
		time.Sleep(time.Minute)
		f.startAtEnd()
		now := time.Now()
		f.container.WriteAt(now.Add(200*time.Millisecond), enginetest.Stdout, "out\n")
		f.container.WriteAt(now.Add(-300*time.Millisecond), enginetest.Stderr, "late\n")
		padding := strings.Repeat("x", 8000)
		want := []string{"out", "late"}
		for i := range 100 { // more than what is read first of the end
			text := fmt.Sprint(i, padding)
			f.container.WriteAt(now.Add(time.Duration(i)*time.Microsecond-200*time.Millisecond), enginetest.Stderr, text+"\n")
			want = append(want, text)
		}
		time.Sleep(time.Second)
		f.complete(file)
		assert.Equal(f.t, brief(want), brief(f.taken))
	})
}

// TestFileStartsInALongLine: of a line that had begun nothing is delivered.
func TestFileStartsInALongLine(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(1)
		at := time.Now()
		for range 40 {
			f.container.WriteChunk(at, enginetest.Stdout, strings.Repeat("x", 16384), false)
		}
		time.Sleep(time.Minute)
		f.startAtEnd()
		f.complete(file)
		f.container.WriteChunk(at, enginetest.Stdout, "end", true)
		f.number(3)
		f.complete(file)
		from := f.container.Written()
		assert.Equal(f.t, lineNumbers(from-3, from), f.taken)
	})
}

// TestFileOfAClockThatWasSetBack: the newest records have the times of older ones.
func TestFileOfAClockThatWasSetBack(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(3000)
		f.complete(api)
		f.accept()
		f.again()
		began := time.Now().Add(-time.Hour)
		var want []string
		for i := range 9000 {
			want = append(want, fmt.Sprint("set back ", i))
			f.container.WriteAt(began.Add(time.Duration(i)*time.Millisecond), enginetest.Stdout, want[i]+"\n")
		}
		f.complete(file)
		assert.Equal(f.t, append(lineNumbers(0, 3000), want...), f.taken)
	})
}
