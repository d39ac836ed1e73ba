// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// log is made when it is needed: a logger of its own is a good part of what an idle
// container takes.
func (c *capture) log() *zap.Logger {
	return c.r.set.Logger.With(zap.String("container.id", c.id), zap.String("container.name", c.details.Name))
}

// inspect learns what the container is now, and whether it is still selected.
func (c *capture) inspect(ctx context.Context) error {
	if !c.r.acquire(ctx) {
		return ctx.Err()
	}
	defer c.r.release()
	err := c.learn(ctx)
	var done ended
	if errors.As(err, &done) && done.why == endRemoved {
		c.removed(ctx)
	}
	return err
}

// refresh learns the container's new name, among others, before a batch goes out that
// should bear it, if something has happened since the last look. What is being read is
// still the run that began before.
func (c *capture) refresh(ctx context.Context) error {
	if !c.poked() {
		return nil
	}
	c.look = true
	run := c.details
	err := c.learn(ctx)
	c.details.Running, c.details.StartedAt, c.details.FinishedAt = run.Running, run.StartedAt, run.FinishedAt
	var done ended
	if errors.As(err, &done) && done.why == endExcluded {
		return err
	}
	return nil // an engine that does not answer, or has removed it, ends the read too
}

func (c *capture) learn(ctx context.Context) error {
	details, err := c.r.engine.Inspect(ctx, c.id)
	switch {
	case engine.IsNotFound(err):
		return ended{endRemoved}
	case err != nil:
		return &openError{err}
	case !c.r.selected(details.Summary):
		return ended{endExcluded}
	}
	c.wanted.Store(true)
	c.resource = resourceOf(c.r.cfg, *c.r.info.Load(), details)
	chosen, err := c.r.selector.strategyFor(details.Summary)
	if err != nil && c.strategy == nil {
		c.log().Warn("this container's label does not name a strategy, the configured one is used",
			zap.String("strategy", string(chosen)), zap.Error(err))
	}
	details.Labels, details.Env = nil, nil // kept in the resource as far as they are wanted
	c.details = details
	return c.adopt(chosen)
}

// adopt makes a strategy the container's, at the start or after a rename.
func (c *capture) adopt(chosen Strategy) error {
	if c.strategy != nil && chosen == c.name && (c.buffer != nil) == (chosen == StrategyHybrid) {
		return nil
	}
	if c.buffer != nil {
		if err := c.buffer.flush(); err != nil {
			return err
		}
		c.collect()
		c.buffer = nil
	}
	state := c.state
	c.setState(stateNone)
	c.name, c.strategy = chosen, newStrategy(c.r.cfg, chosen)
	c.adaptive.Store(chosen == StrategyAdaptive)
	c.setState(state)
	if chosen == StrategyHybrid {
		stopping := c.r.reading.Done()
		c.buffer = newBuffer(int(c.r.cfg.Hybrid.BufferSize), func(b *batch) error {
			if err := c.r.deliver(c.r.delivering, stopping, b); err != nil {
				return err
			}
			c.save(b.marks)
			c.r.putBatch(b)
			return nil
		}, c.r.countBuffered)
		c.buffer.labels = c.r.labels(c.id, "deliver")
	}
	return nil
}

// collect moves the position behind what the buffer has delivered.
func (c *capture) collect() { c.pos.commit(c.buffer.collect()) }

// changed tells of a change between streaming and polling in adaptive.
func (c *capture) changed(fallback string) {
	if fallback == c.fallback {
		return
	}
	c.fallback = fallback
	now, reason := "polling", fallback
	if fallback == "" {
		now, reason = "streaming", "recovered"
	}
	c.r.countChange(now, reason)
	c.log().Debug("adaptive changes how this container is read", zap.String("to", now), zap.String("reason", reason))
}
