// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package realtest tests the receiver, made by its public factory and configured as a user
// would, on real engines: a private Docker Engine, which some tests restart, freeze or kill,
// and a private Podman. See package dockerd for where the engine comes from; without one the
// tests are skipped. Those named TestMeasure take minutes and are run on demand:
//
//	DOCKERLOGS_MEASURE=1 go test -run TestMeasure -v -timeout 60m ./internal/realtest
package realtest
