// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package loggen writes logs that can be checked and checks them. [Run] writes lines that each bear their source, sequence number,
// stream, length and checksum; a [Checker] fed with what came out at the other end says exactly which lines were lost, repeated,
// damaged or put in another order.
//
//	Options ── AppendLine(seq) ──> Run ──> stdout, stderr ··· the system under test ··· Checker.Add ──> Tally, Err
//
// Nothing depends on the lines before: line n can be computed alone, so that whoever checks needs no copy of what was written.
package loggen
