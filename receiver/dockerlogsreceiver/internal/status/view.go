// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"slices"
	"time"
)

// lateAfter is how far behind a container, and how old what the pipeline has not accepted, may
// be while all is well: records wait a moment for others.
const lateAfter = 5 * time.Second

// Now is what is asked for when somebody looks.
type Now struct {
	Answer
	// Clock is the engine's, zero where it is not known.
	Clock time.Time
	// Oldest has, by container, the time of the oldest record that the pipeline has not
	// accepted.
	Oldest map[string]time.Time
}

// view returns what is known of the container.
func (r *Record) view(now *Now) Container {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := Container{
		ID: r.id, Name: r.name, Image: r.image, Driver: r.driver, Running: r.running,
		State: r.state, StateSince: r.stateSince.UTC(), Reason: r.reason,
		Strategy: r.strategy, StrategyFrom: r.from, Since: r.since.UTC(),
		Records: r.records, Bytes: r.bytes,
		Reopens: r.reopens, Suppressed: r.suppressed, RateLimited: r.limited, Dropped: r.dropped, GapCount: r.gapCount, Gaps: slices.Clone(r.gaps),
	}
	if !r.since.IsZero() {
		c.Source = "api"
		if r.file {
			c.Source = "file"
		}
	}
	for i := range c.Gaps {
		c.Gaps[i].Time = c.Gaps[i].Time.UTC()
	}
	if r.newest != 0 {
		c.LastRecord = time.Unix(0, r.newest).UTC()
	}
	if r.plot != nil {
		if c.Plot = r.plot.records(now.Now); c.Plot == nil {
			r.plot = nil // a silent container takes no memory for it
		} else {
			c.RecordsPerSecond, c.BytesPerSecond = r.plot.rates(now.Now, r.since)
		}
	}
	waiting := r.waiting(now)
	c.BehindSeconds = round(max(waiting, r.unread(now)).Seconds())
	c.WaitsFor = r.waitsFor(now, waiting)
	return c
}

// waiting returns the age of the oldest record that has been read and not been accepted.
func (r *Record) waiting(now *Now) time.Duration {
	oldest, ok := now.Oldest[r.id]
	if r.handing != 0 && (!ok || r.handing < oldest.UnixNano()) {
		oldest, ok = time.Unix(0, r.handing), true
	}
	if !ok {
		return 0
	}
	return max(0, now.Clock.Sub(oldest))
}

// unread returns how old what has not been read may be: it is later than what has been.
func (r *Record) unread(now *Now) time.Duration {
	if !r.more || r.newest == 0 {
		return 0
	}
	return max(0, now.Clock.Sub(time.Unix(0, r.newest)))
}

func (r *Record) waitsFor(now *Now, waiting time.Duration) *Waits {
	w := Waits{What: r.need, Until: r.until.UTC()}
	switch {
	case r.handing != 0, waiting > 0 && now.Pipeline.State == Refusing, waiting > lateAfter:
		w = Waits{What: NeedPipeline}
	case r.slot:
		w = Waits{What: NeedSlot}
	case r.state == Following:
		w = Waits{What: NeedLines}
	}
	if w.What == "" {
		return nil
	}
	w.Text = needTexts[w.What]
	return &w
}

// detail is view with what has happened.
func (r *Record) detail(now *Now) Detail {
	d := Detail{Container: r.view(now)}
	r.mu.Lock()
	defer r.mu.Unlock()
	d.History = slices.Clone(r.history)
	for i := range d.History {
		d.History[i].Time = d.History[i].Time.UTC()
	}
	return d
}

func (t *Totals) count(c Container) {
	t.Containers++
	switch {
	case c.State == LeftOut:
		t.LeftOut++
	case c.State == Unreadable:
		t.Unreadable++
	case c.State == Ended:
		t.Ended++
	default:
		t.Captured++
	}
	if c.BehindSeconds > lateAfter.Seconds() {
		t.Behind++
	}
	if c.GapCount > 0 {
		t.Gaps++
	}
}
