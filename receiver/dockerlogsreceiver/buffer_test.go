// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// batchOf is a batch of about that many bytes with that many marks.
func batchOf(size, marks int) *batch {
	return &batch{text: make([]byte, size), marks: make([]mark, marks)}
}

// gated is a buffer whose deliveries wait for a value from next: nil takes the batch.
type gated struct {
	*buffer
	next      chan error
	delivered []*batch
	held      int
	most      int
}

func newGated(limit int) *gated {
	g := &gated{next: make(chan error)}
	g.buffer = newBuffer(limit, func(b *batch) error {
		err := <-g.next
		if err == nil {
			g.delivered = append(g.delivered, b)
		}
		return err
	}, func(n int) {
		g.held += n
		g.most = max(g.most, g.held)
	})
	return g
}

func TestBufferIsBoundedAndMakesTheReaderWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(100)
		var put []*batch
		go func() {
			for i := range 10 {
				b := batchOf(40, i)
				if g.put(t.Context(), b) == nil {
					put = append(put, b)
				}
			}
		}()
		for i := range 10 {
			synctest.Wait()
			assert.Len(t, put, min(i+2, 10), "two of forty bytes are what it holds")
			assert.LessOrEqual(t, g.held, 100)
			g.next <- nil
		}
		require.NoError(t, g.flush())
		assert.Equal(t, put, g.delivered, "none is dropped, and they stay in order")
		assert.Equal(t, 45, g.collect())
		assert.Zero(t, g.collect())
		assert.Zero(t, g.held)
		assert.Equal(t, 80, g.most)
	})
}

func TestBufferTakesOneThatIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(100)
		require.NoError(t, g.put(t.Context(), batchOf(1000, 1)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, g.put(ctx, batchOf(1, 1)), context.DeadlineExceeded)
		g.next <- nil
		require.NoError(t, g.put(t.Context(), batchOf(1, 1)))
		g.next <- nil
		require.NoError(t, g.flush())
		assert.Len(t, g.delivered, 2)
	})
}

func TestBufferEndsWithAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated(100)
		require.NoError(t, g.put(t.Context(), batchOf(40, 1)))
		require.NoError(t, g.put(t.Context(), batchOf(40, 2)))
		waits := make(chan error)
		go func() { waits <- g.put(t.Context(), batchOf(40, 4)) }()
		g.next <- nil
		synctest.Wait()
		require.NoError(t, <-waits)
		go func() { waits <- g.put(t.Context(), batchOf(40, 8)) }()
		broken := errors.New("broken")
		g.next <- broken
		require.ErrorIs(t, <-waits, broken)
		require.ErrorIs(t, g.flush(), broken)
		require.ErrorIs(t, g.put(t.Context(), batchOf(1, 16)), broken)
		synctest.Wait()
		assert.Zero(t, g.held)
		assert.Equal(t, 1, g.collect(), "what was delivered before counts")
	})
}

// A pipeline that stalls does not stop the reading: what the engine rotates away
// meanwhile has been read.
func TestHybridReadsOnWhileThePipelineStalls(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyHybrid
		c := f.container("web")
		f.start()
		write(c, 1, 10)
		f.expectLines(1, 10)
		f.sink.Hold(false)
		for i := range 30 {
			write(c, 11+100*i, 110+100*i)
			f.pass(2500 * time.Millisecond)
			c.Rotate(200)
		}
		assert.Positive(t, f.metric("buffered_bytes"))
		f.sink.Open()
		f.expectLines(1, 3010)
		assert.Zero(t, f.metric("gaps"))
		assert.Zero(t, f.metric("buffered_bytes"))
	})
}

// Full, it makes the reading wait, and what the engine rotates away then is told.
func TestHybridBufferIsBounded(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Strategy = StrategyHybrid
		f.cfg.Hybrid.BufferSize = 64 << 10
		c := f.container("web")
		f.start()
		f.sink.Hold(false)
		line := strings.Repeat("x", 1000)
		for range 300 {
			c.Write(stdout, line+"\n")
			f.pass(time.Second)
			assert.LessOrEqual(t, f.metric("buffered_bytes"), int64(64<<10))
		}
		assert.Greater(t, f.metric("buffered_bytes"), int64(32<<10))
		f.sink.Open()
		f.eventually("all", func() bool { return f.sink.Count("") == 300 })
		f.sink.Hold(false)
		for range 300 {
			c.Write(stdout, line+"\n")
			f.pass(time.Second)
			c.Rotate(50)
		}
		f.sink.Open()
		f.pass(time.Minute)
		assert.EqualValues(t, 1, f.metric("gaps", "rotated"))
		assert.Less(t, f.sink.Count(""), 600)
	})
}

// An engine that accepts a request for logs and sends nothing is given up.
func TestStuckReadIsGivenUp(t *testing.T) {
	for _, strategy := range []Strategy{StrategyStreaming, StrategyPolling} {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				c := f.container("web")
				write(c, 1, 3)
				f.cfg.StartAt = StartAtBeginning
				stuck := true
				f.engine.SetLatency(func(req enginetest.Request) time.Duration {
					if req.Kind == enginetest.KindLogs && stuck {
						stuck = false
						return time.Hour
					}
					return 0
				})
				f.start()
				f.pass(stuckAfter - time.Second)
				assert.Zero(t, f.metric("reopens"))
				f.pass(5 * time.Second)
				assert.EqualValues(t, 1, f.metric("reopens"))
				f.expectLines(1, 3)
			})
		})
	}
}
