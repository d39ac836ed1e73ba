// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package main

import "testing"

func testFromScratch(t *testing.T, _ string) { t.Skip("needs Linux") }
