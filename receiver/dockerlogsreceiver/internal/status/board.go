// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package status is what the receiver shows of the containers that it knows. It keeps what
// the owner loop and the captures say as they go, and makes an answer of it when somebody
// asks. It knows neither, and no line of a log.
package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxError bounds the text of an error, in bytes.
const maxError = 256

// Board has a Record for each container of an engine. It is safe for concurrent use; a nil
// one, as there is where nothing is shown, takes nothing.
type Board struct {
	look     func(*Now)
	began    time.Time
	refusing atomic.Bool // as pipeline says

	mu       sync.Mutex // guards what is below
	records  map[string]*Record
	engine   Engine // but for what look says
	pipeline Pipeline
	requests plot
}

// New returns a board without containers. look adds what the board is not told: who we are,
// what the engine is, what waits for the pipeline.
func New(look func(*Now)) *Board {
	now := time.Now()
	return &Board{look: look, began: now, records: make(map[string]*Record), pipeline: Pipeline{State: Accepting, Since: now}}
}

// Register returns the record of a container, a new one if there is none.
func (b *Board) Register(id string) *Record {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.records[id]
	if r == nil {
		r = &Record{id: id, state: Ended, stateSince: time.Now()}
		b.records[id] = r
	}
	return r
}

// Find returns the record of a container, nil if there is none.
func (b *Board) Find(id string) *Record {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.records[id]
}

// Forget drops the record of a container that is gone.
func (b *Board) Forget(id string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.records, id)
}

// Retain drops the records of all containers but those that are there.
func (b *Board) Retain(there func(id string) bool) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id := range b.records {
		if !there(id) {
			delete(b.records, id)
		}
	}
}

// Connected says that the engine answers, and whether it tells what happens to its containers.
func (b *Board) Connected(events bool) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &b.engine
	if !e.Connected {
		e.Connected, e.Since, e.Error = true, time.Now(), ""
	}
	e.Discovery = DiscoveryEvents
	if !events {
		e.Discovery = DiscoveryListing
	}
}

// Disconnected says that the engine does not answer.
func (b *Board) Disconnected(err error) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e := &b.engine
	if e.Connected || e.Since.IsZero() {
		e.Connected, e.Since = false, time.Now()
	}
	e.Error = Bounded(err.Error())
}

// Requested counts a request to the engine.
func (b *Board) Requested() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requests.add(time.Now(), 1, 0)
}

// Refused says that the pipeline does not accept records for now. The text, which says why,
// holds nothing that a container wrote.
func (b *Board) Refused(text string) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := &b.pipeline; p.State != Refusing {
		p.State, p.Since = Refusing, time.Now()
		b.refusing.Store(true)
	}
	b.pipeline.Error = Bounded(text)
}

// Accepted says that the pipeline has done with records.
func (b *Board) Accepted() {
	if b == nil || !b.refusing.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.pipeline = Pipeline{State: Accepting, Since: time.Now()}
	b.refusing.Store(false)
}

// Bounded returns a text that is not too long, in valid UTF-8.
func Bounded(text string) string {
	if len(text) <= maxError {
		return strings.ToValidUTF8(text, "?")
	}
	return strings.ToValidUTF8(text[:maxError], "") + "…"
}

// now returns what all containers' views need, and their records in no order.
func (b *Board) now() (*Now, []*Record) {
	now := &Now{}
	now.Now = time.Now().UTC()
	b.mu.Lock()
	records := make([]*Record, 0, len(b.records))
	for _, r := range b.records {
		records = append(records, r)
	}
	now.Engine, now.Pipeline = b.engine, b.pipeline
	now.Engine.Since, now.Pipeline.Since = now.Engine.Since.UTC(), now.Pipeline.Since.UTC()
	perSecond, _ := b.requests.rates(now.Now, b.began)
	now.Engine.RequestsPerMinute = round(60 * perSecond)
	b.mu.Unlock()
	b.look(now)
	if now.Clock.IsZero() {
		now.Clock = now.Now
	}
	return now, records
}

// List answers about the containers that a query asks for.
func (b *Board) List(q Query) List {
	now, records := b.now()
	list := List{Answer: now.Answer, Containers: make([]Container, 0, len(records))}
	for _, r := range records {
		c := r.view(now)
		list.Totals.count(c)
		if q.admits(c) {
			list.Containers = append(list.Containers, c)
		}
	}
	slices.SortFunc(list.Containers, func(a, b Container) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	list.Matched = len(list.Containers)
	list.Offset = q.Offset
	list.Containers = list.Containers[min(q.Offset, list.Matched):]
	if q.Limit > 0 {
		list.Containers = list.Containers[:min(q.Limit, len(list.Containers))]
	}
	return list
}

// One answers about the container that has a name, an id, or alone an id that begins so. The
// error says what is wrong where there is none.
func (b *Board) One(name string) (One, error) {
	now, records := b.now()
	found, err := find(records, name)
	if err != nil {
		return One{}, err
	}
	return One{Answer: now.Answer, Container: found.detail(now)}, nil
}

func find(records []*Record, name string) (*Record, error) {
	var byName *Record
	var byPrefix []*Record
	for _, r := range records {
		r.mu.Lock()
		named := r.name == name
		r.mu.Unlock()
		switch {
		case r.id == name:
			return r, nil // though another has it as its name
		case named:
			byName = r
		case strings.HasPrefix(r.id, name):
			byPrefix = append(byPrefix, r)
		}
	}
	switch {
	case byName != nil:
		return byName, nil
	case len(byPrefix) == 0:
		return nil, fmt.Errorf("there is no container %q; it may have been removed", name)
	case len(byPrefix) == 1:
		return byPrefix[0], nil
	default:
		return nil, fmt.Errorf("the ids of %d containers begin with %q; give more of it", len(byPrefix), name)
	}
}
