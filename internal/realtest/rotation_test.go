// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealRotation follows a container whose log rotates every second or so.
// Engine 20.10 repeats records at a rotation; each line must arrive once. Where the
// machine does not let the lines be written evenly the engine loses some itself, and where
// it does not let them be read in time they are rotated away, each place a counted gap, so
// that another attempt is made.
func TestRealRotation(t *testing.T) {
	e := logstest.Engine(t)
	for attempt := range 3 {
		if rotationIsExact(t, e, fmt.Sprint("rotated-", attempt)) {
			return
		}
	}
	t.Skip("the machine is too slow: the lines came in bursts, at which the engine loses some itself, or were read too late")
}

// rotationIsExact reports whether the lines were written as evenly as they should and read
// before they were rotated away; if so, it has checked them.
func rotationIsExact(t *testing.T, e *dockerd.Engine, name string) bool {
	t.Helper()
	o := loggen.Options{Source: name, Lines: 60_000, Rate: 5_000}
	r := start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
		cfg.Include = []dockerlogsreceiver.Match{{Name: name}}
	})
	spec := rotating
	report := reported(t, &spec)
	r.expect(o)
	c := runLoggen(t, e, o, spec)
	r.drained(t, c)
	r.stop()
	repeats := r.metric("duplicates_suppressed", "reason=repeat")
	tally := r.lines.Tallies()[o.Source]
	t.Logf("%d lines, %d lost, %d repeated; suppressed: %d sent twice by the engine, %d read again; %d reopens, %d gaps, %d deliveries",
		tally.Seen, tally.Lost, tally.Repeated, repeats, r.metric("duplicates_suppressed", "reason=overlap"),
		r.metric("reopens"), r.metric("gaps"), r.Calls())
	if !report().KeptRate {
		return false
	}
	assert.Zero(t, tally.Repeated)
	if places := len(tally.LostRanges); places > 0 && places == r.gapsOf(name) {
		return false
	}
	record(t, e, dockerlogsreceiver.StrategyAdaptive, "files of 1 MB rotate, at 5,000 lines/s", r.seen(name, int(o.Lines)))
	r.exact(t)
	return true
}
