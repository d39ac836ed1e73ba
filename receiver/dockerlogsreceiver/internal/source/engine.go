// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package source is where the records of a container come from: it reads its log over the
// engine's API, leaves out what is known, and proves that nothing is missing between two
// reads.
package source

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

const (
	// maxReads bounds how many logs are read at a time without being followed, so that a
	// thousand containers do not storm an engine that comes back.
	maxReads = 16
	// readBuffer holds the largest frame that an engine sends, a chunk of 16,384 bytes
	// with its header and time stamp, twice over. followBuffer is smaller: there may be
	// thousands of follows, most of them idle. Both in bytes.
	readBuffer   = 32 << 10
	followBuffer = 4 << 10
)

// Engine is what the sources of one engine share. It is safe for concurrent use.
type Engine struct {
	Client     *engine.Client
	MaxLogSize int // bytes, at which lines are cut
	// BySeconds reports that the engine is Podman. Reads begin at a second there and not at a
	// number of records before the end: its tail joins the chunks of different long lines. Nor could it be known
	// which of the equal lines of one time are known, had the tail cut some off.
	BySeconds func() bool
	// Suppressed counts records that the engine sent and that are known: those asked for
	// again to prove continuity, and those that it repeated.
	Suppressed func(overlapping, repeated int)
	Files      Files

	slots     chan struct{} // holds as many values as logs are read
	readers   sync.Pool     // *stream.Reader
	followers sync.Pool     // *stream.Reader, of follows
}

// Init prepares an Engine whose exported fields are set.
func (e *Engine) Init() *Engine {
	e.slots = make(chan struct{}, maxReads)
	e.readers.New = func() any { return stream.NewReader(readBuffer) }
	e.followers.New = func() any { return stream.NewReader(followBuffer) }
	return e
}

// Acquire waits for a slot to read. It reports false when ctx ends first. waits, unless it is
// nil, is told when a wait begins and ends.
func (e *Engine) Acquire(ctx context.Context, waits func(bool)) bool {
	if waits != nil {
		select {
		case e.slots <- struct{}{}:
			return true
		default:
		}
		waits(true)
		defer waits(false)
	}
	select {
	case e.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// Release gives the slot back.
func (e *Engine) Release() { <-e.slots }

// reader returns a reader of an answer that is, or is not, followed.
func (e *Engine) reader(src io.Reader, tty, follow bool) *stream.Reader {
	d := e.pool(follow).Get().(*stream.Reader)
	d.Reset(src, tty, e.BySeconds(), e.MaxLogSize)
	return d
}

func (e *Engine) recycle(d *stream.Reader, follow bool) {
	d.Reset(nil, false, false, 0)
	e.pool(follow).Put(d)
}

func (e *Engine) pool(follow bool) *sync.Pool {
	if follow {
		return &e.followers
	}
	return &e.readers
}

// Record is a new record of a container's log. Its body is valid until Output.Add
// returns.
type Record struct {
	stream.Record
	position.Delivered
	// Ordinal counts equal records before this one. It is 0 where records do not share times.
	Ordinal int
}

// Output takes the new records of one container, in the order of its log.
type Output interface {
	// Add takes a record and reports whether it should be the last before Flush.
	Add(Record) (full bool)
	// Flush is called when no other record is at hand. It may wait for the pipeline. An
	// error ends the read; what was added is the Output's all the same.
	Flush(context.Context) error
	// Gap is called where lines may be missing, before what is added next.
	Gap(Gap)
}

// Source reads the log of one container over the API. One goroutine at a time uses it, but
// for Commit and the Frontier.
type Source struct {
	// WaitsForSlot, if set, is told when a wait for a slot to read begins and ends.
	WaitsForSlot func(bool)

	engine   *Engine
	id       string
	frontier *position.Frontier
	pos      *position.Position
	rate     rate
	silence  silence
	minTail  int // after a follow that did not reach back far enough
	bad      badRecord
	clock    clock
	hang     hang
	length   int // frames of the log that the last read has proven to be all of it; else 0
	// fullyRead is set when the log has been read to where the container's last run ended.
	fullyRead bool
	// unterminated are the lines that the last read left without their ends. They are all
	// that there will be of them if the container is removed before the next.
	unterminated []stream.Record
	files        *openFiles // nil while they are not open
	backfill     backfill
	repeats      int // records that the engine has sent again
}

// New returns the source of a container's log from where the frontier stands.
func New(e *Engine, id string, frontier *position.Frontier) *Source {
	return &Source{engine: e, id: id, frontier: frontier, pos: position.New(frontier)}
}

// Frontier is how far the pipeline has accepted what the source has read.
func (s *Source) Frontier() *position.Frontier { return s.frontier }

// Commit says that the pipeline has accepted records, or never will. It is safe for
// concurrent use.
func (s *Source) Commit(list []position.Delivered) { s.frontier.Commit(list) }

// FullyRead reports whether the log has been read to where the container's last run ended.
func (s *Source) FullyRead() bool { return s.fullyRead }

// Settled reports whether, besides, every line had its end.
func (s *Source) Settled() bool { return s.fullyRead && len(s.unterminated) == 0 }

// Repeats returns how many records the engine has sent again so far.
func (s *Source) Repeats() int { return s.repeats }

// NewRun says that the container has been started since it was last inspected.
func (s *Source) NewRun() { s.fullyRead, s.hang = false, hang{} }

// Restart prepares the source for another goroutine.
func (s *Source) Restart() { s.silence.reset() }

// Read reads what is new, as the plan says: without Follow all that the log holds now.
func (s *Source) Read(ctx context.Context, c *engine.Container, plan strategy.Plan, out Output) Result {
	if !c.Running {
		s.hang = hang{} // then tails are answered
	}
	r := &reading{Source: s, container: c, out: out, began: s.pos.End()}
	err := r.boundBacklog(ctx)
	switch {
	case err != nil:
	case plan.File:
		err = r.readFile(ctx)
	case plan.Follow:
		s.CloseFiles()
		err = r.follow(ctx, plan)
	default:
		s.CloseFiles()
		err = r.catchUp(ctx)
	}
	r.Err = err
	if r.End == "" && err != nil {
		r.End = endOf(err)
	}
	if r.LeftOut {
		s.backfill = backfill{}
	}
	r.suppressed()
	s.pos.Trim()
	return r.Result
}

// reading is one Read under way.
type reading struct {
	*Source
	Result
	container *engine.Container
	out       Output
	opened    time.Time // the engine's clock when the last answer began
	asked     time.Time // ours when it was asked for
	began     uint64    // sequence number of the first record that is new to it
	holdsSlot bool

	overlapping, repeated int // records, since they were last counted
}

// suppressed counts the records that were known.
func (r *reading) suppressed() {
	if r.overlapping+r.repeated == 0 {
		return
	}
	r.engine.Suppressed(r.overlapping, r.repeated)
	r.repeats += r.repeated
	r.overlapping, r.repeated = 0, 0
}
