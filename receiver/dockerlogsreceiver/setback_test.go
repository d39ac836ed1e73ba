// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// apiStrategies read over the engine's API.
var apiStrategies = []Strategy{StrategyStreaming, StrategyShortLived, StrategyPolling, StrategyHybrid, StrategyAdaptive}

// setClockBack makes the engine's clock one that can be set back.
func (f *fixture) setClockBack() (by func(time.Duration)) {
	var back atomic.Int64
	f.engine.Now = func() time.Time { return time.Now().Add(-time.Duration(back.Load())) }
	return func(d time.Duration) { back.Store(int64(d)) }
}

// TestClockIsSetBackAndAllThatIsKnownIsRotatedAway: nothing in the log is as late as what is known,
// and yet the log goes on.
func TestClockIsSetBackAndAllThatIsKnownIsRotatedAway(t *testing.T) {
	for _, strategy := range apiStrategies {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				back := f.setClockBack()
				c := f.container("web")
				f.start()
				f.pass(5 * time.Second)
				write(c, 1, 100)
				f.pass(30 * time.Second)
				f.expectLines(1, 100)
				f.engine.Down()
				back(time.Hour)
				c.Rotate(0)
				write(c, 101, 300)
				f.pass(time.Second)
				f.engine.Up()
				f.pass(2 * time.Minute)
				f.expectLines(1, 300)
				write(c, 301, 310)
				f.pass(time.Minute)
				f.expectLines(1, 310)
				assert.EqualValues(t, 1, f.metric("gaps", "rotated"))
			})
		})
	}
}

// TestClockIsSetBackAndMoreIsWrittenThanAFollowBeginsWith: a follow whose first records are over
// without one that is known does not go on to pass over what is older than that.
func TestClockIsSetBackAndMoreIsWrittenThanAFollowBeginsWith(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyShortLived
		back := f.setClockBack()
		c := f.container("web")
		f.start()
		for i := range 100 {
			write(c, i+1, i+1)
			f.pass(time.Second)
		}
		back(time.Hour)
		for i := range 5 { // of which the newest known ones are not all
			write(c, 101+i, 101+i)
			f.pass(time.Second)
		}
		var wrote atomic.Bool
		f.engine.SetLatency(func(r enginetest.Request) time.Duration {
			if r.Kind == enginetest.KindLogs && wrote.CompareAndSwap(false, true) {
				write(c, 106, 165) // while the next follow is opened
			}
			return 0
		})
		f.eventually("the next follow", wrote.Load)
		for i := range 100 {
			write(c, 166+i, 166+i)
			f.pass(time.Second)
		}
		f.pass(2 * time.Minute)
		f.expectLines(1, 265)
		assert.Zero(t, f.metric("gaps"))
	})
}
