// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

const (
	minReopenWait = 500 * time.Millisecond
	maxReopenWait = 30 * time.Second
)

// reaction is what the end of a read asks for.
type reaction struct {
	reopen bool // the metric reopens counts it
	pause  bool // wait first, longer each time
	look   bool // inspect the container, and catch up before the next follow
	cut    bool // the stream did not thrive
}

var reactions = map[source.End]reaction{
	source.Complete:        {},
	source.Silent:          {},
	source.Busy:            {},
	source.Expired:         {reopen: true},
	source.Preempted:       {reopen: true},
	source.Dead:            {reopen: true, look: true, cut: true},
	source.Behind:          {reopen: true, look: true},
	source.StalledPipeline: {reopen: true, look: true},
	source.Ended:           {reopen: true, pause: true, look: true},
	source.EngineError:     {reopen: true, pause: true, look: true, cut: true},
	source.Failed:          {reopen: true, pause: true, look: true, cut: true},
	source.NoFile:          {},
	source.Cut:             {reopen: true, pause: true, look: true, cut: true},
}

// planner decides when and how to read next: by what was read, and by the strategy.
type planner struct {
	name     strategy.Name
	strategy strategy.Strategy
	observed strategy.Observed
	plan     strategy.Plan // the last one
	// Records that reads without following have brought since then, for the rate.
	rateSince   time.Time
	rateRecords int
	catchUpDue  bool // there may be more to read than a follow should begin with
	behind      bool // the last follow did not reach back far enough
	backoff     backoff.ExponentialBackOff
}

// restart makes the planner plan for a container that has not been read yet.
func (p *planner) restart() {
	p.backoff = newBackOff(minReopenWait, maxReopenWait)
	p.observed = strategy.Observed{First: true}
	p.plan = strategy.Plan{Follow: true}
	p.catchUpDue = true
	p.rateSince = time.Time{}
}

// newBackOff returns waits that double from the first to the longest, give or take a half.
func newBackOff(first, longest time.Duration) backoff.ExponentialBackOff {
	wait := backoff.ExponentialBackOff{
		InitialInterval: first, MaxInterval: longest, Multiplier: 2, RandomizationFactor: 0.5,
	}
	wait.Reset()
	return wait
}

// use makes a strategy the container's.
func (p *planner) use(name strategy.Name, settings strategy.Settings, files strategy.Files) {
	if name != p.name {
		p.name, p.strategy = name, strategy.New(name, settings)
	}
	if p.observed.First {
		s, ok := p.strategy.(strategy.OfFiles)
		p.plan.File = ok && s.ReadsFiles(files)
	}
}

// next returns what to do next.
func (p *planner) next(now time.Time, event, hasStream, pressure bool, files strategy.Files) strategy.Plan {
	o := &p.observed
	o.Now, o.Event, o.HasStream, o.Pressure, o.Files = now, event, hasStream, pressure, files
	p.plan = p.strategy.Next(*o)
	o.Lived, o.Cut, o.Busy, o.NoFile = 0, false, false, false // once
	return p.plan
}

// observe notes how a read went.
func (p *planner) observe(now time.Time, follow bool, r source.Result) reaction {
	react := reactions[r.End]
	o := &p.observed
	o.First, o.Records, o.Full = false, r.New, r.Full
	if follow {
		react.pause = react.pause || (p.behind && r.End == source.Behind) // no storm of requests
		p.behind = r.End == source.Behind
		o.Lived, o.Cut, o.Busy, o.Rate = r.Lived, react.cut, r.End == source.Busy, 0
		p.rateSince = time.Time{}
	} else {
		o.Rate = p.rate(now, r.New)
	}
	if r.End == source.NoFile {
		o.NoFile, p.plan.File = true, false
	}
	if r.New > 0 || r.Lived > maxReopenWait {
		p.backoff.Reset() // the engine is well
	}
	p.catchUpDue = (p.catchUpDue && r.End != source.Complete) || react.look
	return react
}

// rate returns how many records a second reads without following bring, over at least a
// second; 0 until that has passed. What the first of them brings is a backlog.
func (p *planner) rate(now time.Time, records int) float64 {
	if p.rateSince.IsZero() {
		p.rateSince, p.rateRecords = now, 0
		return 0
	}
	p.rateRecords += records
	elapsed := now.Sub(p.rateSince)
	if elapsed < time.Second {
		return 0
	}
	rate := float64(p.rateRecords) / elapsed.Seconds()
	p.rateSince, p.rateRecords = now, 0
	return rate
}
