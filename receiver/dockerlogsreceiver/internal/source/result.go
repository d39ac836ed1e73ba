// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// Result is what a Read did.
type Result struct {
	New   int           // records that were new
	Full  bool          // they filled a batch, so there may be more by now
	Lived time.Duration // of a follow
	// Until is a time of the engine: what it stamped before that has been read. Zero where
	// that is not known.
	Until time.Time
	// LeftOut is set, once, where there are older records than Backfill allows.
	LeftOut bool
	End     End
	Err     error // why it ended so, for the log; may be nil
}

// End is why a Read ended. Those that are a reason to open the log again have the name
// that a metric has.
type End string

const (
	// Complete: all that the log holds has been read.
	Complete End = ""
	// Silent: the follow brought nothing for long, and the engine has nothing.
	Silent End = "silent"
	// Busy: the follow brought more than its plan's MaxRate, or see ErrBusy.
	Busy End = "busy"
	// Expired: the follow lived its time.
	Expired End = "expired"
	// Preempted: the follow is to make way, see ErrPreempted.
	Preempted End = "recalled"
	// Dead: the follow was silent while the container wrote.
	Dead End = "dead"
	// Behind: the container wrote more before the follow than it began with.
	Behind End = "behind"
	// StalledPipeline: the pipeline held the follow up.
	StalledPipeline End = "stalled_pipeline"
	// Ended: the engine ended the follow, as it does when the container ends.
	Ended End = "ended"
	// EngineError: the engine could not read a record.
	EngineError End = "engine_error"
	// Failed: the engine did not grant the request.
	Failed End = "failed"
	// Cut: the connection ended, or the engine sent nothing of what it has.
	Cut End = "cut"
	// Removed: the engine does not know the container any more.
	Removed End = "removed"
	// NoFile: the engine's files cannot be read, or are not known to be the container's.
	NoFile End = "no_file"
	// Unreadable: the container's log driver cannot be read.
	Unreadable End = "unreadable"
	// Stopped: the Output returned an error, or the context ended.
	Stopped End = "stopped"
)

// Gap is a place where lines may be missing, as a metric names it.
type Gap string

const (
	GapRotated          Gap = "rotated"
	GapUnreadableRecord Gap = "unreadable_record"
)

// ErrPreempted is the cause with which a context ends a follow that is to make way.
var ErrPreempted = errors.New("the follow is to make way")

// ErrBusy is what an Output answers to a follow that brings more than it may have.
var ErrBusy = errors.New("the follow brings more than it may")

var (
	errExpired   = errors.New("the follow has lived its time")
	errStalled   = errors.New("the pipeline holds up the follow")
	errSilent    = errors.New("the follow has been silent for long")
	errStuck     = errors.New("the engine sends nothing")
	errTailHangs = errors.New("the engine does not answer what is asked of the end of the log")
	errBadNewest = errors.New("the newest record cannot be read")
	errEndsEarly = errors.New("the engine ended its answer before the end of the log")
)

// openError is that of a request which the engine did not grant.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }

// outputError is that of an Output.
type outputError struct{ error }

func (e *outputError) Unwrap() error { return e.error }

// endOf returns what an error means.
func endOf(err error) End {
	var open *openError
	var output *outputError
	var file *fileError
	switch {
	case errors.As(err, &file):
		return NoFile
	case errors.Is(err, ErrBusy):
		return Busy
	case errors.As(err, &output):
		return Stopped
	case errors.Is(err, errExpired):
		return Expired
	case errors.Is(err, ErrPreempted):
		return Preempted
	case errors.Is(err, errSilent):
		return Silent
	case errors.Is(err, errStalled):
		return StalledPipeline
	case errors.Is(err, errBadNewest), errors.Is(err, errTailHangs), errors.Is(err, errEndsEarly), endsAtBadRecord(err):
		return EngineError
	case errors.As(err, &open) && engine.IsNotFound(err):
		return Removed
	case errors.As(err, &open) && engine.IsUnreadable(err):
		return Unreadable
	case errors.As(err, &open):
		return Failed
	case errors.Is(err, context.Canceled):
		return Stopped
	default:
		return Cut
	}
}
