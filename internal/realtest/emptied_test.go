// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealEmptied empties the json-files of containers by hand, as logrotate does with
// copytruncate, while they are read. Engine 20.10 goes on with its follows, but leaves lines
// out if the file outgrows what it was before the follow looks. Engine 28 does not, nor does it answer requests with a tail until the container is started again: a
// poll finds that out after half a minute, a follow is silent for one or two before.
func TestRealEmptied(t *testing.T) {
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	importScribe(t, e)
	run := sideBySide(t, e, nil)
	scribes := []*scribe{newScribe(t, e, "short", jsonFile), newScribe(t, e, "long", jsonFile)}
	for _, s := range scribes {
		s.write(60)
		run.have(s)
		require.NoError(t, os.Truncate(s.log, 0))
	}
	scribes[0].write(20)    // the file stays shorter than it was
	scribes[1].write(1_000) // it grows longer
	began, took := time.Now(), make(map[*row]time.Duration)
	// A follow waits for the silence, which takes virtual time in the conformance suite.
	run.until("all lines of those that poll", func(row *row) string {
		for _, s := range scribes {
			if have := row.Count(s.Name); have < int(s.options.Lines) && polls(row) {
				return fmt.Sprintf("%s: %d of %s", row.strategy, have, s.Name)
			}
		}
		if took[row] == 0 {
			took[row] = time.Since(began)
		}
		return ""
	})
	run.each(func(row *row) { t.Logf("%s: all lines after %v", row.strategy, took[row].Round(100*time.Millisecond)) })
	for _, s := range scribes {
		s.end()
	}
	run.drained()
	run.each(func(row *row) {
		row.stop()
		for _, s := range scribes {
			tally := row.summary(t, s.Name)
			record(t, e, row.strategy, "a json-file is emptied by hand, then "+s.Name, row.seen(s.Name, int(s.options.Lines)))
			if polls(row) || s.Name == "short" {
				assert.Equal(t, s.options.Lines, tally.Seen, "%s: %s", row.strategy, s.Name)
				assert.NoError(t, tally.Err(), "%s: %s", row.strategy, s.Name)
			}
			assert.Zero(t, tally.Repeated, "%s: %s: repeated", row.strategy, s.Name)
			assert.Zero(t, tally.Damaged, "%s: %s: damaged", row.strategy, s.Name)
		}
		assert.LessOrEqual(t, row.metric("gaps"), int64(len(scribes)), "%s: gaps", row.strategy)
		assert.LessOrEqual(t, row.logRequests(), int64(200), "%s: requests for the log", row.strategy)
		assert.Zero(t, row.SameUID(), "%s: records that share a log.record.uid", row.strategy)
	})
}

// polls reports whether the row never follows.
func polls(row *row) bool {
	return row.strategy == dockerlogsreceiver.StrategyPolling || row.strategy == dockerlogsreceiver.StrategyHybrid
}
