// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"

func report([]string) error { return nil }

func publish(*losslab.Lab, string) error { return nil }
