// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// followed starts the receiver with one container that it follows.
func (f *fixture) followed() *enginetest.Container {
	f.t.Helper()
	c := f.container("web")
	f.start()
	f.following(1)
	return c
}

func TestLinesAreDeliveredAsTheyAreWritten(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		for i := range 5 {
			write(c, i+1, i+1)
			f.settle() // no time passes
			require.Equal(t, numbered(1, i+1), f.sink.Bodies())
			f.pass(time.Second)
		}
		assert.Equal(t, 1, f.engine.OpenFollows())
		assert.Equal(t, 2, f.requests(enginetest.KindLogs), "the backlog and the follow")
	})
}

func TestRecordsTellTimeAndStream(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		at := time.Now().Add(123456789)
		c.WriteAt(at, stdout, "to stdout\n")
		c.WriteAt(at, stderr, "to stderr\n")
		f.expect("to stdout", "to stderr")
		all := f.sink.All()
		assert.Equal(t, []string{"stdout", "stderr"}, []string{all[0].Stream, all[1].Stream})
		assert.Equal(t, at.UnixNano(), all[0].Time.UnixNano())
	})
}

// Every way in which a follow can break: what is written before, while and after
// must arrive once.
func TestFollowIsReopenedWhereItEnded(t *testing.T) {
	tests := []struct {
		name    string
		reason  string
		disrupt func(*fixture, *enginetest.Container)
	}{
		{"cut", "cut", func(_ *fixture, c *enginetest.Container) { c.CutFollows() }},
		{"engine down and up", "cut", func(f *fixture, c *enginetest.Container) {
			f.engine.Down()
			write(c, 4, 6)
			f.pass(3 * time.Second)
			f.engine.Up()
		}},
		{"cut in a frame", "cut", func(f *fixture, c *enginetest.Container) {
			c.SetFaults(enginetest.Faults{CutAfter: 70})
			c.CutFollows()
			f.pass(5 * time.Second)
			c.SetFaults(enginetest.Faults{})
		}},
		{"clean end", "ended", func(f *fixture, c *enginetest.Container) {
			c.SetFaults(enginetest.Faults{CutAfter: 3 * 46, CutCleanly: true}) // behind three frames
			c.CutFollows()
			f.pass(5 * time.Second)
			c.SetFaults(enginetest.Faults{})
		}},
		{"error frame", "engine_error", func(_ *fixture, c *enginetest.Container) {
			c.ErrorAt(4, "unexpected EOF")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.followed()
				write(c, 1, 3)
				f.expectLines(1, 3)
				tt.disrupt(f, c)
				next := c.Written() + 1
				write(c, next, 9)
				f.expectLines(1, 9)
				assert.Positive(t, f.metric("reopens", tt.reason))
				f.following(1)
				write(c, 10, 10)
				f.expectLines(1, 10)
				assert.Zero(t, f.metric("gaps"))
			})
		})
	}
}

// A connection can die without a word to either end. The list finds what events
// do not tell.
func TestHalfOpenConnections(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.followed()
		f.engine.HalfOpen()
		write(f.container("later"), 1, 3)
		f.expectLines(1, 3)
	})
}

func TestRepeatedCutsEverywhere(t *testing.T) {
	for _, cut := range []int64{1, 7, 9, 38, 39, 40, 100} {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.container("web")
				f.start()
				f.following(1)
				write(c, 1, 3)
				f.expectLines(1, 3)
				c.SetFaults(enginetest.Faults{CutAfter: cut})
				c.CutFollows()
				write(c, 4, 6)
				f.pass(time.Minute)
				c.SetFaults(enginetest.Faults{})
				f.expectLines(1, 6)
			})
		})
	}
}

// TestDeadFollowOfNewContainer: nothing has been read of it that a later read could
// recognise.
func TestDeadFollowOfNewContainer(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		c.SetFaults(enginetest.Faults{Stall: true})
		f.engine.CutFollows()
		f.pass(2 * time.Second)
		write(c, 1, 10)
		f.pass(10 * time.Second)
		require.Empty(t, f.sink.Bodies())
		f.pass(5 * time.Minute)
		f.expectLines(1, 10)
		assert.NotZero(t, f.metric("reopens", "dead"))
	})
}

