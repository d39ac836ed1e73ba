// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	// limitedInterval is the time between two reads of a container that exceeds its limit
	// and would be followed otherwise.
	limitedInterval = time.Second
	// An episode of drops is over when nothing has been dropped for the first of these, or
	// when it has lasted for the second.
	episodeGap = 10 * time.Second
	maxEpisode = time.Minute
)

// limiter holds a container to its rate limit. Its capture's goroutine alone uses it. A nil
// one limits nothing.
//
// What is delayed is counted when it goes on to the pipeline, and what may be dropped by the
// times at which the engine received it: a container that keeps to its limit loses nothing,
// however seldom it is read.
type limiter struct {
	limit  selector.RateLimit
	bucket *rate.Limiter
	newest time.Time // of the records, where they may be dropped
	drops  episode
}

// episode is a time in which records were dropped.
type episode struct {
	records     int
	first, last position.ID
}

// newLimiter returns the limiter of a container, nil where it has no limit.
func newLimiter(limit selector.RateLimit) *limiter {
	if !limit.Set() {
		return nil
	}
	return &limiter{limit: limit, bucket: rate.NewLimiter(rate.Limit(limit.RecordsPerSecond), limit.Bucket())}
}

// drop reports whether a record is to be dropped, and notes that.
func (l *limiter) drop(id position.ID) bool {
	if l == nil || !l.limit.Drops() {
		return false
	}
	switch at := time.Unix(0, id.Time); {
	case at.After(l.newest):
		l.newest = at
	case l.newest.Sub(at) > stream.Overtaking: // the clock has been set back
		l.newest = at
		l.bucket.SetLimitAt(at, l.bucket.Limit()) // else it would not fill until then
	}
	if l.bucket.AllowN(l.newest, 1) {
		return false
	}
	if l.drops.records == 0 {
		l.drops.first = id
	}
	l.drops.records++
	l.drops.last = id
	return true
}

// full reports whether n records are as many as may go on together. Of a follow that is what
// may go on now: it has to end before it must wait.
func (l *limiter) full(n int, following bool) bool {
	switch {
	case l == nil || l.limit.Drops():
		return false
	case following:
		return float64(n) > l.bucket.TokensAt(time.Now())
	default:
		return n >= l.bucket.Burst()
	}
}

// take counts n records that are to go on, and returns how long they have to wait.
func (l *limiter) take(n int) (wait time.Duration) {
	if l == nil || l.limit.Drops() {
		return 0
	}
	now, burst := time.Now(), l.bucket.Burst()
	for ; n > 0; n -= burst {
		wait = l.bucket.ReserveN(now, min(n, burst)).DelayFrom(now)
	}
	return wait
}

// adjust makes a plan one that suits a container which exceeds its limit: it is not followed
// before it has kept to it for a while, and does not rest while drops are to be reported.
func (l *limiter) adjust(plan strategy.Plan) strategy.Plan {
	switch {
	case l == nil:
	case plan.Rest && l.drops.records > 0:
		plan.Rest, plan.Wait = false, limitedInterval
	case plan.Follow && l.exceeded():
		plan = strategy.Plan{Wait: limitedInterval, Fallback: plan.Fallback}
	}
	return plan
}

func (l *limiter) exceeded() bool {
	if l.limit.Drops() {
		return l.drops.records > 0
	}
	return l.bucket.TokensAt(time.Now()) < float64(l.bucket.Burst())/2
}

// over returns the episode that has ended by now, if there is one; at the last all have.
func (l *limiter) over(now time.Time, last bool) (episode, bool) {
	if l == nil || l.drops.records == 0 {
		return episode{}, false
	}
	e := l.drops
	if !last && now.Sub(time.Unix(0, e.last.Time)) < episodeGap && now.Sub(time.Unix(0, e.first.Time)) < maxEpisode {
		return episode{}, false
	}
	l.drops = episode{}
	return e, true
}

// useLimit makes the target's rate limit the capture's.
func (c *capture) useLimit() {
	if limit := c.target.chosen.RateLimit; c.limit == nil || c.limit.limit != limit {
		c.reportDrops(c.r.reading, true)
		c.limit = newLimiter(limit)
	}
}

// slowDown waits until the records of a batch may go on. What a follow brings goes on at once
// and is paid for by the next read: a follow that is not read makes the engine skip whole files.
func (c *capture) slowDown(ctx context.Context, b *batch.Batch) error {
	wait := c.limit.take(b.Len())
	if c.link.follows() {
		if wait > 0 || b.Skipped > 0 {
			return source.ErrBusy
		}
		return nil
	}
	if wait <= 0 {
		return nil
	}
	state := c.counted.state
	c.setState(stateDelayed)
	c.link.status.Wait(status.NeedRateLimit, time.Now().Add(wait))
	defer c.setState(state)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reportDrops delivers and logs how many records were dropped in an episode that is over. last
// is set where there will be no other call.
func (c *capture) reportDrops(ctx context.Context, last bool) {
	e, ok := c.limit.over(c.r.engine.Now(), last)
	if !ok || c.target.origin == nil {
		return
	}
	limit := c.limit.limit
	c.target.logger().Warn("records of this container were dropped: it wrote more than its rate limit",
		zap.Int("records", e.records), zap.Float64("records_per_second", limit.RecordsPerSecond), zap.String("remedy", remedyRateLimit))
	b := c.r.outbox.batch()
	b.Origin = c.target.origin
	b.AddNote(batch.Note{
		Time: e.last.Time, Severity: plog.SeverityNumberWarn, EventName: eventRateLimited,
		UID:  batch.NoteUID(c.target.id, eventRateLimited, e.last),
		Body: fmt.Sprintf("%d records of this container were dropped: it wrote more than its rate limit of %v records per second", e.records, limit.RecordsPerSecond),
		Attributes: map[string]any{
			"docker_logs.rate_limit.dropped_records":    int64(e.records),
			"docker_logs.rate_limit.records_per_second": limit.RecordsPerSecond,
		},
	})
	if err := c.r.outbox.put(ctx, b, c.source, nil); err != nil {
		c.target.logger().Debug("what was dropped is reported while the receiver stops", zap.Error(err))
	}
}

// eventRateLimited is the event.name of a record that says how many others were dropped.
const eventRateLimited = "docker_logs.rate_limit.exceeded"
