// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"strings"
	"sync"
	"time"
)

const (
	maxGaps   = 8
	maxEvents = 32
)

// Record is what is known of one container. It is safe for concurrent use; a nil one, as there
// is where nothing is shown, takes nothing.
type Record struct {
	id string

	mu         sync.Mutex // guards what is below
	name       string
	image      string
	driver     string
	running    bool
	file       bool
	slot       bool // it waits for one
	more       bool // the log is known to hold what has not been read
	state      State
	stateSince time.Time
	need       Need
	until      time.Time
	reason     *Reason
	strategy   string
	from       string
	since      time.Time
	records    int64
	bytes      int64
	limited    int64 // records that its rate limit dropped
	dropped    int64 // records that the pipeline refused for good
	newest     int64 // time of the newest record, in nanoseconds since the epoch; 0 before the first
	handing    int64 // of the oldest record that waits for room in the pipeline; 0 where none does
	reopens    int
	suppressed int
	gapCount   int
	gaps       []Gap
	history    []Event
	plot       *plot // nil while it writes nothing
}

// Listed says what a list says of the container.
func (r *Record) Listed(name, image string, running bool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.name != "" && r.running != running {
		r.runs(running)
	}
	r.running = running
	r.describe(name, image)
}

// Told says what an event says of the container, besides that it was started or has ended.
func (r *Record) Told(name, image string, started, died bool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.describe(name, image)
	if started || died {
		r.runs(started)
	}
}

// Inspected says what an inspection says of the container; driver is that of its log.
func (r *Record) Inspected(name, image, driver string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.driver = driver
	r.describe(name, image)
}

func (r *Record) describe(name, image string) {
	if r.name != "" && name != r.name {
		r.note(KindRenamed, "it was "+r.name+" before")
	}
	r.name = name
	// A list has a digest where the image's tag has moved to another.
	if r.image == "" || !strings.HasPrefix(image, "sha256:") {
		r.image = image
	}
}

func (r *Record) runs(running bool) {
	if r.running = running; running {
		r.note(KindStarted, "the container was started")
	} else {
		r.note(KindEnded, "the container has ended")
	}
}

// Strategy says how the container is to be read, and what decided that.
func (r *Record) Strategy(name, from string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.strategy, r.from = name, from
}

// Set says what the capture does now; file that it reads the engine's files.
func (r *Record) Set(state State, file bool) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.file, r.reason = file, nil
	r.set(state)
	if r.since.IsZero() && state.captured() {
		r.since = r.stateSince
	}
}

func (r *Record) set(state State) {
	r.need, r.until = "", time.Time{}
	if state != r.state {
		r.state, r.stateSince = state, time.Now()
	}
}

// End says that the capture has ended. Why one that is left out, or cannot be read, is so
// has been said before.
func (r *Record) End() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.captured() {
		r.set(Ended)
	}
}

// LeaveOut says why the container is not captured.
func (r *Record) LeaveOut(reason Reason) { r.refuse(LeftOut, KindLeftOut, reason) }

// Unreadable says why the container cannot be captured.
func (r *Record) Unreadable(reason Reason) { r.refuse(Unreadable, KindUnreadable, reason) }

func (r *Record) refuse(state State, kind string, reason Reason) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reason == nil || *r.reason != reason {
		r.note(kind, reason.Text)
	}
	kept := reason // not the parameter: that would be made on the heap also where r is nil
	r.reason = &kept
	r.set(state)
}

// Wait says what the capture waits for, after Set; until is zero where that is not known.
func (r *Record) Wait(need Need, until time.Time) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.need, r.until = need, until
}

// WaitForSlot says whether the capture waits for its turn to read.
func (r *Record) WaitForSlot(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.slot = on
}

// Batch is what is handed on to the pipeline at a time. Times are in nanoseconds since the epoch.
type Batch struct {
	Records, Bytes int
	RateLimited    int // records that are not handed on, since they exceed a limit
	Oldest, Newest int64
	More           bool // the log may hold more
}

// Handing says that a batch is about to be handed on, for which it may have to wait.
func (r *Record) Handing(b Batch) {
	if r == nil {
		return
	}
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handing, r.more = b.Oldest, b.More
	r.limited += int64(b.RateLimited)
	if b.Records == 0 {
		return
	}
	r.records += int64(b.Records)
	r.bytes += int64(b.Bytes)
	r.newest = max(r.newest, b.Newest)
	if r.plot == nil {
		r.plot = &plot{}
	}
	r.plot.add(now, b.Records, b.Bytes)
}

// Handed says that it has been.
func (r *Record) Handed() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handing = 0
}

// Read says how a read ended: whether it came to the end of the log, or left something in it,
// as far as is known, and how many records the engine has sent again so far.
func (r *Record) Read(end, more bool, suppressed int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.more, r.suppressed = more || (r.more && !end), suppressed
}

// Dropped says that the pipeline has refused records for good.
func (r *Record) Dropped(records int) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped += int64(records)
	r.note(KindDropped, "the pipeline has refused records for good, they are dropped")
}

// Reopened counts that the log has to be opened again, and notes why, unless that is routine.
func (r *Record) Reopened(text string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reopens++
	if text != "" {
		r.note(KindCut, text)
	}
}

// Gap says that lines may be missing, and what to do about it.
func (r *Record) Gap(reason, text, remedy string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gapCount++
	r.gaps = append(dropFirst(r.gaps, maxGaps), Gap{Time: time.Now(), Reason: reason, Text: text, Remedy: remedy})
	r.note(KindGap, text)
}

// Note notes that something has happened. The text holds nothing that a container wrote.
func (r *Record) Note(kind, text string) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.note(kind, text)
}

func (r *Record) note(kind, text string) {
	now := time.Now()
	if n := len(r.history); n > 0 {
		last := &r.history[n-1]
		switch {
		case last.Kind == KindRead && (kind == KindOpened || kind == KindRead), last.Kind == KindUnreadable && kind == KindOpened:
			return // it is only looked at again
		case last.Kind == kind && last.Text == text:
			last.Time, last.Times = now, max(last.Times, 1)+1
			return
		}
	}
	r.history = append(dropFirst(r.history, maxEvents), Event{Time: now, Kind: kind, Text: text})
}

// dropFirst makes room for one more in a list of at most so many.
func dropFirst[T any](list []T, most int) []T {
	if len(list) < most {
		return list
	}
	return list[:copy(list, list[1:])]
}
