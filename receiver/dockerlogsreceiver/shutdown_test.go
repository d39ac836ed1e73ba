// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

func TestShutdownClosesEverything(t *testing.T) {
	inBubble(t, func(f *fixture) {
		for range 30 {
			f.engine.Add(enginetest.ContainerSpec{Running: true})
		}
		f.start()
		f.following(30)
		began := time.Now()
		f.stop()
		f.settle()
		assert.Zero(t, time.Since(began))
		assert.Zero(t, f.engine.OpenConns())
		assert.Zero(t, f.engine.Subscribers())
	})
}

func TestShutdownWhileARetryWaits(t *testing.T) {
	for name, accept := range map[string]bool{"accepted at last": true, "refused at last": false} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.followed()
				f.sink.Refuse(errRefused)
				write(c, 1, 1)
				f.pass(20 * time.Minute) // the next attempt is a long way off
				if accept {
					f.sink.Refuse(nil)
				}
				calls, began := f.sink.Calls(), time.Now()
				f.stop()
				assert.Zero(t, time.Since(began))
				assert.Equal(t, calls+1, f.sink.Calls(), "one last attempt")
				if accept {
					f.expectLines(1, 1)
				}
				assert.Zero(t, f.metric("dropped_records"))
			})
		})
	}
}

func TestShutdownWaitsForWhatIsBeingDelivered(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.sink.Hold(false)
		write(c, 1, 1)
		f.settle()
		time.AfterFunc(10*time.Second, f.sink.Open)
		ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, f.r.Shutdown(ctx))
		f.expectLines(1, 1)
	})
}

func TestShutdownHonoursItsContext(t *testing.T) {
	for name, deaf := range map[string]bool{"a consumer that heeds its context": false, "one that does not": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				m := f.stored()
				c := f.followed()
				f.sink.Hold(deaf)
				write(c, 1, 3)
				f.settle()
				ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Second)
				defer cancel()
				began := time.Now()
				err := f.r.Shutdown(ctx)
				if deaf {
					assert.Equal(t, 10*time.Second+shutdownGrace, time.Since(began))
					require.ErrorIs(t, err, context.DeadlineExceeded)
				} else {
					assert.Equal(t, 10*time.Second, time.Since(began))
					require.NoError(t, err)
					assert.Zero(t, m.clients, "the storage is closed")
				}
				f.sink.Open()
			})
		})
	}
}

func TestShutdownTwice(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.followed()
		require.NoError(t, f.r.Shutdown(f.t.Context()))
		require.NoError(t, f.r.Shutdown(f.t.Context()))
	})
}

func TestShutdownWithoutStart(t *testing.T) {
	inBubble(t, func(f *fixture) { require.NoError(t, f.r.Shutdown(f.t.Context())) })
}

func TestShutdownWhileTheEngine(t *testing.T) {
	for name, prepare := range map[string]func(*fixture){
		"is away":      func(f *fixture) { f.engine.Down() },
		"is frozen":    func(f *fixture) { f.engine.Freeze() },
		"is half open": func(f *fixture) { f.engine.HalfOpen() },
		"is slow": func(f *fixture) {
			f.engine.SetLatency(func(enginetest.Request) time.Duration { return time.Hour })
			f.engine.CutFollows()
			f.engine.CutEvents()
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.followed()
				prepare(f)
				f.pass(time.Second)
				began := time.Now()
				f.stop()
				assert.Zero(t, time.Since(began))
			})
		})
	}
}

func TestShutdownRightAfterStart(t *testing.T) {
	for range 50 {
		inBubble(t, func(f *fixture) {
			write(f.container("web"), 1, 1000)
			f.cfg.StartAt = StartAtBeginning
			require.NoError(t, f.r.Start(f.t.Context(), f.host))
			require.NoError(t, f.r.Shutdown(f.t.Context()))
		})
	}
}
