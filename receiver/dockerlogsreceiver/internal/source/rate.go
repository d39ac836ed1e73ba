// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import "time"

// rate estimates how many records a container writes.
type rate struct {
	perSecond float64
	at        time.Time // end of the last read
}

// observe notes that n records have come since the last read.
func (r *rate) observe(now time.Time, n int) {
	if !r.at.IsZero() {
		// An interval shorter than this says little.
		elapsed := max(now.Sub(r.at), 100*time.Millisecond)
		r.perSecond = (r.perSecond + float64(n)/elapsed.Seconds()) / 2
	}
	r.at = now
}

// expect returns the number of records, with some to spare, that have been written
// since the last read. An estimate that is too low costs another request, one
// that is too high makes the engine decode what we know.
func (r *rate) expect(now time.Time) int {
	return int(min(1.25*r.perSecond*now.Sub(r.at).Seconds(), maxTail))
}
