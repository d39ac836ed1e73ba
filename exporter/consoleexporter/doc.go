// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package consoleexporter prints log records for a person to read, each on one line.
package consoleexporter
