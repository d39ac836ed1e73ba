// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"bytes"
	"context"
	"math"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// finish delivers lines without a line end, where they will get none: those of an
// earlier run of the container, and all of them where it has not run since before the
// read began. The end of a follow says nothing of the kind: Engine 20.10 may end one
// in the middle of a line when the container ends.
func (c *capture) finish(ctx context.Context, records *stream.Reader, seen *continuity, w *watch, followed bool) error {
	if !records.Pending() || !seen.proven {
		return nil
	}
	// StartedAt would not do: the engine notes it when the container writes already.
	before := int64(math.MinInt64)
	if ended := c.details.FinishedAt; !ended.IsZero() {
		before = ended.UnixNano()
	}
	if !followed && !c.details.Running {
		over, err := c.stillStopped(ctx)
		if err != nil {
			return err
		}
		if over {
			before = math.MaxInt64
		}
	}
	for rec, ok := records.Flush(before); ok; rec, ok = records.Flush(before) {
		if !c.admit(seen, rec, records.Frames()) {
			return nil
		}
	}
	if c.batch != nil {
		if err := c.deliver(ctx, w); err != nil {
			return err
		}
	}
	for rec, ok := records.Flush(math.MaxInt64); ok; rec, ok = records.Flush(math.MaxInt64) {
		if seen.judge(rec, markOf(rec)) == fresh {
			rec.Body = bytes.Clone(rec.Body)
			c.parting = append(c.parting, rec)
		}
	}
	return nil
}

// stillStopped tells whether a container that did not run when it was last looked at
// has not been started since.
func (c *capture) stillStopped(ctx context.Context) (bool, error) {
	now, err := c.r.engine.Inspect(ctx, c.id)
	switch {
	case engine.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, &openError{err}
	}
	return !now.Running && now.StartedAt.Equal(c.details.StartedAt), nil
}

// lastWords delivers what was left without a line end of a container that is gone.
func (c *capture) lastWords(ctx context.Context) {
	for _, rec := range c.parting {
		c.take(rec, markOf(rec))
	}
	c.parting = nil
	if c.batch == nil {
		return
	}
	if err := c.deliver(ctx, &watch{}); err != nil {
		c.log().Debug("the last words are not delivered, because the receiver stops", zap.Error(err))
	}
	c.discard()
}
