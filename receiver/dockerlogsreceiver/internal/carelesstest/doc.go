// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package carelesstest has the tests of the loss laboratory's careless clients: each pins the flaw of one. They are here
// because the engine that they run against, enginetest, is internal to the receiver.
package carelesstest // import "github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/carelesstest"
