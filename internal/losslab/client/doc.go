// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package client is the process that the loss laboratory measures: one reader of logs, a
// strategy of the receiver or a naive client, and a consumer that checks every line. It is a
// process of its own so that its processor time, memory and goroutines belong to it alone.
//
//	laboratory ── Job, Finish ──> stdin · client · stdout ── Ready, Drained, Result ──> laboratory
//
// It ends when its stdin does, so it cannot outlive the laboratory.
package client
