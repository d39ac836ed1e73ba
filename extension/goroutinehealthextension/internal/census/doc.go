// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package census counts the goroutines of the process by owner.
//
// The owner is in the pprof labels that a component sets on its goroutines. The
// goroutines that these start inherit them, those of net/http's transport included:
//
//	otelcol.component.id    docker_logs
//	otelcol.component.kind  receiver
//	container.id            of the container that the goroutine works for
//	container.name
//	role                    what the goroutine does for it, such as capture
//
// A goroutine without labels is attributed by the packages on its stack.
package census

// Labels that components set.
const (
	LabelComponent     = "otelcol.component.id"
	LabelKind          = "otelcol.component.kind"
	LabelContainerID   = "container.id"
	LabelContainerName = "container.name"
	LabelRole          = "role"
)
