// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"errors"
	"net"
	"os"
)

// conn is the engine's end of a connection, of a socket or in memory. It holds data back while the engine is frozen or the
// connection is half open. That the client closes it gets through all the same, unless a request is held back on it: so the
// streams that are open on the engine's side are those that the client has not closed.
type conn struct {
	net.Conn
	engine   *Engine
	halfOpen bool // guarded by Engine.mu
	gone     bool // guarded by Engine.mu: one of the two sides has closed it
}

// track registers a connection. A connection that was accepted too late is closed at once.
func (e *Engine) track(inner net.Conn) *conn {
	c := &conn{Conn: inner, engine: e}
	e.mu.Lock()
	refused := e.down || e.closed
	if !refused {
		e.conns[c] = struct{}{}
	}
	e.mu.Unlock()
	if refused {
		_ = c.Close()
	}
	return c
}

func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	switch {
	case err == nil:
		c.pass()
	case !errors.Is(err, os.ErrDeadlineExceeded):
		c.engine.mu.Lock()
		c.gone = true
		c.engine.changed.Broadcast()
		c.engine.mu.Unlock()
	}
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	if !c.pass() {
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

func (c *conn) Close() error {
	c.engine.mu.Lock()
	c.gone = true
	delete(c.engine.conns, c)
	c.engine.changed.Broadcast()
	c.engine.mu.Unlock()
	return c.Conn.Close()
}

// pass waits until data may flow and reports false if there is no one left to send it to.
func (c *conn) pass() bool {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	for (c.engine.frozen || c.halfOpen) && !c.gone {
		c.engine.changed.Wait()
	}
	return !c.gone
}

// socketListener accepts the connections of a unix socket.
type socketListener struct {
	net.Listener
	engine *Engine
}

func (l socketListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.engine.track(c), nil
}

// memListener accepts the connections that Engine.Dial has put into the backlog.
type memListener struct{ engine *Engine }

func (l memListener) Accept() (net.Conn, error) {
	e := l.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.backlog) == 0 && !e.closed {
		e.dialed.Wait()
	}
	if e.closed {
		return nil, net.ErrClosed
	}
	c := e.backlog[0]
	e.backlog = e.backlog[1:]
	return c, nil
}

// Close has nothing to do: Accept ends with the engine.
func (l memListener) Close() error { return nil }

func (l memListener) Addr() net.Addr { return memAddr{} }
