// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package matrix makes the tables of docs/conformance.md: what each strategy saw of each scenario, on each engine. Tests on
// real engines append cells to a directory that DOCKERLOGS_MATRIX names; make test-engines collects them into
// docs/conformance.json, from which the document is made, always the same.
//
//go:generate go run ../../cmd/enginematrix render --root ../..
package matrix
