// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// outbox gathers what all captures have read and sends it to the pipeline together, so
// that the number of calls depends on time and not on lines. One goroutine, run, sends;
// while a call is under way the next group gathers.
//
// A group leaves when its first record has waited for flush_timeout since the last call
// began (so at once, if there was no call for as long), when it has max_size records or
// max_bytes bytes of OTLP, or when somebody waits for room.
type outbox struct {
	cfg BatchConfig
	// send hands a group to the pipeline. It reports which batches the pipeline has
	// accepted, or never will.
	send func([]*batch.Batch) (done []*batch.Batch)
	// accepted is called after a group has been accepted.
	accepted func()
	// counted is called with every change of what is held, in bytes.
	counted func(bytes int)

	batches sync.Pool // *batch.Batch
	// room is for what has been read and not been accepted: one group on its way and one
	// that gathers.
	room *room
	// eventRoom is for events, which do not wait for room: while captures do, a capture has
	// whatever gets free of theirs.
	eventRoom *room

	mu      sync.Mutex // guards what is below
	queue   []*parcel  // in the order in which they came
	last    map[committer]*parcel
	records int // in queue
	bytes   int // of OTLP, at most
	waiting int // puts that wait for room
	held    map[holder]time.Time
	sending []*parcel
	began   time.Time // of the last call
	closed  bool
	wake    chan struct{} // run has to look again
	empty   chan struct{} // closed when run has returned
}

// committer is the source that a batch came from.
type committer interface {
	Commit([]position.Delivered)
}

// eventRoomSize bounds the events in the outbox, in bytes.
const eventRoomSize = 256 << 10

// never is for a timer that is made now and set later.
const never = 1 << 62

func newOutbox(cfg BatchConfig, send func([]*batch.Batch) []*batch.Batch, accepted func(), counted func(bytes int)) *outbox {
	return &outbox{
		cfg: cfg, send: send, accepted: accepted, counted: counted,
		room: newRoom(2 * int64(cfg.MaxBytes)), eventRoom: newRoom(eventRoomSize), wake: make(chan struct{}, 1), empty: make(chan struct{}),
		last:    make(map[committer]*parcel),
		held:    make(map[holder]time.Time),
		batches: sync.Pool{New: func() any { return batch.New(cfg.MaxSize, int(cfg.MaxBytes)) }},
	}
}

// batch returns an empty batch, for put.
func (o *outbox) batch() *batch.Batch { return o.batches.Get().(*batch.Batch) }

// put takes a batch of one container, and waits while there is no room for it: in its own,
// or, where that is nil, in what all containers share. When ctx ends the batch is taken
// without room, as it is in memory already, and the error is ctx's.
func (o *outbox) put(ctx context.Context, b *batch.Batch, from committer, own *room) error {
	p := newParcel(b, from, cmp.Or(own, o.room))
	var err error
	if !p.room.TryAcquire(p.taken) {
		o.hurry(+1)
		if err = p.room.Acquire(ctx, p.taken); err != nil {
			p.taken = 0
		}
		o.hurry(-1)
	}
	o.add(p)
	return err
}

// offer takes a batch if there is room for it in r, or if it must. It does not wait.
func (o *outbox) offer(b *batch.Batch, from committer, r *room, must bool) bool {
	p := newParcel(b, from, r)
	switch {
	case p.room.TryAcquire(p.taken):
	case must:
		p.taken = 0
	default:
		o.recycle(b)
		return false
	}
	o.add(p)
	return true
}

// hurry makes the group leave as long as somebody waits for room.
func (o *outbox) hurry(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting += n
	notify(o.wake)
}

func (o *outbox) add(p *parcel) {
	o.counted(p.Size())
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		notify(o.wake)
	}
	o.records += p.Len()
	o.bytes += p.EncodedSize()
	if last := o.last[p.from]; last != nil && last.room == p.room && last.Append(p.Batch) {
		last.taken += p.taken
		o.recycle(p.Batch)
	} else {
		o.bytes += p.Origin.EncodedSize
		o.queue = append(o.queue, p)
		o.last[p.from] = p
	}
	if o.full() {
		notify(o.wake)
	}
}

func (o *outbox) recycle(b *batch.Batch) {
	b.Reset()
	o.batches.Put(b)
}

