// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package dockerd runs private Docker engines, and containers on them, for the tests and for the loss laboratory.
//
// A private engine can be restarted, frozen and killed, which no test may do to the machine's own. Everything that it
// starts lives in namespaces of its own, and these live exactly as long as a pipe that the process using this package
// holds open:
//
//	this process ── the lifeline, a pipe ──> sh, the keeper ── unshare ──> sh: pid 1 of the engine's namespaces
//	     └── dockerd, our child, placed inside these namespaces ── containerd ── shims ── containers
//
// When the pipe closes, because of [Engine.Close] or because this process died in whatever way, pid 1 ends; the kernel
// then kills all that is left in the pid namespace and drops the mounts and the network with theirs, and the keeper
// removes the directory and the cgroups. There is one way to end, and it needs no cooperation from the daemon.
//
// Two consequences: a container's State.Pid counts in the engine's own pid namespace, not in the host's, and the
// daemon's mounts are not visible outside. Its files, logs included, are.
package dockerd
