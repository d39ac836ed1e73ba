// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package naive_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
)

const lifetime = 30 * time.Second

// bench is a naive client on a container of an engine in memory, on virtual time.
type bench struct {
	engine    *enginetest.Engine
	container *enginetest.Container
	client    *naive.Client
	onDeliver func(text string)

	mu    sync.Mutex
	lines []string
}

func try(t *testing.T, name string, test func(t *testing.T, b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &bench{engine: enginetest.New(), onDeliver: func(string) {}}
		b.container = b.engine.Add(enginetest.ContainerSpec{Running: true})
		var err error
		b.client, err = naive.New(naive.Prefix+name, naive.Config{
			Endpoint: "tcp://engine:2375", Containers: []string{b.container.ID()}, Lifetime: lifetime,
			Deliver: b.deliver, Dial: b.engine.DialContext,
		})
		require.NoError(t, err)
		test(t, b)
		require.NoError(t, b.client.Stop(t.Context()))
		// A connection that is cut ends every read: without it some goroutines would never leave the bubble.
		b.engine.Close()
	})
}

func (b *bench) deliver(body []byte, _ bool, _ time.Time) {
	b.mu.Lock()
	b.lines = append(b.lines, string(body))
	b.mu.Unlock()
	b.onDeliver(string(body))
}

func (b *bench) write(text string) { b.container.Write(enginetest.Stdout, text+"\n") }

func (b *bench) delivered() []string {
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines
}

// TestStreamingCannotBeEnded: a stop has no effect until the container writes again.
func TestStreamingCannotBeEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		defer e.Close()
		silent := e.Add(enginetest.ContainerSpec{Running: true})
		c, err := naive.New(naive.Prefix+"streaming", naive.Config{
			Endpoint: "tcp://engine:2375", Containers: []string{silent.ID()}, Deliver: func([]byte, bool, time.Time) {}, Dial: e.DialContext,
		})
		require.NoError(t, err)
		c.Start()
		synctest.Wait()
		require.NoError(t, c.Stop(t.Context()))
		time.Sleep(24 * time.Hour)
		require.Equal(t, 1, e.OpenFollows(), "it still follows")
		silent.Write(enginetest.Stdout, "at last\n")
		synctest.Wait()
		require.Zero(t, e.OpenFollows())
	})
}

// TestShortLivedLosesWhatIsUnderWay: the next follow begins at the time of its opening.
func TestShortLivedLosesWhatIsUnderWay(t *testing.T) {
	try(t, "short-lived", func(t *testing.T, b *bench) {
		b.client.Start()
		time.Sleep(lifetime - time.Second)
		b.write("before")
		// The engine has stamped and stored it, and not sent it when the follow ends.
		b.container.SetFaults(enginetest.Faults{LoseWrites: true})
		b.write("under way")
		time.Sleep(2 * time.Second)
		b.container.SetFaults(enginetest.Faults{})
		b.write("after")
		time.Sleep(3 * lifetime)
		assert.Equal(t, []string{"before", "after"}, b.delivered())
		assert.Len(t, b.container.Records(), 3, "the engine holds all")
		assert.Equal(t, 1, b.engine.OpenFollows(), "the request's context did end it: as it is written it leaks nothing")
	})
}

// TestAbandoningLeaks: a follow for each lifetime is left behind, until the container writes again.
func TestAbandoningLeaks(t *testing.T) {
	try(t, "abandoning", func(t *testing.T, b *bench) {
		b.client.Start()
		time.Sleep(10*lifetime + time.Second)
		assert.Equal(t, 11, b.engine.OpenFollows())
		b.write("at last")
		assert.Equal(t, []string{"at last"}, b.delivered())
		assert.Equal(t, 1, b.engine.OpenFollows())
	})
}

// TestPollLosesWhatIsWrittenMeanwhile: it resumes from the time when it has processed its last read.
func TestPollLosesWhatIsWrittenMeanwhile(t *testing.T) {
	for _, name := range []string{"poll-1s", "poll-2s", "poll-5s", "poll-10s"} {
		t.Run(name, func(t *testing.T) {
			try(t, name, func(t *testing.T, b *bench) {
				b.onDeliver = func(text string) {
					if text == "first" {
						time.Sleep(time.Millisecond)
						b.write("meanwhile")
						time.Sleep(time.Millisecond)
					}
				}
				b.write("first")
				b.client.Start()
				time.Sleep(naive.Intervals[naive.Prefix+name] + time.Second/2)
				b.write("later")
				time.Sleep(time.Minute)
				assert.Equal(t, []string{"first", "later"}, b.delivered())
			})
		})
	}
}

// TestPollTakesAPartForAll: it does not ask again for what it did not get within its timeout.
func TestPollTakesAPartForAll(t *testing.T) {
	try(t, "poll-5s", func(t *testing.T, b *bench) {
		b.write("first")
		b.write("second")
		b.client.Start()
		const frame = int64(8 + len("2006-01-02T15:04:05.000000000Z ") + len("first\n"))
		b.container.SetFaults(enginetest.Faults{CutAfter: frame + 10})
		time.Sleep(6 * time.Second)
		b.container.SetFaults(enginetest.Faults{})
		time.Sleep(time.Minute)
		assert.Equal(t, []string{"first"}, b.delivered())
	})
}

// TestPollHasTheWholeLogRead: it asks by time alone, so the engine scans every record each time.
func TestPollHasTheWholeLogRead(t *testing.T) {
	try(t, "poll-1s", func(t *testing.T, b *bench) {
		for range 1000 {
			b.write("old")
		}
		b.client.Start()
		time.Sleep(10*time.Second + time.Second/2)
		assert.Len(t, b.delivered(), 1000)
		scanned := 0
		for _, r := range b.engine.Requests() {
			scanned += r.Scanned
		}
		assert.Equal(t, 10_000, scanned)
	})
}

// TestBufferRepeats: it resumes from the time of a line that it has, and that line comes again.
func TestBufferRepeats(t *testing.T) {
	try(t, "poll-buffer", func(t *testing.T, b *bench) {
		b.write("only")
		b.client.Start()
		time.Sleep(7 * time.Second)
		assert.Equal(t, []string{"only", "only", "only"}, b.delivered())
	})
}

// TestBufferLosesLateLines: an engine may write a line after one that it has stamped later.
func TestBufferLosesLateLines(t *testing.T) {
	try(t, "poll-buffer", func(t *testing.T, b *bench) {
		stamp := time.Now()
		time.Sleep(time.Second)
		b.write("newer")
		b.client.Start()
		time.Sleep(3 * time.Second)
		b.container.WriteAt(stamp, enginetest.Stdout, "older\n")
		time.Sleep(time.Minute)
		assert.NotContains(t, b.delivered(), "older")
	})
}

// TestBufferHasNoBounds: with a pipeline that stalls, each poll adds lines and a goroutine.
func TestBufferHasNoBounds(t *testing.T) {
	try(t, "poll-buffer", func(t *testing.T, b *bench) {
		release := make(chan struct{})
		b.onDeliver = func(string) { <-release }
		b.write("only")
		b.client.Start()
		time.Sleep(201 * time.Second)
		assert.Len(t, b.delivered(), 100, "goroutines that hold a line each")
		close(release)
	})
}