// beforeNext returns how long to wait in place of a wait of flush_timeout, a quarter of it at least,
// until shortly before a group may leave: what is read then does not wait for flush_timeout a
// second time. A wait that is longer, as groups leave more often, stays as it is.
func (o *outbox) beforeNext(now time.Time, wait time.Duration) time.Duration {
	period := o.cfg.FlushTimeout
	if wait > period {
		return wait
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	past := now.Sub(o.began) + period/10 + period/4
	return period/4 + period - past%period
}

func (o *outbox) full() bool { return o.records >= o.cfg.MaxSize || o.bytes >= int(o.cfg.MaxBytes) }

// close makes run return when everything has been sent. Nothing may be put afterwards.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	notify(o.wake)
}

// run sends until close. The receiver starts its goroutine, the owner closes the outbox
// once all captures have ended.
func (o *outbox) run() {
	defer close(o.empty)
	timer := time.NewTimer(never)
	defer timer.Stop()
	for {
		now := time.Now()
		held := o.releaseHeld(now)
		group, wait, ok := o.next(now)
		switch {
		case !ok:
			return
		case group == nil:
			timer.Reset(min(wait, held))
			select {
			case <-o.wake:
			case <-timer.C:
			}
		default:
			o.deliver(group)
		}
	}
}

// next takes the group that is to leave now, or returns how long to wait for it. It
// reports false when there will be none.
func (o *outbox) next(now time.Time) (group []*parcel, wait time.Duration, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.queue) == 0 {
		return nil, never, !o.closed
	}
	wait = o.cfg.FlushTimeout - now.Sub(o.began)
	if wait > 0 && !o.full() && o.waiting == 0 && !o.closed {
		return nil, wait, true
	}
	o.began = now
	n, records, bytes := 0, 0, 0
	for ; n < len(o.queue); n++ {
		p := o.queue[n]
		size := p.EncodedSize() + p.Origin.EncodedSize
		if n > 0 && (records+p.Len() > o.cfg.MaxSize || bytes+size > int(o.cfg.MaxBytes)) {
			break
		}
		records += p.Len()
		bytes += size
		if o.last[p.from] == p {
			delete(o.last, p.from)
		}
	}
	group = sideBySide(o.queue[:n])
	o.queue = slices.Delete(o.queue, 0, n)
	if len(o.queue) == 0 {
		o.queue = nil
	}
	o.records -= records
	o.bytes -= bytes
	o.sending = group // which is not altered any more
	return group, 0, true
}

// sideBySide returns a queue as a group in which each container's batches follow one another.
func sideBySide(queue []*parcel) []*parcel {
	rank := make(map[string]int, len(queue))
	for i, p := range queue {
		if _, ok := rank[p.Origin.ID]; !ok {
			rank[p.Origin.ID] = i
		}
	}
	group := slices.Clone(queue)
	slices.SortStableFunc(group, func(a, b *parcel) int { return cmp.Compare(rank[a.Origin.ID], rank[b.Origin.ID]) })
	return group
}

// deliver sends a group, and commits to the sources what the pipeline has accepted.
func (o *outbox) deliver(group []*parcel) {
	batches := make([]*batch.Batch, 0, len(group))
	for _, p := range group {
		if p.Len() > 0 { // else all of it was dropped
			batches = append(batches, p.Batch)
		}
	}
	var done []*batch.Batch
	if len(batches) > 0 {
		done = o.send(batches)
	}
	o.mu.Lock()
	o.sending = nil
	o.mu.Unlock()
	isDone := make(map[*batch.Batch]bool, len(done))
	for _, b := range done {
		isDone[b] = true
	}
	moved := false
	for _, p := range group {
		if p.Len() == 0 || isDone[p.Batch] {
			p.from.Commit(p.Delivered)
			moved = true
		}
		o.counted(-p.Size())
		p.room.Release(p.taken)
		o.recycle(p.Batch)
	}
	if moved {
		o.accepted()
	}
}

// unaccepted returns, by container, the time of the oldest record that the pipeline has not
// accepted, and the memory that all of them take, in bytes.
func (o *outbox) unaccepted() (oldest map[string]time.Time, size int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	oldest = make(map[string]time.Time)
	for _, list := range [][]*parcel{o.sending, o.queue} {
		for _, p := range list {
			size += int64(p.Size())
			at := time.Unix(0, p.Oldest)
			if before, ok := oldest[p.Origin.ID]; !ok || at.Before(before) {
				oldest[p.Origin.ID] = at
			}
		}
	}
	return oldest, size
}

// lag returns the age of the oldest record that the pipeline has not accepted; 0 where
// there is none.
func (o *outbox) lag(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	var most time.Duration
	for _, list := range [][]*parcel{o.sending, o.queue} {
		for _, p := range list {
			most = max(most, now.Sub(time.Unix(0, p.Oldest)))
		}
	}
	return most
}
