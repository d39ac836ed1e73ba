// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package client

import "time"

// The laboratory measures on Linux only.

func processorTime() time.Duration { return 0 }

func resident() int64 { return 0 }