func TestCutInsideAnInterleavedLongLine(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		write(c, 1, 1)
		f.expect("line 1")
		at, long := time.Now(), strings.Repeat("x", 16384)
		c.WriteChunk(at, stdout, long, false)
		c.WriteChunk(at.Add(1), stderr, "between", true)
		f.expect("line 1", "between")
		c.CutFollows()
		f.pass(time.Minute)
		c.WriteChunk(at, stdout, long, false)
		c.WriteChunk(at.Add(2), stderr, "later", true)
		c.WriteChunk(at, stdout, "end", true)
		f.expect("line 1", "between", "later", long+long+"end")
	})
}

// TestCutInsideALineThatIsYounger: the records that the log is recognised by bear
// earlier times than the line of the other stream in whose middle the read begins.
func TestCutInsideALineThatIsYounger(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.pass(time.Second) // what is older than the start is not wanted
		at, long := time.Now(), strings.Repeat("x", 16384)
		c.WriteChunk(at, stdout, long, false)
		var want []string
		for i := range 2 * position.MinRecords {
			want = append(want, fmt.Sprint("between ", i))
			c.WriteChunk(at.Add(time.Duration(i-2*position.MinRecords)*time.Microsecond), stderr, want[i], true)
		}
		f.expect(want...)
		c.CutFollows()
		c.WriteChunk(at, stdout, "end", true)
		f.expect(append(want, long+"end")...)
	})
}

// TestFollowThatEndsInTheMiddleOfALine: Engine 20.10 may end a follow before it has
// sent what the container wrote last.
func TestFollowThatEndsInTheMiddleOfALine(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		at, long := time.Now(), strings.Repeat("x", 16384)
		c.WriteChunk(at, stdout, long, false)
		f.pass(time.Second)
		c.SetFaults(enginetest.Faults{Stall: true})
		c.WriteChunk(at, stdout, "end", true)
		c.WriteChunk(at.Add(1), stdout, "last", true)
		c.SetFaults(enginetest.Faults{})
		c.Exit(0)
		f.expect(long+"end", "last")
		assert.Zero(t, f.metric("gaps"))
	})
}

// TestStartedWhileItIsRead: what a container that did not run has at the end of its log
// is not a last line if it has been started meanwhile.
func TestStartedWhileItIsRead(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		write(c, 1, 1)
		f.expectLines(1, 1)
		f.engine.SetLatency(func(r enginetest.Request) time.Duration {
			if strings.HasSuffix(r.Path, "/logs") {
				return 10 * time.Second
			}
			return 0
		})
		c.Exit(0)
		f.pass(5 * time.Second)
		c.Start()
		at, long := time.Now(), strings.Repeat("x", 16384)
		c.WriteChunk(at, stdout, long, false)
		f.engine.SetLatency(nil)
		f.pass(10 * time.Second)
		c.WriteChunk(at, stdout, "end", true)
		f.expect("line 1", long+"end")
	})
}

// TestLineThatIsOlderThanTheStart: the engine notes when a container started after it
// has started it.
func TestLineThatIsOlderThanTheStart(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.engine.Add(enginetest.ContainerSpec{Name: "web", Running: true})
		at, long := time.Now().Add(-10*time.Millisecond), strings.Repeat("x", 16384)
		c.WriteChunk(at, stdout, long, false)
		f.start()
		f.pass(time.Second)
		c.WriteChunk(at, stdout, "end", true)
		f.expect(long + "end")
	})
}

func TestLastLineWithoutLineEnd(t *testing.T) {
	for _, remove := range []bool{false, true} {
		t.Run(fmt.Sprint("--rm=", remove), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.engine.Add(enginetest.ContainerSpec{Name: "web", Running: true, AutoRemove: remove})
				f.start()
				f.following(1)
				c.Write(stdout, "whole\nnot whole")
				c.Exit(1)
				f.expect("whole", "not whole")
			})
		})
	}
}

func TestLongLineIsCutAndCounted(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.MaxLogSize = 20000
		c := f.followed()
		c.Write(stdout, strings.Repeat("x", 50000)+"\nshort\n")
		f.expect(strings.Repeat("x", 20000), "short")
		assert.EqualValues(t, 1, f.metric("truncated_lines"))
		c.CutFollows()
		c.Write(stdout, "last\n")
		f.expect(strings.Repeat("x", 20000), "short", "last")
		assert.EqualValues(t, 1, f.metric("truncated_lines"))
	})
}
