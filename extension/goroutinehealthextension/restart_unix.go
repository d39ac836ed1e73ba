// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package goroutinehealthextension

import (
	"os"
	"syscall"
)

const canRestart = true

// restartPipelines has the Collector shut down its pipelines and extensions and rebuild
// them in this process, as it does when its configuration changes. SIGHUP, which it always
// listens for while it runs, is the only way in from a component.
func restartPipelines() error { return syscall.Kill(os.Getpid(), syscall.SIGHUP) }
