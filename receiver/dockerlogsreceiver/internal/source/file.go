// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/logfile"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// openFiles is a container's log as the engine's files hold it, which stays open between reads.
type openFiles struct {
	log   *logfile.Reader
	lines *stream.Lines
	judge *position.Reading
	// held is set by Hold, which knows little of the container.
	held bool
	// seenBefore is the time before which records come again, of files that have been changed by
	// hand, until the first that is not from before it; 0 else.
	seenBefore int64
	// midway is set where the reading began where the position is, as far as is known, and not
	// with the oldest file.
	midway bool
	// begun is where the lines begin that are being read; ended is what it was before the
	// line that was read last, so that a reading from there meets that line first.
	begun, ended logfile.Mark
	pace         pace
}

// trimEvery is how many records of the engine are passed over before those are forgotten that
// no read needs any more.
const trimEvery = 4096

var errFileBehind = errors.New("the files end before what the engine has shown of this log")

// readFile reads what the engine's files hold that is new.
//
//	logfile.Reader ─> stream.Lines ─> position.Reading ─> Output.Add ─> Output.Flush
func (r *reading) readFile(ctx context.Context) error {
	switch {
	case r.files == nil:
		if err := r.openFiles(ctx); err != nil {
			return err
		}
	case r.files.held:
		r.reopenHeld()
	}
	for {
		until := time.Now()
		r.files.pace.begin(until)
		outcome, err := r.readFiles(ctx)
		midway := r.files.midway
		switch {
		case err != nil:
			return err
		case outcome == position.Complete, outcome == position.AllNew && midway: // what is there is no whole line
			r.files.log.Rest()
			r.files.pace.end(time.Now(), r.files.log.BytesRead())
			r.fullyRead = !r.container.Running && !r.files.log.LeftUnread(maxSize(r.container))
			r.Until = until
			return nil
		case midway: // what is known was not there
		case outcome == position.Early:
			return &fileError{errFileBehind}
		case outcome == position.Gap:
			r.gap(GapRotated)
		case outcome == position.AllNew:
			r.pos.ClearFloor()
		}
		if err := r.reopenFiles(withOldest); err != nil {
			r.CloseFiles()
			return err
		}
	}
}

// readFiles reads to the end of the files.
func (r *reading) readFiles(ctx context.Context) (position.Outcome, error) {
	f := r.files
	a := &answer{reading: r, judge: f.judge, records: f.lines}
	for {
		chunk, err := f.log.Next()
		switch {
		case err == nil:
			f.add(chunk, a)
			if !a.full && (a.pending > 0 || f.lines.Frames()%trimEvery != 0) {
				continue
			}
		case damaged(err):
			// What is wrong before the records that are known has been counted, or was
			// delivered before it went wrong.
			if f.judge.Proven() {
				r.out.Gap(gapOf(err))
				if gapOf(err) == GapRotated {
					f.seenBefore = r.pos.RememberedSince()
				}
			}
			continue
		case err != io.EOF:
			return 0, &fileError{err}
		case !r.container.Running && f.log.Torn(): // nobody will write its other half
			if f.judge.Proven() {
				r.out.Gap(GapUnreadableRecord)
			}
			continue
		default:
			if err := r.finishFiles(ctx, a); err != nil {
				return 0, err
			}
		}
		delivers := a.pending > 0
		if err := a.flush(ctx); err != nil {
			return 0, err
		}
		if delivers {
			r.pos.Mark(f.ended.Place())
		}
		switch {
		case err == io.EOF:
			return f.judge.End(f.lines.Frames()), nil
		case ctx.Err() != nil:
			return 0, context.Cause(ctx)
		}
	}
}

// add makes lines of a record of the engine.
func (f *openFiles) add(chunk logfile.Chunk, a *answer) {
	if chunk.Time < f.seenBefore {
		return
	}
	f.seenBefore = 0
	if f.lines.Frames()%trimEvery == 0 && f.judge.PastKnown() {
		a.pos.Trim() // of what is passed over
	}
	for taken := false; !taken; {
		if !f.lines.Pending() {
			f.begun = f.log.Last()
		}
		var rec stream.Record
		var whole bool
		rec, whole, taken = f.lines.Add(chunk.Kind, chunk.Time, chunk.Text, chunk.Ended)
		if whole {
			a.admit(rec)
		}
		if whole && !f.lines.Pending() {
			f.ended = f.begun
		}
	}
}

