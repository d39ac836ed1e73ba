// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package careless

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"
)

const (
	// readLimit is how long a poll may take.
	readLimit = 3 * time.Second
	// bufferInterval is that of the client with a buffer.
	bufferInterval = 2 * time.Second
)

// poll reads all that is new every so often. The flaws: it goes on from the time that it is when it has processed what
// it read, but the engine answers with the log as it was when it was asked, so that what was written since then is never
// asked for; as it asks by time alone, the engine reads the whole log each time, which takes ever longer; and what it
// cannot read within the limit it does not ask for again either.
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

// readAll is one poll. It takes what it got for all there was.
func (c *Client) readAll(id string, since time.Time) ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.ctx, readLimit)
	defer cancel()
	body, err := c.logs(ctx, id, false, since)
	if err != nil {
		return nil, err
	}
	data, _ := io.ReadAll(body)
	_ = body.Close()
	return data, nil
}

// tick is false if the client was stopped.
func (c *Client) tick(ticker *time.Ticker) bool {
	select {
	case <-ticker.C:
		return true
	case <-c.stopping:
		return false
	}
}

// buffer holds what has been read of one container and not been processed.
type buffer struct {
	mu      sync.Mutex
	entries []Line
	last    time.Time
}

// pollIntoBuffer reads every 2 s from the time of the last line that it has. The flaws: that time is inclusive, so that
// each poll brings the last line again; a line that the engine stamped before it and wrote after it is never asked for;
// and nothing bounds the buffer, or the number of goroutines that empty it, when the pipeline is slow.
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

// process gives what is in the buffer to the pipeline.
func (c *Client) process(b *buffer) {
	b.mu.Lock()
	entries := b.entries
	b.entries = nil
	b.mu.Unlock()
	for _, entry := range entries {
		c.cfg.Deliver(entry.Body, entry.Stderr, entry.Stamp)
	}
}
