// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Why a log has to be opened again.
var (
	errEnded    = errors.New("the engine ended the stream")
	errExpired  = errors.New("the follow has lived its time")
	errBehind   = errors.New("the container writes faster than the follow was opened")
	errStalled  = errors.New("the pipeline holds up the follow")
	errRecalled = errors.New("the follow is to make way")
	errSilent   = errors.New("the follow has been silent for long")
	errDead     = errors.New("the follow was silent while the container wrote")
	errStuck    = errors.New("the engine sends nothing")
	errPoisoned = errors.New("the newest record cannot be read")
)

// reopenReason is what is to be done about it.
type reopenReason struct {
	name  string // as a metric names it; "" is not counted
	pause bool   // wait first
	look  bool   // inspect the container, and catch up before the next follow
	cut   bool   // the stream did not thrive
}

func reasonOf(err error) reopenReason {
	var said *stream.EngineError
	var open *openError
	switch {
	case errors.Is(err, errExpired):
		return reopenReason{name: "expired"}
	case errors.Is(err, errRecalled):
		return reopenReason{name: "recalled"}
	case errors.Is(err, errSilent):
		return reopenReason{}
	case errors.Is(err, errDead):
		return reopenReason{name: "dead", look: true, cut: true}
	case errors.Is(err, errBehind):
		return reopenReason{name: "behind", look: true}
	case errors.Is(err, errStalled):
		return reopenReason{name: "stalled_pipeline", look: true}
	case errors.Is(err, errEnded):
		return reopenReason{name: "ended", pause: true, look: true}
	case errors.Is(err, errPoisoned):
		return reopenReason{name: "engine_error", pause: true}
	case errors.As(err, &said):
		return reopenReason{name: "engine_error", pause: true, look: true, cut: true}
	case errors.As(err, &open):
		return reopenReason{name: "failed", pause: true, look: true, cut: true}
	default:
		return reopenReason{name: "cut", pause: true, look: true, cut: true}
	}
}

// openError is that of a request which the engine did not grant.
type openError struct{ error }

func (e *openError) Unwrap() error { return e.error }
