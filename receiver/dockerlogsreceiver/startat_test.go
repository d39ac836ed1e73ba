// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

func TestStartAtEnd(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		write(c, 1, 5000)
		f.start()
		f.following(1)
		write(c, 5001, 5003)
		f.expectLines(5001, 5003)
		c.CutFollows()
		f.pass(time.Minute)
		write(c, 5004, 5005)
		f.expectLines(5001, 5005)
	})
}

func TestStartAtEndCutBeforeTheFirstLine(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		write(c, 1, 100)
		f.start()
		f.following(1)
		for range 3 {
			c.CutFollows()
			f.pass(time.Minute)
		}
		write(c, 101, 103)
		f.expectLines(101, 103)
		assert.Zero(t, f.metric("gaps"))
	})
}

func TestStartAtBeginning(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.StartAt = StartAtBeginning
		c := f.container("web")
		write(c, 1, 5000)
		f.start()
		f.expectLines(1, 5000)
		write(c, 5001, 5003)
		f.expectLines(1, 5003)
	})
}

func TestContainerThatStartsLaterIsReadFromItsFirstLine(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		f.pass(time.Minute)
		f.engine.SetLatency(func(enginetest.Request) time.Duration { return time.Second })
		write(f.container("web"), 1, 3)
		f.expectLines(1, 3)
	})
}

// TestContainersFromBeforeUs: what was written before the receiver first sees the engine
// is read, or is not, as start_at says; see also TestContainerEndedBeforeTheFirstStart.
func TestContainersFromBeforeUs(t *testing.T) {
	tests := []struct {
		name string
		live func(*fixture)
		want map[StartAt]map[string][]string // lines by container
	}{
		{
			name: "stopped before us, started later",
			live: func(f *fixture) {
				c := f.container("web")
				write(c, 1, 3)
				c.Exit(0)
				f.pass(2 * time.Hour)
				f.start()
				f.pass(5 * time.Minute)
				assert.Empty(f.t, f.sink.Bodies())
				c.Start()
				write(c, 4, 6)
			},
			want: map[StartAt]map[string][]string{
				StartAtEnd:       {"web": numbered(4, 6)},
				StartAtBeginning: {"web": numbered(4, 6)},
			},
		},
		{
			name: "stopped shortly before us, started later",
			live: func(f *fixture) {
				c := f.container("web")
				write(c, 1, 3)
				c.Exit(0)
				f.start()
				f.pass(5 * time.Minute)
				c.Start()
				write(c, 4, 6)
			},
			want: map[StartAt]map[string][]string{
				StartAtEnd:       {"web": numbered(4, 6)},
				StartAtBeginning: {"web": numbered(1, 6)},
			},
		},
		{
			name: "the engine comes later than we",
			live: func(f *fixture) {
				c := f.container("web")
				write(c, 1, 3)
				f.engine.Down()
				f.start()
				f.pass(time.Minute)
				write(c, 4, 6)
				write(f.container("later"), 1, 3)
				ended := f.container("ended")
				write(ended, 1, 3)
				ended.Exit(0)
				f.pass(time.Minute)
				f.engine.Up()
			},
			want: map[StartAt]map[string][]string{
				StartAtEnd:       {"web": numbered(4, 6), "later": numbered(1, 3), "ended": numbered(1, 3)},
				StartAtBeginning: {"web": numbered(1, 6), "later": numbered(1, 3), "ended": numbered(1, 3)},
			},
		},
	}
	for _, tt := range tests {
		for startAt, want := range tt.want {
			t.Run(fmt.Sprintf("%s/%s", tt.name, startAt), func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					f.cfg.StartAt = startAt
					tt.live(f)
					total := 0
					for _, lines := range want {
						total += len(lines)
					}
					f.eventually("all lines", func() bool { return f.sink.Count("") >= total })
					for name, lines := range want {
						assert.Equal(t, lines, f.sink.Of(name), name)
					}
					assert.Equal(t, total, f.sink.Count(""))
				})
			})
		}
	}
}

// An engine that answers the first read with an empty body, as one behind a proxy may, has
// not said that the log is empty.
func TestStartAtEndAfterAnEmptyAnswer(t *testing.T) {
	for _, strategy := range allStrategies {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				c := f.container("web")
				write(c, 1, 100)
				c.Raw([]byte{})
				f.start()
				f.pass(10 * time.Second)
				c.Raw(nil)
				write(c, 101, 103)
				f.pass(5 * time.Minute)
				f.expectLines(101, 103)
			})
		})
	}
}
