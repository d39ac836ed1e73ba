// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

func TestUnreadableLogDriver(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.engine.Add(enginetest.ContainerSpec{Name: "web", Running: true, Driver: "none"})
		f.start()
		f.pass(time.Hour)
		assert.LessOrEqual(t, f.requests(enginetest.KindLogs), 2, "in an hour")
		assert.EqualValues(t, 1, f.metric("captures", "unreadable"))
		assert.EqualValues(t, 1, f.metric("gaps", "unreadable"))
		require.Equal(t, 1, f.logged(zap.WarnLevel, "cannot be read"))
		entry := f.logs.FilterMessageSnippet("cannot be read").All()[0]
		assert.Equal(t, "web", entry.ContextMap()["container.name"])
		assert.Equal(t, "none", entry.ContextMap()["driver"])
		before := f.requests(enginetest.KindLogs)
		c.Restart()
		f.pass(time.Hour)
		assert.Greater(t, f.requests(enginetest.KindLogs), before, "tried again after the restart")
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "cannot be read"))
	})
}

func TestLogThatCanBeReadAfterARestart(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		c.SetFaults(enginetest.Faults{Status: http.StatusNotImplemented})
		f.start()
		f.pass(time.Minute)
		c.SetFaults(enginetest.Faults{})
		c.Restart()
		write(c, 1, 3)
		f.expectLines(1, 3)
		assert.Zero(t, f.metric("captures", "unreadable"))
	})
}

func TestLogsRefusedForATime(t *testing.T) {
	for _, status := range []int{http.StatusConflict, http.StatusInternalServerError, http.StatusForbidden, http.StatusTooManyRequests} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.container("web")
				c.SetFaults(enginetest.Faults{Status: status})
				f.start()
				write(c, 1, 3)
				f.pass(time.Hour)
				assert.Less(t, f.requests(enginetest.KindLogs), 300, "in an hour")
				assert.Positive(t, f.metric("reopens", "failed"))
				c.SetFaults(enginetest.Faults{})
				f.expectLines(1, 3)
			})
		})
	}
}

func TestContainerGoneBeforeItsLogWasRead(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		c.SetFaults(enginetest.Faults{Status: http.StatusNotFound})
		f.start()
		f.pass(time.Hour)
		assert.Less(t, f.requests(enginetest.KindLogs), 100, "in an hour")
		assert.Positive(t, f.metric("gaps", "removed"))
		assert.Zero(t, f.metric("captures"))
	})
}

func TestEventsDenied(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.engine.SetLatency(func(req enginetest.Request) time.Duration {
			if req.Kind == enginetest.KindEvents {
				return 24 * time.Hour
			}
			return 0
		})
		c := f.container("web")
		f.start()
		f.pass(defaultTimeout)
		write(c, 1, 3)
		f.expectLines(1, 3)
		later := f.container("later")
		write(later, 4, 6)
		f.expectLines(1, 6)
		assert.Zero(t, f.logged(zap.WarnLevel, ""))
	})
}

// Whatever an engine sends, the receiver neither fails nor spins, and other
// containers do not notice.
func TestHostileFrames(t *testing.T) {
	frame := func(head [8]byte, payload string) []byte { return append(head[:], payload...) }
	for name, raw := range map[string][]byte{
		"nothing":          {},
		"half a header":    {1, 0, 0},
		"unknown stream":   frame([8]byte{9, 0, 0, 0, 0, 0, 0, 1}, "x"),
		"4 GiB claimed":    frame([8]byte{1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, "x"),
		"2 GiB claimed":    frame([8]byte{1, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}, "2006-01-02T15:04:05.000000000Z x"),
		"empty frames":     bytes.Repeat([]byte{1, 0, 0, 0, 0, 0, 0, 0}, 10000),
		"no time stamp":    frame([8]byte{1, 0, 0, 0, 0, 0, 0, 2}, "x\n"),
		"endless error":    frame([8]byte{3, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff}, "Error"),
		"a page of a shop": []byte("<!DOCTYPE html><html><body>502 Bad Gateway</body></html>"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.StartAt = StartAtBeginning
				hostile, web := f.container("hostile"), f.container("web")
				hostile.Raw(raw)
				f.start()
				write(web, 1, 3)
				f.pass(time.Hour)
				assert.Equal(t, numbered(1, 3), f.sink.Of("web"))
				assert.LessOrEqual(t, len(f.sink.Of("hostile")), 1)
				assert.Less(t, f.requests(enginetest.KindLogs), 600, "in an hour")
				hostile.Raw(nil)
				write(hostile, 1, 3)
				f.eventually("the honest lines", func() bool {
					got := f.sink.Of("hostile")
					return len(got) >= 3 && assert.ObjectsAreEqual(numbered(1, 3), got[len(got)-3:])
				})
			})
		})
	}
}
