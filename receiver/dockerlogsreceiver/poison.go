// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"io"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// poison is a record that the engine cannot read, and at which it ends every stream
// that comes to it. What is behind it can be read, with a tail that does not reach
// so far back.
type poison struct {
	stops int  // streams in a row that an error of the engine ended before anything new
	found bool // there is one
	after int  // how many records, as tail counts, are certainly behind it
}

// poisonStops is how many streams have to end so before the record is given up.
const poisonStops = 3

// limit shortens a tail so that it does not reach a poison record. It is false where
// nothing is behind that.
func (p *poison) limit(tail int) (int, bool) {
	if !p.found {
		return tail, true
	}
	if tail == 0 || tail > p.after {
		tail = p.after
	}
	return tail, tail > 0
}

// stopped takes note of how a read ended, and tells whether it is time to give up.
func (p *poison) stopped(err error, news int) bool {
	var said *stream.EngineError
	switch {
	case news > 0:
		p.stops = 0
	case errors.As(err, &said):
		p.stops++
	}
	return p.stops >= poisonStops
}

// skipPoison finds how far back the log can be read and goes on from there.
func (c *capture) skipPoison(ctx context.Context) error {
	c.poison.stops = 0
	good, reached := 0, false // a tail that can be read, and whether it reaches what is known
	bad := 0                  // one that cannot
	for n := 1; bad == 0 && n <= maxTail; n *= 2 {
		clean, known, err := c.probe(ctx, n)
		switch {
		case err != nil:
			return err
		case !clean:
			bad = n
		default:
			good, reached = n, known
		}
	}
	for bad-good > 1 {
		n := (good + bad) / 2
		clean, known, err := c.probe(ctx, n)
		if err != nil {
			return err
		}
		if clean {
			good, reached = n, known
		} else {
			bad = n
		}
	}
	if bad == 0 {
		c.poison = poison{} // it is gone
		return nil
	}
	again := c.poison.found && good <= c.poison.after
	c.poison.found, c.poison.after = true, good
	if again || reached {
		return nil
	}
	c.r.countGap("unreadable_record")
	c.log().Warn("a record of this container's log cannot be read by the engine, it is passed over with what may be lost around it; "+
		"the engine's own log says why", zap.String("driver", c.details.Driver))
	c.pos.forget()
	return nil
}

// probe reads the last tail records and delivers nothing. clean tells that the engine
// came to the end, known that a record is among them which has been accepted.
func (c *capture) probe(ctx context.Context, tail int) (clean, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, stuckAfter)
	defer cancel()
	body, err := c.r.engine.Logs(ctx, c.id, engine.LogsQuery{Tail: tail})
	if err != nil {
		return false, false, c.opened(ctx, err)
	}
	defer func() { _ = body.Close() }()
	records := c.r.getReader(body, c.details.TTY, false)
	defer c.r.putReader(records, false)
	seen := c.pos.read(tail, false)
	for {
		rec, err := records.Next()
		var said *stream.EngineError
		switch {
		case err == nil:
			known = seen.find(markOf(rec), rec.Coarse) || known
		case err == io.EOF:
			return true, known, nil
		case errors.As(err, &said):
			return false, known, nil
		default:
			return false, known, err
		}
	}
}
