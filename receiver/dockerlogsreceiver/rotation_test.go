// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

func TestRepeatsAtRotationAreSuppressed(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		c.SetFaults(enginetest.Faults{RepeatAtRotation: 30})
		for i := range 10 {
			write(c, 100*i+1, 100*i+100)
			c.Rotate(50)
			f.pass(100 * time.Millisecond)
		}
		f.expectLines(1, 1000)
		assert.EqualValues(t, 300, f.metric("duplicates_suppressed", "repeat"))
	})
}

func TestLogRotatedAwayIsOneGap(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		write(c, 1, 100)
		f.expectLines(1, 100)
		f.engine.Down()
		write(c, 101, 300)
		c.Rotate(50)
		f.pass(time.Minute)
		f.engine.Up()
		f.expect(append(numbered(1, 100), numbered(251, 300)...)...)
		write(c, 301, 310)
		c.CutFollows()
		write(c, 311, 320)
		f.expect(append(numbered(1, 100), numbered(251, 320)...)...)
		assert.EqualValues(t, 1, f.metric("gaps", "rotated"))
		require.Equal(t, 1, f.logged(zap.WarnLevel, "rotated"))
		entry := f.logs.FilterMessageSnippet("rotated").All()[0]
		assert.Equal(t, "web", entry.ContextMap()["container.name"])
	})
}

// A proxy may end a body properly before its time. That is not the end of the log.
func TestCleanEndInTheMiddleOfTheBacklog(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		for i := range 50 {
			write(c, 100*i+1, 100*i+100)
			f.pass(time.Second)
		}
		f.expectLines(1, 5000)
		f.engine.Down()
		f.pass(time.Minute)
		c.SetFaults(enginetest.Faults{CutAfter: 20 * 48, CutCleanly: true})
		f.engine.SetLatency(func(enginetest.Request) time.Duration { return time.Second })
		f.engine.ForgetRequests()
		f.engine.Up()
		f.eventually("a read", func() bool {
			reads := f.requestsOf(enginetest.KindLogs)
			return len(reads) > 0 && reads[0].Done
		})
		c.SetFaults(enginetest.Faults{})
		write(c, 5001, 5010)
		f.expectLines(1, 5010)
		assert.Zero(t, f.metric("gaps"))
	})
}

func TestReopenCostsWhatIsNew(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		write(c, 1, 20000)
		f.cfg.StartAt = StartAtBeginning
		f.start()
		f.expectLines(1, 20000)
		f.following(1)
		f.pass(10 * time.Minute)
		before := len(f.requestsOf(enginetest.KindLogs))
		c.CutFollows()
		write(c, 20001, 20010)
		f.expectLines(1, 20010)
		f.following(1)
		for _, req := range f.requestsOf(enginetest.KindLogs)[before:] {
			assert.Less(t, req.Scanned, 3000, "tail=%s", req.Query.Get("tail"))
		}
		f.pass(10 * time.Minute)
		before = len(f.requestsOf(enginetest.KindLogs))
		c.CutFollows()
		f.following(0)
		f.following(1)
		for _, req := range f.requestsOf(enginetest.KindLogs)[before:] {
			assert.LessOrEqual(t, req.Scanned, 100, "tail=%s", req.Query.Get("tail"))
		}
	})
}
