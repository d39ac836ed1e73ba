// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package dockerlogsreceiver

// gather does nothing where no short pause can be had.
func gather() {}
