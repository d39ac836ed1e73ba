// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package report presents what the loss laboratory has measured: as a table for the terminal,
// and as docs/loss-analysis.md with its pictures and the README's summary. The same JSON makes
// the same bytes.
//
//go:generate go run ../../../cmd/losslab report --in ../../../docs/lab.json --root ../../..
package report
