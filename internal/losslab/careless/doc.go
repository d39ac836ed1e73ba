// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package careless has the clients that docs/loss-analysis.md examines, each with the flaws that it has there: an
// example of how not to read the logs of containers, for the loss laboratory alone.
//
//	streaming     follows with a context that nobody cancels
//	short-lived   follows for a while, then goes on from the time that it is, not from the line that it had
//	abandoning    the same, but takes a read for something that cannot be interrupted, and leaves it behind
//	poll-1s ...   reads what is new every so often, for 3 s at most, then goes on from the time that it is
//	poll-buffer   reads every 2 s from the last line that it has, into a buffer without bounds
//
// Where the analysis leaves something out, as the decoding of frames, it is done here as it should be: what is lost,
// repeated or left behind is the flaw's.
package careless
