// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package dockerlogsreceiver // import "github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"

// gather does nothing where no short pause can be had.
func gather() {}
