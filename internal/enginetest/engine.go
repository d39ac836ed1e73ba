// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"context"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// socketBuffer is what a unix socket holds by default on Linux (net.core.wmem_default).
const socketBuffer = 212992

// Engine is a fake Docker Engine. Its methods may be called from any goroutine.
type Engine struct {
	// Now is the engine's clock; it stamps records and events. The default is time.Now, which is virtual in a synctest
	// bubble. Set it before the engine is used. It is called with the engine's lock held, so it must not call the engine.
	Now func() time.Time

	options
	server  *http.Server
	serving sync.WaitGroup // the accept loops

	// mu guards everything below, and the state of every Container, feed, conn and Request that belongs to the engine.
	mu sync.Mutex
	// changed is broadcast whenever something changes that an observer or a frozen connection may wait for.
	changed     *sync.Cond
	dialed      *sync.Cond // a connection has been put into the backlog, or the engine is closed
	closed      bool
	down        bool
	frozen      bool
	accepting   bool // the accept loop of the in-memory connections runs
	backlog     []*conn
	sockets     []*socket
	conns       map[*conn]struct{}
	open        int          // connections that the server has not closed yet
	containers  []*Container // in order of creation, without the removed ones
	added       int          // containers ever added
	started     int          // container starts ever
	follows     int
	requests    []*Request
	ring        []event
	subscribers map[*subscriber]struct{}
	dropEvents  bool
	denyEvents  bool // subscriptions to events are denied
	faults      Faults
	latency     func(Request) time.Duration
	coin        *rand.Rand // falls the same way in every run of a test
}

// socket is a unix socket that the engine listens on.
type socket struct {
	path     string
	listener net.Listener
}

// New makes an engine without containers. It starts nothing before the first connection; Close ends whatever was started.
func New(opts ...Option) *Engine {
	e := &Engine{
		Now:         time.Now,
		conns:       make(map[*conn]struct{}),
		subscribers: make(map[*subscriber]struct{}),
		coin:        rand.New(rand.NewPCG(1, 2)),
	}
	e.bufferSize, e.dataRoot = socketBuffer, dataRoot
	for _, option := range append([]Option{Docker20()}, opts...) {
		option(&e.options)
	}
	e.changed, e.dialed = sync.NewCond(&e.mu), sync.NewCond(&e.mu)
	e.server = &http.Server{
		Handler:   http.HandlerFunc(e.serve),
		ErrorLog:  log.New(io.Discard, "", 0),
		ConnState: e.connState,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	return e
}

// connKey is the context key of the connection of a request.
type connKey struct{}

// connState counts the connections that the server holds.
func (e *Engine) connState(_ net.Conn, state http.ConnState) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch state {
	case http.StateNew:
		e.open++
	case http.StateClosed:
		e.open--
	default:
		return
	}
	e.changed.Broadcast()
}

// Listen serves the engine on a unix socket of its own until the engine or the test ends, and returns its address, for
// DOCKER_HOST: unix:///path.
func (e *Engine) Listen(t testing.TB) string {
	t.Helper()
	// Not t.TempDir: the name of a test can be longer than the path of a socket may be.
	dir, err := os.MkdirTemp("", "enginetest")
	if err != nil {
		t.Fatalf("make a directory for the engine's socket: %v", err)
	}
	t.Cleanup(func() {
		e.Close()
		_ = os.RemoveAll(dir)
	})
	s := &socket{path: filepath.Join(dir, "docker.sock")}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sockets = append(e.sockets, s)
	if !e.down {
		if err := e.listen(s); err != nil {
			t.Fatalf("listen on the engine's socket: %v", err)
		}
	}
	return "unix://" + s.path
}

// listen starts to accept on a socket. mu is held.
func (e *Engine) listen(s *socket) error {
	if e.closed {
		return net.ErrClosed
	}
	_ = os.Remove(s.path)
	l, err := net.Listen("unix", s.path)
	if err != nil {
		return err
	}
	// The file stays when the listener is closed: a dead daemon refuses connections, it does not take its socket away.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	s.listener = l
	e.serving.Go(func() { _ = e.server.Serve(socketListener{l, e}) })
	return nil
}

// Dial opens an in-memory connection to the engine. It works inside a synctest bubble if the engine was made there.
func (e *Engine) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	client, inner := pipe(e.bufferSize)
	server := &conn{Conn: inner, engine: e}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down || e.closed {
		return nil, &net.OpError{Op: "dial", Net: memAddr{}.Network(), Addr: memAddr{}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	if !e.accepting {
		e.accepting = true
		e.serving.Go(func() { _ = e.server.Serve(memListener{e}) })
	}
	e.conns[server] = struct{}{}
	e.backlog = append(e.backlog, server)
	e.dialed.Signal()
	return client, nil
}

// DialContext is Dial as an http.Transport wants it; it ignores network and address.
func (e *Engine) DialContext(ctx context.Context, _, _ string) (net.Conn, error) {
	return e.Dial(ctx)
}

// Close cuts every connection and waits until every goroutine of the engine has ended. A second call does nothing more.
func (e *Engine) Close() {
	e.mu.Lock()
	e.closed = true
	e.changed.Broadcast()
	e.dialed.Broadcast()
	e.mu.Unlock()
	e.cutAll()
	_ = e.server.Close()
	e.serving.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.open > 0 {
		e.changed.Wait()
	}
}

// cutAll closes all listeners and connections.
func (e *Engine) cutAll() {
	e.mu.Lock()
	var listeners []net.Listener
	for _, s := range e.sockets {
		if s.listener != nil {
			listeners = append(listeners, s.listener)
			s.listener = nil
		}
	}
	conns := make([]*conn, 0, len(e.conns))
	for c := range e.conns {
		conns = append(conns, c)
	}
	e.backlog = nil
	e.mu.Unlock()
	for _, l := range listeners {
		_ = l.Close()
	}
	for _, c := range conns {
		_ = c.Close()
	}
}
