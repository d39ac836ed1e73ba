// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import "time"

// lateAfter is how long after it was due a line may come out before it counts as late: well above a busy machine's scheduling.
const lateAfter = 100 * time.Millisecond

// Report is what Run did.
type Report struct {
	Source string `json:"source"`
	// Lines are numbered lines written whole: their sequence numbers are 1 to Lines. Blank lines come on top.
	Lines uint64 `json:"lines"`
	Blank uint64 `json:"blank"`
	// Bytes are on both streams, line ends included; Writes are write(2) calls.
	Bytes   uint64        `json:"bytes"`
	Writes  uint64        `json:"writes"`
	Elapsed time.Duration `json:"elapsed_ns"`

	// WantRate and Rate are in lines per second. WantRate leaves bursts out and is 0 when flat out; Rate is the mean.
	WantRate float64 `json:"want_rate"`
	Rate     float64 `json:"rate"`
	// LateLines came out more than 100 ms after they were due, MaxLag is the latest one's delay. What is late is made up for as fast
	// as it can be, so the mean may be right all the same. Nothing is late flat out.
	LateLines uint64        `json:"late_lines"`
	MaxLag    time.Duration `json:"max_lag_ns"`
	// KeptRate says that at most one line in a hundred was late.
	KeptRate bool `json:"kept_rate"`
}

// late accounts for the lines after the one numbered before up to last, which came out now.
func (r *Report) late(s schedule, before, last uint64, now time.Duration) {
	if s.flatOut() || before == last {
		return
	}
	r.MaxLag = max(r.MaxLag, now-s.at(before+1))
	if overdue := min(s.due(now-lateAfter-1), last); overdue > before {
		r.LateLines += overdue - before
	}
}
