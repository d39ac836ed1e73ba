// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package verdict judges counts of goroutines. It reads no clock: each count has its time.
package verdict
