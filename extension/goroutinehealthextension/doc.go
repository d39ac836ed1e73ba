// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package goroutinehealthextension distinguishes a goroutine leak from load, names the
// component that leaks, and acts on it.
package goroutinehealthextension
