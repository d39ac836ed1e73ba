// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package position

import (
	"maps"
	"slices"
	"sync"
)

// Delivered is a record that the pipeline has accepted, or never will accept.
type Delivered struct {
	Seq uint64 // as Position.Admit returned it
	ID  ID
}

// Frontier is how far the pipeline has accepted the records of one container, and what the
// storage keeps of that. It is safe for concurrent use: the capture admits, the outbox
// commits, the owner stores.
type Frontier struct {
	mu    sync.Mutex
	floor int64
	// ids are the newest records before next, oldest first: enough to recognise the
	// log by.
	ids []ID
	// next is the sequence number of the oldest record that has not been accepted.
	next uint64
	// ahead are records that were accepted before an older one was; restored are those of
	// an earlier process, which have no sequence number before they are met again.
	ahead    map[uint64]ID
	restored []ID
	// renewed are the numbers under which records that have not been accepted are remembered
	// again, by the numbers before those.
	renewed map[uint64]uint64
	// place is where the records before next end, for a source that can go there; marks are
	// those to come, in order.
	place    []byte
	marks    []mark
	sections []byte // of the stored value, for versions that know them
	changed  bool   // since the value was last taken
	// undecided is set while the floor is still to be found: stored as it is, it would be what
	// the next process begins with.
	undecided bool
}

// mark is a place that is behind all records before seq.
type mark struct {
	seq   uint64
	place []byte
}

// Start returns the frontier of a log of which nothing is known. What is older than floor,
// in nanoseconds since the epoch, is not wanted; 0 means all is.
func Start(floor int64) *Frontier { return &Frontier{floor: floor, changed: true} }

// Commit moves the frontier behind records that have been accepted.
func (f *Frontier) Commit(list []Delivered) {
	if len(list) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = true
	for _, d := range list {
		f.commit(d)
		for again, ok := f.renewed[d.Seq]; ok; again, ok = f.renewed[d.Seq] {
			delete(f.renewed, d.Seq)
			d.Seq = again
			f.commit(d)
		}
	}
	if len(f.ahead) == 0 {
		f.ahead = nil
	}
}

// commit is Commit for one record. The caller holds f.mu.
func (f *Frontier) commit(d Delivered) {
	if d.Seq != f.next {
		if f.ahead == nil {
			f.ahead = make(map[uint64]ID)
		}
		f.ahead[d.Seq] = d.ID
		return
	}
	f.advance(d.ID)
	for id, ok := f.ahead[f.next]; ok; id, ok = f.ahead[f.next] {
		delete(f.ahead, f.next)
		f.advance(id)
	}
}

// renew commits a record that has another number too, when it is accepted under that; at once if
// it has been.
func (f *Frontier) renew(former uint64, d Delivered) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ahead := f.ahead[former]; ahead || former < f.next {
		f.changed = true
		f.commit(d)
		return
	}
	if f.renewed == nil {
		f.renewed = make(map[uint64]uint64)
	}
	f.renewed[former] = d.Seq
}

func (f *Frontier) advance(id ID) {
	f.next++
	f.floor = 0
	f.takeMarks()
	f.ids = append(f.ids, id)
	if len(f.ids) < 4*MinRecords {
		return
	}
	if n := wholeInstant(f.ids, len(f.ids)-MinRecords); n > MinRecords {
		f.ids = slices.Delete(f.ids, 0, n)
	}
}

// pass moves the frontier behind a record that was never wanted.
func (f *Frontier) pass(seq uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if seq == f.next {
		f.next++
	}
}

// raise sets the floor that is stored.
func (f *Frontier) raise(floor int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.floor, f.changed = floor, true
}

// Undecided says whether the floor is still to be found; meanwhile there is nothing to store.
func (f *Frontier) Undecided(is bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.undecided = is
}

// accepted returns the sequence number of the oldest record that has not been accepted.
func (f *Frontier) accepted() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next
}

// mark remembers a place that is stored once all records before seq have been accepted.
func (f *Frontier) mark(seq uint64, place []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.marks = append(f.marks, mark{seq, place})
	f.takeMarks()
}

func (f *Frontier) takeMarks() {
	for len(f.marks) > 0 && f.marks[0].seq <= f.next {
		f.place, f.marks, f.changed = f.marks[0].place, f.marks[1:], true
	}
}

// Take returns the value to store, if it has changed since it was last taken.
func (f *Frontier) Take() ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.changed || f.undecided {
		return nil, false
	}
	f.changed = false
	ids := f.ids[wholeInstant(f.ids, len(f.ids)-MinRecords):]
	ahead := make([]ID, 0, len(f.ahead)+len(f.restored))
	for _, seq := range slices.Sorted(maps.Keys(f.ahead)) {
		ahead = append(ahead, f.ahead[seq])
	}
	ahead = append(ahead, f.restored...)
	ahead = ahead[:min(len(ahead), maxAhead)]
	return encode(f.floor, ids, appendSections(f.place, encodeAhead(lastOf(ids), ahead), f.sections)), true
}

// isRestored reports whether an earlier process has delivered a record before an older one.
func (f *Frontier) isRestored(id ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Contains(f.restored, id)
}

// meet commits a record that was restored.
func (f *Frontier) meet(d Delivered) {
	f.mu.Lock()
	if i := slices.Index(f.restored, d.ID); i >= 0 {
		f.restored = slices.Delete(f.restored, i, i+1)
	}
	f.mu.Unlock()
	f.Commit([]Delivered{d})
}

// Restore makes the value due again, after what was taken could not be stored.
func (f *Frontier) Restore() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = true
}
