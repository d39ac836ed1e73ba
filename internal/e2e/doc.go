// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the distribution as it is built, a process or a container that
// captures the containers of a real engine. DOCKERLOGS_COLLECTOR names the binary;
// unset, it is what `make build` makes.
package e2e
