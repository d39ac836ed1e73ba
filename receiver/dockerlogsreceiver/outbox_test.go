// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// gatedSink is what an outbox sends to: each call waits for a value from next, which says
// whether the batches are taken.
type gatedSink struct {
	*outbox
	next chan bool
	mu   sync.Mutex // guards what is below
	made [][]string // calls: the container and the number of records of each batch
	held int
	most int
}

// calls returns the calls so far, and how much is held and was at most.
func (s *gatedSink) calls() (made [][]string, held, most int) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.made), s.held, s.most
}

// call returns the one of that number.
func (s *gatedSink) call(i int) []string {
	made, _, _ := s.calls()
	return made[i]
}

// acks counts what a source is told.
type acks struct{ n atomic.Int64 }

func (a *acks) Commit(list []position.Delivered) { a.n.Add(int64(len(list))) }

func newGatedSink(cfg BatchConfig) *gatedSink {
	s := &gatedSink{next: make(chan bool)}
	s.outbox = newOutbox(cfg, func(group []*batch.Batch) []*batch.Batch {
		var call []string
		for _, b := range group {
			call = append(call, fmt.Sprint(b.Origin.ID, " ", b.Len()))
		}
		s.mu.Lock()
		s.made = append(s.made, call)
		s.mu.Unlock()
		if !<-s.next {
			return nil
		}
		return group
	}, func() {}, func(n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held += n
		s.most = max(s.most, s.held)
	})
	go s.run()
	return s
}

// take lets a call that is under way end.
func (s *gatedSink) take() {
	synctest.Wait()
	s.next <- true
	synctest.Wait()
}

// of makes a batch of n records of size bytes each.
func (s *gatedSink) of(origin *batch.Origin, n, size int) *batch.Batch {
	b := s.batch()
	b.Origin = origin
	for i := range n {
		b.Add(stream.Record{Time: int64(i + 1), Kind: stream.Stdout, Body: make([]byte, size)}, batch.UID{}, position.Delivered{Seq: uint64(i)})
	}
	return b
}

var testBatchConfig = BatchConfig{FlushTimeout: time.Second, MaxSize: 100, MaxBytes: 1 << 20}

func TestOutboxGathers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGatedSink(testBatchConfig)
		web, db := &batch.Origin{ID: "web"}, &batch.Origin{ID: "db"}
		var fromWeb, fromDB acks
		put := func(origin *batch.Origin, from *acks, n int) {
			require.NoError(t, s.put(t.Context(), s.of(origin, n, 10), from, nil))
		}
		time.Sleep(time.Minute)
		put(web, &fromWeb, 1)
		s.take()
		made, _, _ := s.calls()
		assert.Equal(t, [][]string{{"web 1"}}, made, "a lone record does not wait")
		assert.EqualValues(t, 1, fromWeb.n.Load())

		for range 5 {
			put(web, &fromWeb, 1)
			put(db, &fromDB, 2)
			time.Sleep(100 * time.Millisecond)
		}
		made, _, _ = s.calls()
		assert.Len(t, made, 1, "what follows waits")
		time.Sleep(500 * time.Millisecond)
		s.take()
		assert.Equal(t, []string{"web 5", "db 10"}, s.call(1), "until it has for flush_timeout")

		put(web, &fromWeb, 60)
		put(db, &fromDB, 30)
		made, _, _ = s.calls()
		assert.Len(t, made, 2)
		put(web, &fromWeb, 10)
		s.take()
		assert.Equal(t, []string{"web 70", "db 30"}, s.call(2), "or there are max_size")
		assert.EqualValues(t, 76, fromWeb.n.Load())

		put(db, &fromDB, 1)
		s.close()
		s.take()
		assert.Equal(t, []string{"db 1"}, s.call(3), "the end is no reason to wait")
		assert.EqualValues(t, 41, fromDB.n.Load())
		<-s.empty
		_, held, _ := s.calls()
		assert.Zero(t, held)
		assert.Zero(t, s.lag(time.Now()))
	})
}

// TestOutboxLagWhileItSends is for the race detector: a scrape looks at what is being sent.
func TestOutboxLagWhileItSends(t *testing.T) {
	o := newOutbox(BatchConfig{MaxSize: 10, MaxBytes: 1 << 20}, func(group []*batch.Batch) []*batch.Batch { return group },
		func() {}, func(int) {})
	go o.run()
	put := func(id string) {
		b := o.batch()
		b.Origin = &batch.Origin{ID: id}
		b.Add(stream.Record{Time: 1, Kind: stream.Stdout}, batch.UID{}, position.Delivered{})
		require.NoError(t, o.put(t.Context(), b, new(acks), nil))
	}
	for range 2_000 {
		put("web")
		put("db")
		put("web")
		o.lag(time.Now())
	}
	o.close()
	<-o.empty
	assert.Zero(t, o.lag(time.Now()))
}

