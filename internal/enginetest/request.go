// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// Kind is what a request asks for.
type Kind string

// The requests that the engine answers.
const (
	KindPing    Kind = "ping"
	KindVersion Kind = "version"
	KindInfo    Kind = "info"
	KindList    Kind = "list"
	KindInspect Kind = "inspect"
	KindLogs    Kind = "logs"
	KindEvents  Kind = "events"
	KindUnknown Kind = "unknown" // answered 404, as the engine does
)

// Request is one request that the engine received, and what it cost to answer so far.
type Request struct {
	Method string
	Path   string // as sent, with the version prefix
	Query  url.Values
	Header http.Header
	Time   time.Time // when it came, on the engine's clock

	Kind      Kind
	Container string // inspect and logs: the id of the container; as asked for, if there is none
	Follow    bool   // logs: follow=1

	Status  int   // 0 until the answer begins
	Scanned int   // logs: records read to answer, those that since left out included: the engine's own cost
	Records int   // logs: records sent, each chunk of a long line counted; events: events sent
	Bytes   int64 // of body sent
	Done    bool  // the answer has ended, in whatever way
}

func (r *Request) clone() Request {
	c := *r
	c.Query = maps.Clone(r.Query)
	for k, v := range c.Query {
		c.Query[k] = slices.Clone(v)
	}
	c.Header = r.Header.Clone()
	return c
}

// Requests returns a copy of every request so far, in the order in which they came.
func (e *Engine) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]Request, len(e.requests))
	for i, r := range e.requests {
		all[i] = r.clone()
	}
	return all
}

// ForgetRequests empties the list of requests.
func (e *Engine) ForgetRequests() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.requests = nil
}

// OpenFollows is how many follows of running containers are being served.
func (e *Engine) OpenFollows() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.follows
}

// OpenConns is how many connections the engine holds, idle ones included.
func (e *Engine) OpenConns() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open
}

// Subscribers is how many event streams are open.
func (e *Engine) Subscribers() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.subscribers)
}

// WaitFollows waits until exactly n follows are open.
func (e *Engine) WaitFollows(ctx context.Context, n int) error {
	return e.wait(ctx, func() bool { return e.follows == n })
}

// WaitConns waits until exactly n connections are open.
func (e *Engine) WaitConns(ctx context.Context, n int) error {
	return e.wait(ctx, func() bool { return e.open == n })
}

// WaitSubscribers waits until exactly n event streams are open.
func (e *Engine) WaitSubscribers(ctx context.Context, n int) error {
	return e.wait(ctx, func() bool { return len(e.subscribers) == n })
}

// WaitRequest waits until match reports true for a request, be it an old one, and returns that. match is asked again whenever
// what a request has cost changes. It is called with the engine's lock held, so it must not call the engine.
func (e *Engine) WaitRequest(ctx context.Context, match func(Request) bool) (Request, error) {
	var found Request
	err := e.wait(ctx, func() bool {
		for _, r := range e.requests {
			if match(*r) {
				found = r.clone()
				return true
			}
		}
		return false
	})
	return found, err
}

// wait waits until done reports true, which it is asked with mu held, whenever something changes.
func (e *Engine) wait(ctx context.Context, done func() bool) error {
	stop := context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.changed.Broadcast()
	})
	defer stop()
	e.mu.Lock()
	defer e.mu.Unlock()
	for !done() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if e.closed {
			return http.ErrServerClosed
		}
		e.changed.Wait()
	}
	return nil
}
