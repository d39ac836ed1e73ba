// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"math"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// finish hands on lines without a line end, where they will get none: those of an earlier
// run of the container, and all of them where it has not run since before the read began.
// The end of a follow proves nothing of the kind: Engine 20.10 may end one in the middle
// of a line when the container ends.
func (a *answer) finish(ctx context.Context, followed bool) error {
	if !a.records.Pending() || !a.judge.Proven() {
		return nil
	}
	before, err := a.finalBefore(ctx, followed)
	if err != nil {
		return err
	}
	for rec, ok := a.records.Flush(before); ok; rec, ok = a.records.Flush(before) {
		if !a.admit(rec) {
			return nil
		}
	}
	if err := a.flush(ctx); err != nil {
		return err
	}
	for rec, ok := a.records.Flush(math.MaxInt64); ok; rec, ok = a.records.Flush(math.MaxInt64) {
		if a.judge.Judge(rec, position.IDOf(rec)) == position.Fresh {
			rec.Body = bytes.Clone(rec.Body)
			a.unterminated = append(a.unterminated, rec)
		}
	}
	return nil
}

// finalBefore returns the time before which a line that has no end gets none any more.
func (a *answer) finalBefore(ctx context.Context, followed bool) (int64, error) {
	if !followed && !a.container.Running {
		if over, err := a.stillStopped(ctx); over || err != nil {
			return math.MaxInt64, err
		}
	}
	// StartedAt would not do: the engine notes it when the container writes already.
	if ended := a.container.FinishedAt; !ended.IsZero() {
		return ended.UnixNano(), nil
	}
	return math.MinInt64, nil
}

// stillStopped reports whether a container that did not run when it was last inspected has
// not been started since.
func (a *answer) stillStopped(ctx context.Context) (bool, error) {
	now, err := a.engine.Client.Inspect(ctx, a.id)
	switch {
	case engine.IsNotFound(err):
		return true, nil
	case err != nil:
		return false, &openError{err}
	}
	return !now.Running && now.StartedAt.Equal(a.container.StartedAt), nil
}

// FlushUnterminated hands on what the last read left without a line end, for a container
// that is gone.
func (s *Source) FlushUnterminated(ctx context.Context, out Output) error {
	if s.files != nil {
		for rec, ok := s.files.lines.Flush(math.MaxInt64); ok; rec, ok = s.files.lines.Flush(math.MaxInt64) {
			rec.Body = bytes.Clone(rec.Body)
			s.unterminated = append(s.unterminated, rec)
		}
	}
	if len(s.unterminated) == 0 {
		return nil
	}
	for _, rec := range s.unterminated {
		id := position.IDOf(rec)
		out.Add(Record{Record: rec, Delivered: position.Delivered{Seq: s.pos.Admit(id), ID: id}})
	}
	s.unterminated = nil
	return out.Flush(ctx)
}
