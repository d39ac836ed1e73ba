// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logstest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

var at = time.Unix(1700000000, 123456789).UTC()

// batch makes one ConsumeLogs of the lines of several containers, name and body by turns.
func batch(lines ...string) plog.Logs {
	data := plog.NewLogs()
	for i := 0; i < len(lines); i += 2 {
		from := data.ResourceLogs().AppendEmpty()
		from.Resource().Attributes().PutStr("container.name", lines[i])
		record := from.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
		record.SetTimestamp(pcommon.NewTimestampFromTime(at))
		record.Body().SetEmptyBytes().FromRaw([]byte(lines[i+1]))
		record.Attributes().PutStr("log.iostream", "stderr")
		record.Attributes().PutStr("log.record.uid", "uid of "+lines[i+1])
	}
	return data
}

func TestSinkRecordsManyContainersOfOneCall(t *testing.T) {
	var s Sink
	data := batch("web", "one", "db", "two", "web", "three", "job", "one")
	require.NoError(t, s.ConsumeLogs(t.Context(), data))
	assert.Zero(t, data.LogRecordCount(), "what was handed over is the sink's")
	assert.Equal(t, 1, s.Calls())
	assert.Equal(t, 4, s.Count(""))
	assert.Equal(t, 2, s.Count("web"))
	assert.Equal(t, []string{"one", "three"}, s.Of("web"))
	assert.Equal(t, []string{"one", "two", "three", "one"}, s.Bodies())
	assert.Equal(t, 1, s.SameUID())
	assert.Equal(t, Record{
		Body: "two", Stream: "stderr", UID: "uid of two", Time: at, Resource: map[string]any{"container.name": "db"},
	}, s.All()[1])
}

func TestSinkObserves(t *testing.T) {
	var seen []string
	s := Sink{Observe: func(resource pcommon.Map, record plog.LogRecord) {
		seen = append(seen, Text(resource, "container.name")+" "+string(Body(record)))
	}}
	require.NoError(t, s.ConsumeLogs(t.Context(), batch("web", "one", "db", "two")))
	assert.Equal(t, []string{"web one", "db two"}, seen)
	assert.Empty(t, s.All())
	assert.Equal(t, 1, s.Count("db"))
}

func TestSinkOfRecordWithoutAttributes(t *testing.T) {
	var s Sink
	data := plog.NewLogs()
	data.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr("bare")
	require.NoError(t, s.ConsumeLogs(t.Context(), data))
	assert.Equal(t, []string{"bare"}, s.Of(""))
	assert.Empty(t, s.All()[0].UID)
}

func TestSinkRefuses(t *testing.T) {
	var s Sink
	refusal := errors.New("full")
	s.Refuse(refusal)
	data := batch("web", "one")
	require.ErrorIs(t, s.ConsumeLogs(t.Context(), data), refusal)
	assert.Zero(t, data.LogRecordCount(), "it cannot be offered again")
	assert.Zero(t, s.Count(""))
	assert.Equal(t, 1, s.Calls())
	s.Refuse(nil)
	require.NoError(t, s.ConsumeLogs(t.Context(), batch("web", "one")))
	assert.Equal(t, 1, s.Count("web"))
}

func TestSinkIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Sink
		s.Slow(time.Minute)
		began := time.Now()
		require.NoError(t, s.ConsumeLogs(t.Context(), batch("web", "one")))
		assert.Equal(t, time.Minute, time.Since(began))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.ConsumeLogs(ctx, batch("web", "two")), context.DeadlineExceeded)
		assert.Equal(t, []string{"one"}, s.Bodies())
	})
}

func TestSinkHolds(t *testing.T) {
	for name, deaf := range map[string]bool{"hears": false, "deaf": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var s Sink
				s.Hold(deaf)
				ctx, cancel := context.WithCancel(t.Context())
				answer := make(chan error, 1)
				go func() { answer <- s.ConsumeLogs(ctx, batch("web", "one")) }()
				synctest.Wait()
				assert.Empty(t, answer)
				cancel()
				synctest.Wait()
				if deaf {
					assert.Empty(t, answer, "the end of its context does not matter")
					s.Open()
					require.NoError(t, <-answer)
					assert.Equal(t, 1, s.Count("web"))
					return
				}
				require.ErrorIs(t, <-answer, context.Canceled)
				s.Open()
				require.NoError(t, s.ConsumeLogs(t.Context(), batch("web", "two")))
				assert.Equal(t, []string{"two"}, s.Bodies())
			})
		})
	}
}

// TestSinkAwaits has two waiters, of which one is to wait for the second call.
func TestSinkAwaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Sink
		done := make(chan string, 2)
		go func() { s.Await(t, "web", 1); done <- "web" }()
		go func() { s.Await(t, "", 3); done <- "all" }()
		synctest.Wait()
		assert.Empty(t, done)
		require.NoError(t, s.ConsumeLogs(t.Context(), batch("web", "one", "db", "two")))
		assert.Equal(t, "web", <-done)
		synctest.Wait()
		assert.Empty(t, done)
		require.NoError(t, s.ConsumeLogs(t.Context(), batch("db", "three")))
		assert.Equal(t, "all", <-done)
	})
}
