// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package report makes of what the loss laboratory has measured: a table for the terminal, a page that needs nothing
// else, and the document docs/loss-analysis.md with its pictures and the README's summary. It computes nothing that is
// not in the laboratory's JSON, and the same JSON makes the same bytes.
//
//go:generate go run ../../../cmd/losslab report --in ../../../docs/lab.json --root ../../..
package report
