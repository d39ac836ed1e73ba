// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// pipe returns the two ends of an in-memory connection. Unlike net.Pipe's, each direction is buffered, as a socket is. Whoever
// waits does so on a sync.Cond, so a goroutine in a synctest bubble blocks durably.
func pipe(bufferSize int) (client, server net.Conn) {
	up, down := newHalf(bufferSize), newHalf(bufferSize)
	return &memConn{in: down, out: up}, &memConn{in: up, out: down}
}

// memConn is one end of a pipe.
type memConn struct{ in, out *half }

func (c *memConn) Read(b []byte) (int, error)  { return c.in.read(b) }
func (c *memConn) Write(b []byte) (int, error) { return c.out.write(b) }

// Close lets the other end read what is buffered, and then EOF.
func (c *memConn) Close() error {
	c.in.close(&c.in.readerGone)
	c.out.close(&c.out.writerGone)
	return nil
}

func (c *memConn) LocalAddr() net.Addr  { return memAddr{} }
func (c *memConn) RemoteAddr() net.Addr { return memAddr{} }

func (c *memConn) SetDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

func (c *memConn) SetReadDeadline(t time.Time) error {
	c.in.setDeadline(&c.in.readBy, t)
	return nil
}

func (c *memConn) SetWriteDeadline(t time.Time) error {
	c.out.setDeadline(&c.out.writeBy, t)
	return nil
}

// memAddr is the address of every in-memory connection.
type memAddr struct{}

func (memAddr) Network() string { return "memory" }
func (memAddr) String() string  { return "enginetest" }

// half is one direction of a pipe.
type half struct {
	mu         sync.Mutex // guards everything below
	changed    *sync.Cond
	buf        []byte
	limit      int // of len(buf)
	writerGone bool
	readerGone bool
	readBy     deadline
	writeBy    deadline
}

// deadline is a deadline of one side of a half.
type deadline struct {
	at    time.Time
	timer *time.Timer // wakes whoever waits at that time
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func newHalf(limit int) *half {
	h := &half{limit: limit}
	h.changed = sync.NewCond(&h.mu)
	return h
}

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.readerGone:
			return 0, net.ErrClosed
		case h.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case len(h.buf) > 0:
			n := copy(b, h.buf)
			h.buf = h.buf[n:]
			h.changed.Broadcast()
			return n, nil
		case h.writerGone:
			return 0, io.EOF
		}
		h.changed.Wait()
	}
}

func (h *half) write(b []byte) (written int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.writerGone:
			return written, net.ErrClosed
		case h.readerGone:
			return written, io.ErrClosedPipe
		case h.writeBy.passed():
			return written, os.ErrDeadlineExceeded
		}
		n := min(len(b)-written, h.limit-len(h.buf))
		if n > 0 {
			h.buf = append(h.buf, b[written:written+n]...)
			written += n
			h.changed.Broadcast()
		}
		if written == len(b) {
			return written, nil
		}
		h.changed.Wait()
	}
}

// close marks one side as gone, wakes both, and lets no timer outlive the connection.
func (h *half) close(side *bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*side = true
	for _, d := range []*deadline{&h.readBy, &h.writeBy} {
		if d.timer != nil {
			d.timer.Stop()
		}
	}
	if h.readerGone {
		h.buf = nil
	}
	h.changed.Broadcast()
}

func (h *half) setDeadline(d *deadline, t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if !t.IsZero() && !d.passed() && !h.writerGone && !h.readerGone { // with one side gone nobody waits any more
		d.timer = time.AfterFunc(time.Until(t), func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.changed.Broadcast()
		})
	}
	h.changed.Broadcast()
}
