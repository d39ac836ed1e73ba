// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package goroutinehealthextension

import (
	"os"
	"os/signal"
	"syscall"
)

const canRestart = true

// hangups takes what nobody reads. While something is notified of SIGHUP it does not end the
// process, which it does by default, with a status that systemd takes for a clean end.
var hangups = make(chan os.Signal, 1)

// restartPipelines has the Collector shut down its pipelines and extensions and rebuild
// them in this process, as it does when its configuration changes. SIGHUP, which it always
// listens for while it runs, is the only way in from a component.
func restartPipelines() error {
	signal.Notify(hangups, syscall.SIGHUP)
	return syscall.Kill(os.Getpid(), syscall.SIGHUP)
}
