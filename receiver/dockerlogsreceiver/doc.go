// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate mdatagen metadata.yaml

// Package dockerlogsreceiver captures the logs of containers over the Docker
// Engine API.
package dockerlogsreceiver
