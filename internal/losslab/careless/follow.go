// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package careless

import (
	"context"
	"time"
)

// stream follows. The flaw: nobody can end it. It looks whether it should stop between two reads, but a read of a
// container that is silent does not return, and there is no context to cancel.
func (c *Client) stream(id string) {
	body, err := c.logs(context.Background(), id, true, time.Time{})
	if err != nil {
		return
	}
	c.deliver(body)
	_ = body.Close()
}

// shortLived follows for a while, closes, and follows again. The flaw: it goes on from the time that it is then. What
// the engine had stamped before that and had not sent yet is not asked for again.
func (c *Client) shortLived(id string) {
	var last time.Time
	for !c.stopped() {
		ctx, cancel := context.WithTimeout(c.ctx, c.cfg.Lifetime)
		body, err := c.logs(ctx, id, true, last)
		if err == nil {
			c.deliver(body)
			_ = body.Close()
		}
		cancel()
		last = time.Now()
		if err != nil && !c.wait(time.Second) {
			return
		}
	}
}

// abandoning is shortLived written by who believes that a read cannot be interrupted: it reads in another goroutine, and
// when the time is up it lets go of it. That one ends with the next line of its container, if there ever is one, and
// with it the connection's two. The line is dropped: the next follow has it.
func (c *Client) abandoning(id string) {
	var last time.Time
	for !c.stopped() {
		life := make(chan struct{})
		go func(since time.Time) {
			body, err := c.logs(context.Background(), id, true, since)
			if err != nil {
				return
			}
			defer func() { _ = body.Close() }()
			frames := NewFrames(body)
			for {
				line, err := frames.Next()
				if err != nil {
					return
				}
				select {
				case <-life:
					return
				case <-c.stopping:
					return
				default:
					c.cfg.Deliver(line.Body, line.Stderr, line.Stamp)
				}
			}
		}(last)
		if !c.wait(c.cfg.Lifetime) {
			return
		}
		close(life)
		last = time.Now()
	}
}

// wait is false if the client was stopped meanwhile.
func (c *Client) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.stopping:
		return false
	}
}
