// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package chart draws what the loss laboratory measures, as SVG that needs nothing else: a white card with dark text, so
// that it is legible on a light page and on a dark one. Equal data make equal bytes.
package chart
