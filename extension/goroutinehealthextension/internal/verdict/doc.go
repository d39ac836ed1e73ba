// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package verdict judges counts of goroutines. It knows no clock: what it judges has
// its own time.
package verdict
