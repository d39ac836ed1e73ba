// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import "time"

// hangLasts is how long a log that was emptied is read as a whole before a tail is tried
// again: it may have rotated by then.
const hangLasts = 10 * time.Minute

// hang is what happens to requests with a tail on Engine 28 after a json-file has been
// emptied by hand: they are not answered until the container is started again, or the log
// rotates. Requests for all of the log are.
type hang struct {
	seen  bool      // the last request with a tail was not answered
	until time.Time // the log has been emptied, no tail is to be asked for before
}

// active reports whether all of the log is to be asked for.
func (h *hang) active(now time.Time) bool { return h.seen || now.Before(h.until) }

// answeredTail notes that a request with a tail was answered.
func (h *hang) answeredTail() { *h = hang{} }

// answeredAll notes that a request for all of the log was, and whether nothing known was in
// it.
func (h *hang) answeredAll(now time.Time, emptied bool) {
	if h.seen && (emptied || !h.until.IsZero()) {
		h.until = now.Add(hangLasts)
	}
	h.seen = false
}