// finishFiles hands on lines without a line end where they will get none: those of an
// earlier run of the container, and all of them where it does not run any more.
func (r *reading) finishFiles(ctx context.Context, a *answer) error {
	if !r.files.lines.Pending() || !a.judge.Proven() {
		return nil
	}
	before, err := a.finalBefore(ctx, false)
	if err != nil {
		return err
	}
	for rec, ok := r.files.lines.Flush(before); ok; rec, ok = r.files.lines.Flush(before) {
		a.admit(rec)
	}
	return nil
}

// Hold opens the files of a container that has just been started, before it is inspected:
// they may be gone then, and what is open can be read to its end. Whether it has a terminal
// is not known yet. It reports whether they are open.
func (s *Source) Hold(c *engine.Container) bool {
	files := &s.engine.Files
	if s.files != nil || !files.proven.Load() || !s.pos.Blank() {
		return s.files != nil
	}
	for _, driver := range []string{driverJSON, driverLocal, ""} {
		held := *c
		held.Driver = driver
		path, format, most := files.of(&held)
		if log := logfile.NewReader(path, format, most); log.Open() == nil {
			s.files = s.newFiles(log, c.TTY)
			s.files.held = true
			s.files.pace.begin(time.Now())
			return true
		}
	}
	return false
}

// reopenHeld begins anew what Hold has begun, which did not know how many files there may be, nor
// whether the container has a terminal. Of a container that is gone there is what was held.
func (r *reading) reopenHeld() {
	if r.reopenFiles(withOldest) == nil {
		return
	}
	r.files.held = false
	r.files.lines = stream.NewLines(r.container.TTY, r.engine.MaxLogSize)
	_, _, most := r.engine.Files.of(r.container)
	r.files.log.Keep(most)
}

// reopenFiles begins anew, where seek goes or, if it cannot, with the oldest file.
func (r *reading) reopenFiles(seek func(*logfile.Reader) bool) error {
	path, format, most := r.engine.Files.of(r.container)
	log := logfile.NewReader(path, format, most)
	midway := seek(log)
	if !midway {
		if err := log.Open(); err != nil {
			return &fileError{err}
		}
	}
	r.CloseFiles()
	r.files = r.newFiles(log, r.container.TTY)
	r.files.midway = midway
	return nil
}

// newFiles begins a reading of files that are open.
func (s *Source) newFiles(log *logfile.Reader, tty bool) *openFiles {
	return &openFiles{log: log, lines: stream.NewLines(tty, s.engine.MaxLogSize), judge: s.pos.Begin(0, false)}
}

// withOldest is a seek that goes nowhere.
func withOldest(*logfile.Reader) bool { return false }

// CloseFiles lets go of the engine's files. The next reading of them goes on where this one
// ended.
func (s *Source) CloseFiles() {
	if s.files != nil {
		_ = s.files.log.Close() // opened for reading only
		s.files = nil
	}
}

// FilesOpen reports whether the engine's files are open.
func (s *Source) FilesOpen() bool { return s.files != nil }

// FileEnd is how far the file that the engine writes has been read.
type FileEnd struct {
	Path string
	end  logfile.End
}

// Changed reports whether the engine has written more, or writes another file.
func (e FileEnd) Changed() bool { return e.end.Changed(e.Path) }

// FileEnd returns how far the files have been read; they must be open.
func (s *Source) FileEnd() FileEnd {
	path, end := s.files.log.End()
	return FileEnd{path, end}
}

func damaged(err error) bool {
	return errors.Is(err, logfile.ErrTorn) || errors.Is(err, logfile.ErrHole) ||
		errors.Is(err, logfile.ErrTruncated) || errors.Is(err, logfile.ErrRotated)
}

func gapOf(err error) Gap {
	if errors.Is(err, logfile.ErrTruncated) || errors.Is(err, logfile.ErrRotated) {
		return GapRotated
	}
	return GapUnreadableRecord
}
