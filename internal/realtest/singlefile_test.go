// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealSingleFile has a log of one file that rotates every few seconds: what has not
// been read by then is gone, and Engine 20.10 sends a whole file again to whoever
// follows it. What a follow of that engine leaves out nobody can know.
func TestRealSingleFile(t *testing.T) {
	e := logstest.Engine(t)
	run := sideBySide(t, e, nil)
	run.each(func(row *row) { row.Slow(time.Millisecond) })
	single := dockerd.ContainerSpec{LogDriver: "json-file", LogOpts: map[string]string{"max-size": "1m", "max-file": "1"}}
	c := run.run("single", single, loggen.Options{Lines: 15_000, BurstSize: 10, BurstEvery: 10 * time.Millisecond}, "120")
	run.drained(c)
	run.each(func(row *row) {
		row.stop()
		tally := row.summary(t, "single")
		record(t, e, row.strategy, "one file of 1 MB (max-file=1), a pipeline that takes 1 ms a batch", row.seen("single", 15_000))
		assert.Zero(t, tally.Repeated, "%s: repeated", row.strategy)
		assert.Zero(t, tally.Damaged, "%s: damaged", row.strategy)
		assert.Zero(t, row.SameUID(), "%s: records that share a log.record.uid", row.strategy)
		if mayLoseInFollow(row) {
			return
		}
		places, gaps := len(tally.LostRanges), int(row.metric("gaps"))
		assert.LessOrEqual(t, places, gaps, "%s: gaps, for the places %v", row.strategy, tally.LostRanges)
		if row.strategy == dockerlogsreceiver.StrategyFile {
			return // to it each rotation may have been two, where the engine removes the file
		}
		// A rotation may fall between two reads without taking a line.
		assert.LessOrEqual(t, gaps, places+1, "%s: gaps, for the places %v", row.strategy, tally.LostRanges)
	})
}
