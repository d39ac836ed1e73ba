// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package census finds out whose the goroutines of the process are.
//
// Goroutines are told apart by the pprof labels that their component has set, which
// the goroutines that they start inherit, those of net/http's transport included:
//
//	otelcol.component.id    docker_logs
//	otelcol.component.kind  receiver
//	container.id            of the container that the goroutine works for
//	container.name
//	role                    what the goroutine does for it, as capture
//
// What has no label is known by the packages of the functions that it runs.
package census

// Labels that components set.
const (
	LabelComponent     = "otelcol.component.id"
	LabelKind          = "otelcol.component.kind"
	LabelContainerID   = "container.id"
	LabelContainerName = "container.name"
	LabelRole          = "role"
)
