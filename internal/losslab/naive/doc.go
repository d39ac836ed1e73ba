// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package naive has clients that read container logs with the usual mistakes: an example
// of how not to do it, for the loss laboratory alone. docs/loss-analysis.md explains them.
//
//	streaming     follows with a context that nobody cancels
//	short-lived   follows for a while, then resumes from the clock, not from its last line
//	abandoning    the same, but leaves its reads behind, believing that they cannot be interrupted
//	poll-1s ...   reads what is new at an interval, for 3 s at most, then resumes from the clock
//	poll-buffer   reads every 2 s from the time of its last line, into an unbounded buffer
//
// Everything else, such as the decoding of frames, is done properly, so that whatever is
// lost, repeated or left behind is due to the mistake.
package naive
