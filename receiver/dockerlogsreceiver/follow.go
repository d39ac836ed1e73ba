// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// catchUp reads what the log holds that is new, without following it.
func (c *capture) catchUp(ctx context.Context) error {
	if !c.r.acquire(ctx) {
		return ctx.Err()
	}
	c.slot = true
	defer func() {
		if c.slot {
			c.slot = false
			c.r.release()
		}
	}()
	c.setState(stateReading)
	c.seen.begin()
	for tail := c.tail(); ; {
		limited, ok := c.poison.limit(tail)
		if !ok {
			if err := c.skipPoison(ctx); err != nil {
				return err
			}
			if limited, ok = c.poison.limit(tail); !ok {
				return errPoisoned
			}
		}
		result, err := c.read(ctx, engine.LogsQuery{Tail: limited, Since: c.since()}, 0)
		if c.poison.stopped(err, c.seen.records) {
			if err := c.skipPoison(ctx); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		switch {
		case result == complete:
			c.behind, c.atEnd = false, !c.details.Running
			c.poison.stops = 0
			if c.seen.records == 0 {
				c.pos.relax()
			}
			return nil
		case result == gap:
			c.missing()
			tail = 0
		case limited != tail:
			// By now there may be more behind the poison record than we know of.
			before := c.poison.after
			if err := c.skipPoison(ctx); err != nil {
				return err
			}
			if c.poison.found && c.poison.after <= before {
				c.missing()
				tail = 0
			}
		default:
			if tail *= tailGrowth; tail > maxTail || c.pos.blank() {
				tail = 0
			}
		}
	}
}

// missing takes note that the log holds nothing any more of what is known.
func (c *capture) missing() {
	c.r.countGap("rotated")
	c.log().Warn("lines of this container may be missing: the engine has rotated away all that had been read before; "+
		"raise max-size and max-file of the container's log driver", zap.String("driver", c.details.Driver))
	c.pos.forget()
}

// follow reads the log as it is written, for life or, if that is 0, as long as it goes.
// It returns why it ended.
func (c *capture) follow(ctx context.Context, life time.Duration) error {
	tail, ok := c.poison.limit(c.tail())
	if !ok {
		return errPoisoned
	}
	c.setState(stateFollowing)
	c.seen.begin()
	began := time.Now()
	result, err := c.read(ctx, engine.LogsQuery{Tail: tail, Since: c.since(), Follow: true}, life)
	switch {
	case errors.Is(err, errSilent):
		err = c.check(ctx)
	case err == nil && result == short:
		err = errBehind
		c.reach = min(max(tailGrowth*tail, c.reach), maxTail)
	case err == nil:
		err = errEnded
	}
	if !errors.Is(err, errBehind) {
		c.reach = 0
	}
	c.atEnd = errors.Is(err, errEnded)
	if c.seen.records > 0 {
		c.silence = minSilence
	} else {
		c.pos.relax()
	}
	if time.Since(began) > maxReopenWait {
		c.wait.Reset()
	}
	c.seen.lived, c.seen.cut = time.Since(began), reasonOf(err).cut
	return err
}

// check asks the engine whether the container has really been as silent as the follow
// that has just been closed.
func (c *capture) check(ctx context.Context) error {
	c.setState(stateReading)
	c.silence = min(2*c.silence, maxSilence)
	_, known, err := c.probe(ctx, 1)
	switch {
	case err != nil:
		return err
	case known:
		return errSilent
	}
	// There is something new; or nothing at all, and then this read shows it.
	if err := c.catchUp(ctx); err != nil {
		return err
	}
	if c.seen.records > 0 {
		return errDead
	}
	return errSilent
}

// tail is how many records from the log's end a read has to ask for: those that we
// know it by, and those that are to be expected since.
func (c *capture) tail() int {
	if c.pos.blank() || c.bySeconds() {
		return 0
	}
	return max(overlap+c.rate.expect(time.Now()), c.reach)
}

// since is the second from which on a read has to ask for the log, 0 for all of it.
func (c *capture) since() int64 {
	if !c.bySeconds() || len(c.pos.marks) == 0 {
		return 0
	}
	return c.pos.oldest() / int64(time.Second)
}

// bySeconds tells that a read begins at a second and not at a number of records before
// the end. Podman's tail joins the chunks of different long lines. Nor could it be told
// there which of the equal lines of a second are known, had the tail cut some off.
func (c *capture) bySeconds() bool { return c.r.info.Load().Runtime == "podman" }
