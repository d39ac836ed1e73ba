// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// losses are scenarios in which something may be beyond reach: then that is told.
var losses = []scenario{
	{name: "container removed while read", run: func(tr *trial) {
		c := tr.begin()
		tr.ended = true
		tr.writing(20, 200*time.Millisecond, c, 5)
		tr.complete()
		c.Remove()
		if !tr.attached() {
			tr.gaps = 1 // for all one knows it has written since the last read
		}
	}},
	{name: "container removed with lines unread", run: func(tr *trial) {
		c := tr.begin()
		tr.ended = true
		tr.write(c, stdout, 5)
		if !tr.attached() {
			tr.forgo(c, 5)
		}
		tr.settle()
		c.Remove()
	}},
	{name: "short container, removed a moment later", run: func(tr *trial) {
		tr.start()
		tr.ended = true
		for range 5 {
			c := tr.container("job")
			tr.write(c, stdout, 3)
			tr.pass(25 * time.Millisecond)
			tr.write(c, stderr, 3)
			tr.pass(25 * time.Millisecond)
			c.Exit(0)
			tr.pass(10 * time.Millisecond)
			c.Remove()
			tr.pass(time.Minute)
		}
	}},
	{name: "short container, removed at once", run: func(tr *trial) {
		tr.start()
		tr.ended = true
		c := tr.engine.Add(enginetest.ContainerSpec{Name: "job", Running: true, AutoRemove: true})
		tr.write(c, stdout, 3)
		tr.pass(25 * time.Millisecond)
		tr.write(c, stdout, 3)
		if !tr.attached() {
			tr.forgo(c, 3)
		}
		tr.pass(25 * time.Millisecond)
		c.Exit(0)
	}},
	{name: "driver that cannot be read", run: func(tr *trial) {
		c := tr.engine.Add(enginetest.ContainerSpec{Name: "none", Driver: "none", Running: true})
		tr.begin()
		c.Write(stdout, "unheard\n")
		before := tr.metric("engine_requests", "not_implemented")
		tr.pass(time.Hour)
		assert.Equal(tr.t, before, tr.metric("engine_requests", "not_implemented"), "it is asked again and again")
		assert.LessOrEqual(tr.t, before, int64(2))
		assert.Equal(tr.t, 1, tr.logged(zap.WarnLevel, "cannot be read"))
		tr.gaps = 1
	}},
	{name: "poison record", run: func(tr *trial) {
		c := tr.begin()
		c.Poison(c.Written(), "cannot decode")
		c.Write(stdout, "poison\n")
		tr.write(c, stdout, 60)
		tr.complete()
		tr.pass(time.Hour)
		tr.write(c, stdout, 60)
		tr.gaps = 1
	}},
	{name: "torn record that ends reads without an error", run: func(tr *trial) {
		c := tr.begin()
		c.Poison(c.Written(), "")
		c.Write(stdout, "torn\n")
		tr.write(c, stdout, 60)
		tr.complete()
		before := tr.requests(enginetest.KindLogs)
		tr.writing(60, time.Minute, c, 1)
		assert.Less(tr.t, tr.requests(enginetest.KindLogs)-before, 2200, "in an hour, in which hybrid polls 1,800 times")
		tr.gaps = tr.metric("gaps") // where a read shows both what is known and what is new there is none
		assert.LessOrEqual(tr.t, tr.gaps, int64(1))
	}},
	{name: "torn record in a container that has ended", run: func(tr *trial) {
		c := tr.begin()
		tr.ended = true
		tr.engine.Down()
		c.Poison(c.Written(), "")
		c.Write(stdout, "torn\n")
		tr.write(c, stdout, 60)
		c.Exit(0)
		tr.engine.Up()
		tr.complete()
		tr.gaps = 1
	}},
	{name: "body ended early of a container that has ended", run: func(tr *trial) {
		c := tr.begin()
		tr.ended = true
		c.SetFaults(enginetest.Faults{CutAfter: 700, CutCleanly: true, Stall: true}) // some ten lines
		c.CutFollows()
		tr.write(c, stdout, 15)
		c.Exit(0)
		tr.pass(20 * time.Second)
		c.SetFaults(enginetest.Faults{})
		tr.gaps = 0
	}},
	{name: "poison record that ends the stream", run: func(tr *trial) {
		c := tr.begin()
		c.ErrorAt(c.Written(), "unexpected EOF")
		tr.write(c, stdout, 20)
	}},
	{name: "log rotated away", run: func(tr *trial) {
		c := tr.begin()
		tr.engine.Down()
		tr.write(c, stdout, 300)
		if !tr.readsFiles() { // which it goes on with meanwhile
			tr.forgo(c, 300)
			tr.gaps = 1
		}
		tr.write(c, stdout, 50)
		c.Rotate(50)
		tr.pass(time.Minute)
		tr.engine.Up()
		tr.complete()
		assert.EqualValues(tr.t, tr.gaps, tr.logged(zap.WarnLevel, "rotated"))
	}},
	{name: "log truncated", run: func(tr *trial) {
		c := tr.begin()
		c.Truncate()
		tr.pass(time.Minute)
		tr.write(c, stdout, 10)
		tr.pass(10 * time.Minute)
		tr.gaps = tr.metric("gaps") // a truncated log looks like a rotated one, or nobody looks
		assert.LessOrEqual(tr.t, tr.gaps, int64(1))
	}},
	{name: "log truncated, and no tail is answered any more", run: func(tr *trial) {
		c := tr.begin()
		c.Truncate()
		c.SetFaults(enginetest.Faults{HangTail: true})
		tr.write(c, stdout, 10)
		began, logs := time.Now(), tr.requests(enginetest.KindLogs)
		tr.complete()
		assert.Less(tr.t, time.Since(began), 3*time.Minute)
		tr.writing(60, time.Minute, c, 1)
		tr.complete()
		assert.LessOrEqual(tr.t, tr.metric("reopens", "cut"), int64(10), "requests that hung: one every ten minutes")
		assert.Less(tr.t, tr.requests(enginetest.KindLogs)-logs, 2000, "in an hour, in which hybrid polls 1,800 times")
		c.SetFaults(enginetest.Faults{})
		c.Restart()
		tr.gaps = 1
	}},
	{name: "damaged record, and others left out with it", run: func(tr *trial) {
		c := tr.begin()
		tr.engine.Down()
		c.Damage(c.Written(), 40)
		c.Write(stdout, "damaged\n")
		tr.write(c, stdout, 60)
		tr.pass(time.Minute)
		tr.engine.Up()
		tr.disorder = true
		tr.complete()
		tr.pass(time.Hour)
		tr.write(c, stdout, 60)
		tr.gaps = 1
	}},
	{name: "writes lost by a follow", run: func(tr *trial) {
		c := tr.begin()
		c.SetFaults(enginetest.Faults{LoseWrites: true})
		tr.write(c, stdout, 10)
		c.SetFaults(enginetest.Faults{})
		tr.write(c, stdout, 10)
		tr.disorder = true
	}},
	{name: "last writes lost by a follow", run: func(tr *trial) {
		c := tr.begin()
		c.SetFaults(enginetest.Faults{LoseWrites: true})
		tr.write(c, stdout, 10)
		tr.complete()
		c.SetFaults(enginetest.Faults{})
		tr.disorder = true
	}},
	{name: "rotation that skips what a follow has not read", options: []enginetest.Option{enginetest.BufferSize(4096)}, run: func(tr *trial) {
		c := tr.begin()
		c.SetFaults(enginetest.Faults{SkipAtRotation: true})
		tr.sink.Hold(false)
		tr.writing(20, time.Second, c, 100)
		c.Rotate(2010)
		tr.writing(20, time.Second, c, 100)
		c.Rotate(4010)
		tr.sink.Open()
	}},
}

// forgo takes it that the last n lines of a container are lost, which is to be told.
func (tr *trial) forgo(c *enginetest.Container, n int) {
	lines := tr.want[c.Name()]["stdout"]
	tr.want[c.Name()]["stdout"] = lines[:len(lines)-n]
	tr.wanted -= n
	tr.gaps++
}
