// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package naive

import (
	"context"
	"time"
)

// stream follows. The mistake: nothing can end it. It checks between two reads whether it
// should stop, but the read of a silent container does not return, and no context cancels it.
func (c *Client) stream(id string) {
	body, err := c.logs(context.Background(), id, true, time.Time{})
	if err != nil {
		return
	}
	c.deliver(body)
	_ = body.Close()
}

// shortLived follows for a while, closes, and follows again. The mistake: it resumes from the
// clock. It never asks again for what the engine had stamped before and had not sent yet.
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

// abandoning is shortLived as written by someone who believes that a read cannot be
// interrupted: another goroutine reads, and is abandoned when its time is up. It ends with the
// container's next line, if there ever is one, and with it the two goroutines of its
// connection. That line is dropped, because the next follow has it.
func (c *Client) abandoning(id string) {
	var last time.Time
	for !c.stopped() {
		expired := make(chan struct{})
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
				case <-expired:
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
		close(expired)
		last = time.Now()
	}
}
