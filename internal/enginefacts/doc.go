// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package enginefacts finds out what a Docker Engine does with logs: how it answers, what it leaves out and repeats, what
// that costs it. The receiver rests on these facts; none of them is promised by the engine, and they differ by version.
//
//	Facts, a table ── Measure, on a private engine ──> Engine, figures as JSON ── Document ──> docs/engines.md
//
// A fact is a function that returns figures; how these read is a method of theirs. docs/engine-facts.json has the figures of
// every engine that was measured.
//
//go:generate go run ../../cmd/enginefacts report --root ../..
package enginefacts
