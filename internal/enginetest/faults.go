// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"fmt"
	"net"
	"time"
)

// Faults are what goes wrong with log streams. The zero value is an honest engine.
type Faults struct {
	// Status answers a request for logs with this status and Message instead of a stream.
	Status  int
	Message string
	// CutAfter cuts the connection of a log stream after so many bytes of its body, be it inside a frame; 0 does not.
	CutAfter int64
	// CutCleanly ends the body there in a proper way, as some proxies do, instead of closing the connection.
	CutCleanly bool
	// WithholdHeaders sends the header of a log stream only with its first record. Among the engine's faults it does the same
	// with event streams.
	WithholdHeaders bool
	// Stall lets a follow deliver what the log held when it was opened, or when the fault was set if that was later, and never
	// anything newer. A follow that has stalled does not recover when the fault is lifted.
	Stall bool
	// HangTail never answers a request with a tail beyond the header while the container runs, and stalls the follows that are
	// open, as Engine 28 does after a json-file was emptied by hand.
	HangTail bool
	// ReadOn lets a read without following deliver so many records more than its tail asks for, as of a journal, which is read
	// to an end that moves: that many were written between the choice of the tail and the end. It is called with the engine's lock.
	ReadOn func() int
	// LoseWrites keeps what is written from the follows that are open. A later read has it.
	LoseWrites bool
	// RepeatAtRotation lets the open follows deliver the newest so many records again when the log rotates.
	RepeatAtRotation int
	// SkipAtRotation lets the open follows lose what they have not delivered of what a rotation drops.
	SkipAtRotation bool
}

// SetFaults sets the faults of all log streams of containers that have none of their own.
func (e *Engine) SetFaults(f Faults) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.faults = f
	for _, c := range e.containers {
		c.stall()
	}
}

// SetFaults sets the faults of the container's log streams, in place of the engine's: Faults{} makes it honest.
func (c *Container) SetFaults(f Faults) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.faults = &f
	c.stall()
}

// fault returns the faults that hold for the container. mu is held.
func (c *Container) fault() Faults {
	if c.faults != nil {
		return *c.faults
	}
	return c.engine.faults
}

// stall stalls the open follows, if that is among the faults. mu is held.
func (c *Container) stall() {
	if c.fault().Stall || c.fault().HangTail {
		for f := range c.follows {
			f.stalled = true
		}
	}
}

// SetLatency delays every answer by what latency says for the request; nil does not. It is called without the engine's lock.
func (e *Engine) SetLatency(latency func(Request) time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.latency = latency
}

// Down lets the daemon die: open connections are cut, new ones refused, and the events of the past forgotten. The containers
// live on, and go on logging.
func (e *Engine) Down() {
	e.mu.Lock()
	e.down = true
	e.ring = nil
	e.mu.Unlock()
	e.cutAll()
}

// Up undoes Down, on the same sockets.
func (e *Engine) Up() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.down || e.closed {
		return
	}
	e.down = false
	for _, s := range e.sockets {
		if err := e.listen(s); err != nil {
			panic(fmt.Sprintf("enginetest: listen again on %s: %v", s.path, err))
		}
	}
}

// Freeze stops the daemon as SIGSTOP does: connections are accepted, nothing is read and nothing is sent.
func (e *Engine) Freeze() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frozen = true
}

// Thaw undoes Freeze. What was asked for meanwhile is answered now.
func (e *Engine) Thaw() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frozen = false
	e.changed.Broadcast()
}

// HalfOpen makes every open connection a dead one that nobody has told the client of: it stays open and carries nothing any
// more, in neither direction. New connections work.
func (e *Engine) HalfOpen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.conns {
		c.halfOpen = true
	}
}

// CutFollows closes the connections of all open follows.
func (e *Engine) CutFollows() {
	e.mu.Lock()
	var cut []net.Conn
	for _, c := range e.containers {
		for f := range c.follows {
			cut = append(cut, f.conn)
		}
	}
	e.mu.Unlock()
	closeAll(cut)
}

// CutFollows closes the connections of the container's open follows.
func (c *Container) CutFollows() {
	c.engine.mu.Lock()
	var cut []net.Conn
	for f := range c.follows {
		cut = append(cut, f.conn)
	}
	c.engine.mu.Unlock()
	closeAll(cut)
}

// CutEvents closes the connections of all event streams.
func (e *Engine) CutEvents() {
	e.mu.Lock()
	var cut []net.Conn
	for s := range e.subscribers {
		cut = append(cut, s.conn)
	}
	e.mu.Unlock()
	closeAll(cut)
}

// DropEvents keeps events from all subscribers while it is on, as the engine does with slow ones. They can still be replayed.
func (e *Engine) DropEvents(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.dropEvents = on
}

// DenyEvents answers subscriptions to events with a 403 while it is on, as a proxy before the engine may.
func (e *Engine) DenyEvents(on bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.denyEvents = on
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}
