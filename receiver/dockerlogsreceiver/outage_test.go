// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

const (
	statusOK          = componentstatus.StatusOK
	statusRecoverable = componentstatus.StatusRecoverableError
)

func TestStartWithoutAnEngine(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		write(c, 1, 3)
		f.engine.Down()
		f.start()
		write(c, 4, 6) // ours: it was written after our start
		f.pass(10 * time.Minute)
		assert.Equal(t, []componentstatus.Status{statusRecoverable}, f.host.statuses())
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "does not answer"))
		assert.Zero(t, f.logged(zap.InfoLevel, "answers again"))
		assert.Positive(t, f.metric("engine_requests", "ping", "unreachable"))

		f.engine.Up()
		f.expectLines(4, 6)
		write(c, 7, 9)
		f.expectLines(4, 9)
		assert.Equal(t, []componentstatus.Status{statusRecoverable, statusOK}, f.host.statuses())
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "does not answer"))
		assert.Equal(t, 1, f.logged(zap.InfoLevel, "answers again"))
	})
}

func TestStatusIsOnlyReportedOnChange(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.followed()
		f.pass(time.Hour)
		assert.Empty(t, f.host.statuses())
		assert.Zero(t, f.logged(zap.WarnLevel, ""))
		for range 3 {
			f.engine.CutEvents()
			f.pass(time.Minute)
		}
		assert.Empty(t, f.host.statuses(), "a subscription that is renewed at once is no outage")
		for range 2 {
			f.engine.Down()
			f.pass(5 * time.Minute)
			f.engine.Up()
			f.pass(5 * time.Minute)
		}
		assert.Equal(t, []componentstatus.Status{statusRecoverable, statusOK, statusRecoverable, statusOK}, f.host.statuses())
	})
}

func TestEngineOutage(t *testing.T) {
	inBubble(t, func(f *fixture) {
		web, gone := f.container("web"), f.container("gone")
		f.start()
		f.following(2)
		write(web, 1, 3)
		f.expectLines(1, 3)
		f.engine.Down()
		write(web, 4, 6)
		gone.Remove()
		fresh := f.container("fresh")
		write(fresh, 1, 3)
		f.pass(10 * time.Minute)
		f.engine.Up()
		f.eventually("all lines", func() bool { return len(f.sink.Bodies()) >= 9 })
		f.following(2)
		assert.Equal(t, numbered(1, 6), f.sink.Of("web"))
		assert.Equal(t, numbered(1, 3), f.sink.Of("fresh"))
	})
}

func TestFrozenEngine(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.engine.Freeze()
		write(c, 1, 3)
		f.pass(5 * time.Minute)
		assert.Equal(t, []componentstatus.Status{statusRecoverable}, f.host.statuses())
		f.engine.Thaw()
		f.expectLines(1, 3)
		f.pass(time.Minute)
		assert.Equal(t, []componentstatus.Status{statusRecoverable, statusOK}, f.host.statuses())
	})
}

// An outage costs a request every half minute, not a storm.
func TestEngineAwayIsNotPestered(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for range 20 {
			f.engine.Add(enginetest.ContainerSpec{Running: true})
		}
		f.start()
		f.following(20)
		before := f.metric("engine_requests")
		f.engine.Down()
		f.pass(time.Hour)
		perMinute := float64(f.metric("engine_requests")-before) / 60
		assert.Less(t, perMinute, 21*5.0)
	})
}

func TestHeadersThatComeWithTheFirstRecord(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.engine.SetFaults(enginetest.Faults{WithholdHeaders: true})
		c := f.container("web")
		f.start()
		f.following(1)
		f.pass(time.Hour)
		write(c, 1, 3)
		f.expectLines(1, 3)
		later := f.container("later")
		write(later, 4, 6)
		f.expectLines(1, 6)
	})
}
