// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package logstest is the kit that the tests of the receiver and of the distribution share:
// a pipeline that records what it accepts, a reader of metrics, and an engine that has the
// image of the line generator. It does not import the receiver, whose own tests use it too.
package logstest
