// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package chart draws what the loss laboratory measures, as SVG that needs nothing else: a
// white card with dark text, legible on light and on dark pages. Equal data make equal bytes.
package chart
