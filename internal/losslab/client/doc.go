// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package client is the process that the loss laboratory measures: one reader of logs, one of our strategies or a
// careless one, with a consumer that checks every line. It is a process of its own so that its processor time, its
// memory and its goroutines are nobody else's.
//
//	the laboratory ── Job, Finish ──> stdin · client · stdout ── Message ──> the laboratory
//
// It ends when its stdin does, so it cannot outlive the laboratory.
package client