// While a call is under way the next group gathers, and no more than one.
func TestOutboxGathersWhileThePipelineWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGatedSink(testBatchConfig)
		web := &batch.Origin{ID: "web"}
		var from acks
		for range 7 {
			require.NoError(t, s.put(t.Context(), s.of(web, 40, 10), &from, nil))
			synctest.Wait()
		}
		time.Sleep(10 * time.Second)
		made, _, _ := s.calls()
		assert.Equal(t, [][]string{{"web 40"}}, made)
		assert.Equal(t, time.Since(time.Unix(0, 1)), s.lag(time.Now()), "the age of the oldest record, which is of 1 ns after the epoch")
		s.take()
		s.take()
		s.take()
		made, _, _ = s.calls()
		assert.Equal(t, [][]string{{"web 40"}, {"web 80"}, {"web 80"}}, made[:3])
		s.close()
		s.take()
		<-s.empty
		assert.EqualValues(t, 280, from.n.Load())
	})
}

// What is read and not accepted is bounded; a put waits for room, and with its context's
// end is taken all the same.
func TestOutboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testBatchConfig
		cfg.MaxBytes = 100_000
		s := newGatedSink(cfg)
		web := &batch.Origin{ID: "web"}
		var from acks
		var puts atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			for {
				err := s.put(ctx, s.of(web, 1, 10_000), &from, nil)
				if err != nil {
					ended <- err
					return
				}
				puts.Add(1)
			}
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.EqualValues(t, 19, puts.Load(), "two groups")
		s.take()
		s.take()
		assert.Greater(t, puts.Load(), int64(19))
		_, _, most := s.calls()
		assert.LessOrEqual(t, most, 210_000)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		_, held, _ := s.calls()
		assert.Greater(t, held, 200_000, "the one that was not to be put is in memory already")
		s.close()
		for range 3 {
			s.take()
		}
		<-s.empty
		_, held, _ = s.calls()
		assert.Zero(t, held)
	})
}

// A batch that is larger than all the room passes alone.
func TestOutboxTakesOneThatIsTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testBatchConfig
		cfg.MaxBytes = 1000
		s := newGatedSink(cfg)
		web := &batch.Origin{ID: "web"}
		var from acks
		require.NoError(t, s.put(t.Context(), s.of(web, 1, 100_000), &from, nil))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.ErrorIs(t, s.put(ctx, s.of(web, 1, 1), &from, nil), context.DeadlineExceeded)
		s.take()
		s.close()
		s.take()
		<-s.empty
		assert.EqualValues(t, 2, from.n.Load())
	})
}

// A buffer of its own lets a container be read on while others wait, and has its bound.
func TestOutboxBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := testBatchConfig
		cfg.MaxBytes = 1000
		s := newGatedSink(cfg)
		buffered, plain := &batch.Origin{ID: "buffered"}, &batch.Origin{ID: "plain"}
		var from, fromPlain acks
		buffer := newRoom(50_000)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, s.put(ctx, s.of(plain, 1, 5000), &fromPlain, nil))
		for range 4 {
			require.NoError(t, s.put(ctx, s.of(buffered, 1, 10_000), &from, buffer))
		}
		require.ErrorIs(t, s.put(ctx, s.of(buffered, 1, 10_000), &from, buffer), context.DeadlineExceeded)
		s.close()
		for from.n.Load() < 5 {
			s.take()
		}
		<-s.empty
		assert.True(t, buffer.TryAcquire(50_000), "all of it is free again")
		assert.True(t, s.room.TryAcquire(2000))
	})
}

// What the pipeline has not taken when the receiver stops is not committed.
func TestOutboxCommitsNothingThatIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newGatedSink(testBatchConfig)
		var from acks
		require.NoError(t, s.put(t.Context(), s.of(&batch.Origin{ID: "web"}, 3, 10), &from, nil))
		s.next <- false
		s.close()
		<-s.empty
		assert.Zero(t, from.n.Load())
		assert.Zero(t, s.held)
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
				f.pass(source.StuckAfter - time.Second)
				assert.Zero(t, f.metric("reopens"))
				f.pass(5 * time.Second)
				assert.EqualValues(t, 1, f.metric("reopens"))
				f.expectLines(1, 3)
			})
		})
	}
}

// TestCallsOfAThousandContainers: how often the pipeline is called depends on time, and not
// on how many containers there are and write.
func TestCallsOfAThousandContainers(t *testing.T) {
	const containers, writers, seconds, perSecond = 1000, 100, 20, 10
	for _, strategy := range []Strategy{StrategyStreaming, StrategyAdaptive} {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy, f.cfg.Adaptive.MaxStreams = strategy, containers
				var all []*enginetest.Container
				for i := range containers {
					all = append(all, f.container(fmt.Sprint("c", i)))
				}
				f.start()
				f.following(containers)
				calls := f.sink.Calls()
				for i := range seconds * perSecond {
					for _, c := range all[:writers] {
						write(c, i, i)
					}
					time.Sleep(time.Second / perSecond)
				}
				f.eventually("all lines", func() bool { return len(f.sink.Bodies()) == writers*seconds*perSecond })
				calls = f.sink.Calls() - calls
				t.Logf("%d calls in %d s", calls, seconds)
				assert.LessOrEqual(t, calls, seconds*int(time.Second/f.cfg.Batch.FlushTimeout)+seconds)
			})
		})
	}
}
