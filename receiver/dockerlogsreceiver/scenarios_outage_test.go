// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// outages are scenarios in which the engine, the way to it or the pipeline fails.
var outages = []scenario{
	{name: "engine restarted", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for range 3 {
			tr.write(c, stdout, 10)
			tr.engine.Down()
			tr.writing(30, time.Second, c, 2)
			tr.engine.Up()
			tr.writing(10, time.Second, c, 2)
		}
	}},
	{name: "engine paused", basic: true, run: func(tr *trial) {
		c := tr.begin()
		for range 3 {
			tr.write(c, stdout, 10)
			tr.engine.Freeze()
			tr.writing(20, time.Second, c, 2)
			tr.engine.Thaw()
			tr.writing(10, time.Second, c, 2)
		}
	}},
	{name: "connection cut every few seconds", run: func(tr *trial) {
		c := tr.begin()
		for range 30 {
			tr.writing(6, 500*time.Millisecond, c, 3)
			tr.engine.CutFollows()
			tr.engine.CutEvents()
		}
	}},
	{name: "connection cut in a frame", run: func(tr *trial) {
		c := tr.begin()
		for i := range 30 {
			c.SetFaults(enginetest.Faults{CutAfter: 3000 + 11*int64(i)})
			tr.writing(6, 500*time.Millisecond, c, 3)
			c.CutFollows()
		}
		c.SetFaults(enginetest.Faults{})
	}},
	{name: "body ended early", run: func(tr *trial) {
		c := tr.begin()
		for i := range 30 {
			c.SetFaults(enginetest.Faults{CutAfter: 3000 + 11*int64(i), CutCleanly: true})
			tr.writing(6, 500*time.Millisecond, c, 3)
			c.CutFollows()
		}
		c.SetFaults(enginetest.Faults{})
	}},
	{name: "half-open connection", run: func(tr *trial) {
		c := tr.begin()
		for range 3 {
			tr.engine.HalfOpen()
			tr.writing(10, time.Second, c, 2)
			tr.complete()
		}
	}},
	{name: "headers withheld", run: func(tr *trial) {
		tr.engine.SetFaults(enginetest.Faults{WithholdHeaders: true})
		tr.web = tr.container("web")
		tr.start()
		tr.pass(time.Hour)
		tr.writing(10, 10*time.Second, tr.web, 2)
		later := tr.container("later")
		tr.pass(time.Minute)
		tr.write(later, stdout, 3)
	}},
	{name: "pipeline refuses", basic: true, run: func(tr *trial) {
		c := tr.begin()
		tr.sink.Refuse(errors.New("full"))
		tr.writing(30, time.Second, c, 40)
		tr.sink.Refuse(nil)
		tr.writing(10, time.Second, c, 10)
	}},
	{name: "pipeline refuses while the log rotates", run: func(tr *trial) {
		c := tr.begin()
		tr.sink.Refuse(errors.New("full"))
		for range 30 {
			tr.writing(1, time.Second, c, 100)
			c.Rotate(6000)
		}
		tr.sink.Refuse(nil)
		tr.writing(10, time.Second, c, 10)
	}},
	{name: "pipeline hangs", options: []enginetest.Option{enginetest.BufferSize(4096)}, run: func(tr *trial) {
		c := tr.begin()
		tr.sink.Hold(false)
		tr.writing(30, time.Second, c, 100)
		tr.sink.Open()
		tr.writing(10, time.Second, c, 10)
	}},
	{name: "slow pipeline", options: []enginetest.Option{enginetest.BufferSize(4096)}, run: func(tr *trial) {
		tr.sink.Slow(300 * time.Millisecond)
		c := tr.begin()
		tr.writing(60, 500*time.Millisecond, c, 50)
	}},
	{name: "very slow pipeline", options: []enginetest.Option{enginetest.BufferSize(4096)}, run: func(tr *trial) {
		tr.sink.Slow(5 * time.Second)
		c := tr.begin()
		tr.writing(60, 500*time.Millisecond, c, 50)
	}},
	{name: "stalled follow", run: func(tr *trial) {
		c := tr.begin()
		c.SetFaults(enginetest.Faults{Stall: true})
		tr.writing(10, time.Second, c, 2)
		tr.complete()
		tr.writing(10, time.Second, c, 2)
		tr.complete()
		c.SetFaults(enginetest.Faults{})
		switch {
		case tr.cfg.Strategy == StrategyStreaming, tr.cfg.Strategy == StrategyAdaptive && !tr.readsFiles():
			assert.Positive(tr.t, tr.metric("reopens", "dead"))
		default:
			assert.Zero(tr.t, tr.metric("reopens", "dead"))
		}
	}},
}
