// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package source

// gather does nothing where no short pause can be had.
func gather() {}
