// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package naive

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

const (
	pollTimeout    = 3 * time.Second
	bufferInterval = 2 * time.Second
)

// poll reads what is new at an interval. The mistakes: it resumes from the time when it has
// processed a read, but the engine answers with the log as it was when it was asked, so that
// it never asks for what was written in between; it asks by time alone, so that the engine
// reads the whole log each time, which takes ever longer; and it never asks again for what it
// could not read within the timeout.
func (c *Client) poll(id string, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last time.Time
	for c.tick(ticker) {
		data, err := c.readAll(id, last)
		if err != nil {
			continue
		}
		c.deliver(bytes.NewReader(data))
		last = time.Now()
	}
}

// readAll is one poll. It takes whatever it could read for everything there was.
func (c *Client) readAll(id string, since time.Time) ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.ctx, pollTimeout)
	defer cancel()
	body, err := c.logs(ctx, id, false, since)
	if err != nil {
		return nil, err
	}
	data, _ := io.ReadAll(body)
	_ = body.Close()
	return data, nil
}

// tick reports false if the client was stopped.
func (c *Client) tick(ticker *time.Ticker) bool {
	select {
	case <-ticker.C:
		return true
	case <-c.stopping:
		return false
	}
}

// buffer holds the lines of one container that were read and not processed yet.
type buffer struct {
	mu      sync.Mutex
	entries []Line
	last    time.Time
}

// pollIntoBuffer reads every 2 s from the time of its last line. The mistakes: that time is
// inclusive, so that each poll repeats the last line; it never asks for a line that the engine
// stamped before that time and wrote after it; and nothing bounds the buffer, or the number of
// goroutines that empty it, when the pipeline is slow.
func (c *Client) pollIntoBuffer(id string) {
	ticker := time.NewTicker(bufferInterval)
	defer ticker.Stop()
	b := &buffer{}
	for c.tick(ticker) {
		data, err := c.readAll(id, b.last)
		if err != nil {
			continue
		}
		entries := parse(data)
		b.mu.Lock()
		b.entries = append(b.entries, entries...)
		if len(entries) > 0 {
			b.last = entries[len(entries)-1].Stamp
		}
		b.mu.Unlock()
		go c.process(b)
	}
}

func parse(data []byte) (entries []Line) {
	frames := NewFrames(bytes.NewReader(data))
	for {
		entry, err := frames.Next()
		if err != nil {
			return entries
		}
		entry.Body = bytes.Clone(entry.Body)
		entries = append(entries, entry)
	}
}

// process delivers what is in the buffer.
func (c *Client) process(b *buffer) {
	b.mu.Lock()
	entries := b.entries
	b.entries = nil
	b.mu.Unlock()
	for _, entry := range entries {
		c.cfg.Deliver(entry.Body, entry.Stderr, entry.Stamp)
	}
}
