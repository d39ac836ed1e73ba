// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

var errRefused = errors.New("memory limit reached")

func TestRefusalHoldsTheBatch(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		write(c, 1, 3)
		f.expectLines(1, 3)
		f.sink.Refuse(errRefused)
		write(c, 4, 6)
		f.pass(30 * time.Minute)
		write(c, 7, 9)
		assert.Greater(t, f.sink.Calls(), 10)
		assert.Less(t, f.sink.Calls(), 400)
		f.sink.Refuse(nil)
		f.expectLines(1, 9)
		assert.Zero(t, f.metric("dropped_records"))
		f.following(1)
	})
}

// A follow that nobody reads makes the engine skip what it rotates away.
func TestRefusalClosesTheFollow(t *testing.T) {
	for name, stop := range map[string]func(*logstest.Sink){
		"refusing": func(s *logstest.Sink) { s.Refuse(errRefused) },
		"blocking": func(s *logstest.Sink) { s.Hold(false) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.followed()
				c.SetFaults(enginetest.Faults{SkipAtRotation: true})
				stop(f.sink)
				write(c, 1, 3)
				f.settle()
				assert.Equal(t, 1, f.engine.OpenFollows(), "a moment is nothing")
				f.pass(stallGrace + time.Millisecond)
				assert.Zero(t, f.engine.OpenFollows())
				write(c, 4, 1000)
				c.Rotate(1000)
				f.pass(time.Minute)
				f.sink.Refuse(nil)
				f.sink.Open()
				f.expectLines(1, 1000)
				f.following(1)
				assert.EqualValues(t, 1, f.metric("reopens", "stalled_pipeline"))
				assert.Zero(t, f.metric("gaps"))
			})
		})
	}
}

func TestRefusalOfAMomentLeavesTheFollowOpen(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.RetryOnFailure.InitialInterval = 100 * time.Millisecond
		c := f.followed()
		f.sink.Refuse(errRefused)
		write(c, 1, 3)
		f.pass(stallGrace / 2)
		f.sink.Refuse(nil)
		f.expectLines(1, 3)
		assert.Zero(t, f.metric("reopens"))
	})
}

func TestPermanentErrorDropsTheBatch(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		f.sink.Refuse(consumererror.NewPermanent(errRefused))
		for i := range 3 {
			write(c, 3*i+1, 3*i+3)
			f.settle()
		}
		f.sink.Refuse(nil)
		c.CutFollows()
		write(c, 10, 12)
		f.expectLines(10, 12)
		assert.EqualValues(t, 9, f.metric("dropped_records", "permanent"))
		assert.Equal(t, 1, f.logged(zap.ErrorLevel, "refused records for good"))
	})
}

func TestRetriesAreExhausted(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		after  time.Duration
	}{
		{"at max_elapsed_time", func(cfg *Config) { cfg.RetryOnFailure.MaxElapsedTime = 10 * time.Second }, time.Minute},
		{"at once when disabled", func(cfg *Config) { cfg.RetryOnFailure.Enabled = false }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				tt.change(f.cfg)
				c := f.followed()
				f.sink.Refuse(errRefused)
				write(c, 1, 3)
				f.pass(tt.after)
				f.sink.Refuse(nil)
				write(c, 4, 6)
				f.expectLines(4, 6)
				assert.EqualValues(t, 3, f.metric("dropped_records", "retries_exhausted"))
			})
		})
	}
}

func TestBacklogIsHeldUpWithoutLoss(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.StartAt = StartAtBeginning
		c := f.container("web")
		write(c, 1, 20000)
		f.sink.Refuse(errRefused)
		f.start()
		f.pass(10 * time.Minute)
		f.sink.Refuse(nil)
		f.expectLines(1, 20000)
	}, enginetest.BufferSize(4096))
}
