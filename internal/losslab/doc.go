// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package losslab is the loss laboratory: it measures on a real engine what each way of reading
// logs loses, repeats and leaves behind, how late it is and what it costs, for the receiver's
// strategies, for the clients of package naive and for OpenTelemetry's receiver for files.
// docs/loss-analysis.md is its report.
//
//	Run ── for each profile and strategy ── cell: containers of loggen ··· engine ··· package client, a process
//	 └── Lab, its JSON ── package report: the table, the document
//
// A cell is one strategy reading one profile. It has containers of its own, and its client is a
// process of its own.
package losslab
