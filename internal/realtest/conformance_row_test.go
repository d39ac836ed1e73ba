// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

const (
	// rowLifetime is that of a follow of short_lived.
	rowLifetime = 2 * time.Second
	// rowMaxInterval is the longest time between two polls.
	rowMaxInterval = 4 * time.Second
)

// row is a receiver with one strategy on the shared engine, behind a proxy of its own.
type row struct {
	*receiver
	strategy dockerlogsreceiver.Strategy
	proxy    *cutter
}

func newRow(t *testing.T, e *dockerd.Engine, strategy dockerlogsreceiver.Strategy) *row {
	t.Helper()
	proxy := newCutter(t, e.Socket())
	r := start(t, "unix://"+proxy.path, func(cfg *dockerlogsreceiver.Config) {
		cfg.Strategy = strategy
		cfg.ShortLived.Lifetime = rowLifetime
		cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: time.Second, MaxInterval: rowMaxInterval}
		cfg.Hybrid.Interval = time.Second
		cfg.RetryOnFailure.InitialInterval = 100 * time.Millisecond
		cfg.RetryOnFailure.MaxInterval = time.Second
	})
	return &row{receiver: r, strategy: strategy, proxy: proxy}
}

// brief reports whether a container may be gone before it can be read.
func brief(name string) bool { return strings.HasPrefix(name, "short-") }

// judge checks the books once the receiver has stopped. brief containers may have lost
// lines, others may not.
func (row *row) judge(t *testing.T, run *conformanceRun) {
	t.Helper()
	gaps := row.metric("gaps")
	assert.Equal(t, gaps, row.metric("gaps", "reason=removed"), "%s: gaps for other reasons", row.strategy)
	var tooShort int64
	for name, o := range run.options {
		if lost := int(o.Lines) - row.Count(name); brief(name) && lost > 0 {
			t.Logf("%s: %d lines of %s were gone before they could be read", row.strategy, lost, name)
			tooShort++
		}
	}
	if gaps < tooShort {
		// A container that was gone before it was looked at leaves nothing to count.
		t.Logf("%s: %d containers were too short, %d gaps are counted", row.strategy, tooShort, gaps)
	}
	assert.NoError(t, row.lines.Err(), "%s", row.strategy)
	assert.NoError(t, row.tty.Err(), "%s", row.strategy)
	assert.Zero(t, row.SameUID(), "%s: records that share a log.record.uid", row.strategy)
	assert.Zero(t, row.metric("captures"), "%s: captures after the end", row.strategy)
}
