// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package exported tests what the components export: the factory and its configuration, as
// contrib wants it.
package exported
