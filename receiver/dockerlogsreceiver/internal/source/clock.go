// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"io"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// clockSlack is more than what two looks at an engine's clock differ by, which tells whole
// seconds, and than the streams of a container overtake one another by.
const clockSlack = 3 * time.Second

// clock is for logs that are read by seconds. Once the engine's clock has been set back,
// what a container writes bears earlier times than what is known of its log.
type clock struct {
	low  time.Time // what has not been read yet is no earlier, if the clock has not been set back since
	then time.Time // the engine's clock when low was noted
	at   time.Time // ours, of which only what passes is used: nobody sets that
}

// note remembers that what has not been read yet is no earlier than low, which the engine's
// clock has shown by now.
func (c *clock) note(low, now time.Time) {
	if now.Before(low) {
		now = low
	}
	c.low, c.then, c.at = low, now, time.Now()
}

// earliest returns a time before all that has not been read yet.
func (c *clock) earliest(now time.Time) time.Time {
	setBack := c.then.Add(time.Since(c.at)).Sub(now)
	if setBack < clockSlack {
		setBack = 0
	}
	return c.low.Add(-clockSlack - setBack)
}

// since is the time from which on a read has to ask for the log, a whole second in
// nanoseconds since the epoch; 0 for all of it.
func (r *reading) since() int64 {
	if !r.engine.BySeconds() || r.pos.Empty() {
		return 0
	}
	since := r.pos.Since()
	if now := r.engine.Client.Now(); !r.clock.low.IsZero() && !now.IsZero() {
		since = min(since, r.clock.earliest(now).UnixNano())
	}
	const second = int64(time.Second)
	return max(since/second, 1) * second
}

// open asks for the log. The answer also tells the engine's clock: where that has been set
// back it is asked again, from earlier on.
func (r *reading) open(ctx context.Context, query engine.LogsQuery) (io.ReadCloser, error) {
	for {
		body, err := r.engine.Client.Logs(ctx, r.id, query)
		if err != nil || query.Since == 0 || !r.engine.BySeconds() {
			return body, err
		}
		since := r.since()
		if since+int64(clockSlack) > query.Since {
			return body, nil
		}
		_ = body.Close()
		query.Since = since
	}
}
