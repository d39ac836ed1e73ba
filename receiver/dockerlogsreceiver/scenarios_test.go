// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// scenarios are the columns of the conformance suite. A new one is a new row here.
var scenarios = append([]scenario{
	{name: "burst", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for range 2 {
			tr.write(c, stdout, 1500)
			tr.pass(200 * time.Millisecond)
		}
	}},
	{name: "silence", run: func(tr *trial) {
		c := tr.begin()
		for range 2 {
			tr.pass(time.Hour)
			tr.write(c, stdout, 5)
		}
	}},
	{name: "rotation", basic: true, run: func(tr *trial) {
		c := tr.begin()
		c.SetFaults(enginetest.Faults{RepeatAtRotation: repeats(tr)})
		for range 120 {
			tr.writing(4, 250*time.Millisecond, c, 5)
			c.Rotate(1000) // fifty seconds of it
		}
	}},
	{name: "rotation after silence", run: func(tr *trial) {
		c := tr.begin()
		tr.pass(time.Hour)
		tr.write(c, stdout, 500)
		c.Rotate(505)
	}},
	{name: "container restart in mid-line", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for range 5 {
			c.Write(stdout, "half a li")
			tr.expectLine(c, stdout, "half a li")
			c.Restart()
			tr.pass(2 * time.Second) // where stamps have whole seconds, one second is too close to tell
			tr.write(c, stdout, 3)
		}
	}},
	{name: "container stopped and started", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for range 3 {
			tr.write(c, stdout, 5)
			c.Stop(0)
			tr.pass(5 * time.Minute)
			c.Start()
			tr.write(c, stdout, 5)
		}
	}},
	{name: "same-instant lines", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for range 3 {
			at := time.Now()
			tr.writeAt(at, c, stdout, 50)
			tr.writeAt(at, c, stderr, 50)
			tr.pass(7 * time.Second)
			c.CutFollows()
			tr.writeAt(at, c, stdout, 50)
			tr.writeAt(at, c, stderr, 50)
			tr.complete()
		}
	}},
	{name: "equal lines", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for i := range 40 {
			for _, line := range []string{"tick", "tick", "", ""} {
				c.Write(stdout, line+"\n")
				tr.expectLine(c, stdout, line)
			}
			tr.pass(300 * time.Millisecond)
			if i%7 == 0 {
				c.CutFollows()
			}
		}
	}},
	{name: "interleaved streams with inverted timestamps", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for i := range 60 {
			at := time.Now()
			tr.writeAt(at.Add(time.Millisecond), c, stdout, 2)
			tr.writeAt(at, c, stderr, 2)
			tr.writeAt(at.Add(-time.Millisecond), c, stderr, 1)
			tr.pass(500 * time.Millisecond)
			if i%9 == 0 {
				c.CutFollows()
				tr.writeAt(at.Add(-2*time.Millisecond), c, stderr, 1)
			}
		}
	}},
	{name: "partial chunks across a reopen", basic: true, run: func(tr *trial) {
		c := tr.begin()
		long := strings.Repeat("x", 16384) // what an engine cuts off; Podman cuts twice as often
		for range 3 {
			at := time.Now()
			c.WriteChunk(at, stdout, long, false)
			tr.writeAt(at.Add(1), c, stderr, 1)
			tr.pass(40 * time.Second) // polls and expires between the chunks
			c.CutFollows()
			tr.writeAt(at.Add(2), c, stderr, 1)
			c.WriteChunk(at, stdout, long, false)
			tr.pass(40 * time.Second)
			c.CutFollows()
			c.WriteChunk(at, stdout, "end", true)
			tr.expectLine(c, stdout, long+long+"end")
			tr.complete()
		}
	}},
	{name: "long lines on both streams", run: func(tr *trial) {
		c := tr.begin()
		long := strings.Repeat("x", 16384)
		for i := range 40 {
			out, late := time.Now(), time.Now().Add(1)
			for range 3 {
				c.WriteChunk(out, stdout, long, false)
				c.WriteChunk(late, stderr, long, false)
			}
			c.WriteChunk(out, stdout, fmt.Sprint("out ", i), true)
			c.WriteChunk(late, stderr, fmt.Sprint("err ", i), true)
			tr.expectLine(c, stdout, fmt.Sprint(long+long+long+"out ", i))
			tr.expectLine(c, stderr, fmt.Sprint(long+long+long+"err ", i))
			tr.pass(10 * time.Second)
			if i%5 == 0 {
				c.CutFollows()
			}
		}
		logs := tr.requests(enginetest.KindLogs)
		tr.pass(10 * time.Minute)
		assert.Less(tr.t, tr.requests(enginetest.KindLogs)-logs, 700, "a tail that begins inside a line is no reason to open again and again")
	}},
	{name: "cut in the middle of a long line", run: func(tr *trial) {
		c := tr.begin()
		line := strings.Repeat("0123456789abcdef", 4000)
		for _, cut := range []int64{100, 2000, 20000, 40000, 60000} {
			c.SetFaults(enginetest.Faults{CutAfter: cut})
			c.CutFollows()
			c.Write(stdout, line+"\n")
			tr.expectLine(c, stdout, line)
			tr.pass(20 * time.Second)
		}
		c.SetFaults(enginetest.Faults{})
	}},
	{name: "clock set back", basic: true, run: func(tr *trial) { clockSet(tr, -time.Hour) }},
	{name: "clock set back a little", basic: true, run: func(tr *trial) { clockSet(tr, -6*time.Second) }},
	{name: "clock set forward", basic: true, run: func(tr *trial) { clockSet(tr, time.Hour) }},
	{name: "terminal", basic: true, run: func(tr *trial) {
		c := tr.beginWith(enginetest.ContainerSpec{Name: "web", TTY: true})
		for i := range 10 {
			line := strings.Repeat("y", 5000*i)
			c.Write(stdout, line+"\n")
			tr.expectLine(c, stdout, line)
			tr.write(c, stdout, 3)
			tr.pass(4 * time.Second)
			c.CutFollows()
		}
		tr.complete()
		c.Restart()
		tr.write(c, stdout, 3)
		tr.complete()
		tr.ended = true // to write to stderr, that is
	}},
	{name: "driver local", run: func(tr *trial) {
		c := tr.beginWith(enginetest.ContainerSpec{Name: "web", Driver: "local"})
		tr.writing(60, time.Second, c, 20)
		c.Rotate(1000)
		c.CutFollows()
		tr.writing(5, time.Second, c, 20)
	}},
}, append(outages, losses...)...)

// repeats is how many records a follow of the engine repeats at a rotation. An engine
// whose time stamps have whole seconds does not, since honest lines may be equal there.
func repeats(tr *trial) int {
	if strings.Contains(tr.t.Name(), "/podman/") {
		return 0
	}
	return 30
}

// clockSet is the engine's clock jumping, and jumping back later.
func clockSet(tr *trial, jump time.Duration) {
	var ahead atomic.Int64
	tr.engine.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	c := tr.begin()
	for _, offset := range []time.Duration{jump, 0} {
		ahead.Store(int64(offset))
		for range 20 {
			tr.writeAt(tr.engine.Now(), c, stdout, 2)
			tr.writeAt(tr.engine.Now(), c, stderr, 2)
			tr.pass(700 * time.Millisecond)
		}
		c.CutFollows()
		tr.writeAt(tr.engine.Now(), c, stdout, 2)
		tr.complete()
	}
}
