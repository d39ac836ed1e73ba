// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"runtime/pprof"
	"sync"
)

// buffer holds batches of one container between the capture that reads them and a
// goroutine that delivers them, so that a pipeline that stalls does not stop the
// reading. It is bounded in bytes, and never drops: full, it makes the reader wait.
type buffer struct {
	limit   int
	deliver func(*batch) error // hands one downstream; an error ends the delivery
	counted func(bytes int)    // is told of every change of what is held
	labels  pprof.LabelSet     // of the delivering goroutine

	mu     sync.Mutex
	queue  []*batch
	bytes  int
	acked  int           // marks of batches delivered, not yet collected
	busy   bool          // the delivering goroutine runs
	err    error         // ended it; nothing more is taken
	change chan struct{} // a batch has gone, or err is set; for the one reader that waits
}

func newBuffer(limit int, deliver func(*batch) error, counted func(int)) *buffer {
	return &buffer{limit: limit, deliver: deliver, counted: counted, change: make(chan struct{}, 1)}
}

// put appends a batch, when there is room for it or nothing else is held. The batch is
// the buffer's from then on. An error means that it has not been taken.
func (q *buffer) put(ctx context.Context, b *batch) error {
	err := q.await(ctx, func() bool { return q.bytes == 0 || q.bytes+b.size() <= q.limit })
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.queue = append(q.queue, b)
	q.bytes += b.size()
	q.counted(b.size())
	if !q.busy {
		q.busy = true
		go pprof.Do(context.Background(), q.labels, func(context.Context) { q.run() })
	}
	return nil
}

// flush waits until all has been delivered, also when ctx has ended: then the
// deliveries make their last attempt.
func (q *buffer) flush() error {
	return q.await(context.Background(), func() bool { return len(q.queue) == 0 && !q.busy })
}

// await waits for a condition, which is tested under the lock.
func (q *buffer) await(ctx context.Context, holds func() bool) error {
	for {
		q.mu.Lock()
		err, ok := q.err, holds()
		q.mu.Unlock()
		switch {
		case err != nil:
			return err
		case ok:
			return nil
		}
		select {
		case <-q.change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// collect gives the number of marks delivered since the last call.
func (q *buffer) collect() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := q.acked
	q.acked = 0
	return n
}

// run delivers until nothing is left. put starts it; flush waits for its end.
func (q *buffer) run() {
	for {
		q.mu.Lock()
		if len(q.queue) == 0 || q.err != nil {
			q.busy = false
			q.queue = nil
			q.counted(-q.bytes)
			q.bytes = 0
			q.mu.Unlock()
			q.signal()
			return
		}
		b := q.queue[0]
		q.mu.Unlock()

		size, marks := b.size(), len(b.marks)
		err := q.deliver(b)

		q.mu.Lock()
		if err != nil {
			q.err = err
		} else {
			q.queue[0] = nil
			q.queue = q.queue[1:]
			q.bytes -= size
			q.acked += marks
			q.counted(-size)
		}
		q.mu.Unlock()
		q.signal()
	}
}

func (q *buffer) signal() {
	select {
	case q.change <- struct{}{}:
	default:
	}
}
