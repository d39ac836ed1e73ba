// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"context"
	"sync"
)

// feed is what one stream, of log records or of events, has still to send. Its cond is on Engine.mu, which guards it.
type feed[T any] struct {
	mu      *sync.Mutex
	changed *sync.Cond
	ctx     context.Context // of the request
	items   []T
	ended   bool // nothing more will be pushed
}

// newFeed makes a feed that ends with the request; release is to be called when it has been served.
func newFeed[T any](ctx context.Context, mu *sync.Mutex) (f *feed[T], release func()) {
	f = &feed[T]{mu: mu, changed: sync.NewCond(mu), ctx: ctx}
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		f.end()
	})
	return f, func() { stop() }
}

// push appends items. mu is held.
func (f *feed[T]) push(items ...T) {
	if !f.ended {
		f.items = append(f.items, items...)
		f.changed.Broadcast()
	}
}

// end lets the stream end after what has been pushed. mu is held.
func (f *feed[T]) end() {
	f.ended = true
	f.changed.Broadcast()
}

// next waits for the next item; there is none if the feed has ended or the client is gone.
func (f *feed[T]) next() (item T, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.items) == 0 && !f.ended {
		f.changed.Wait()
	}
	if len(f.items) == 0 || f.ctx.Err() != nil {
		return item, false
	}
	item, f.items = f.items[0], f.items[1:]
	return item, true
}
