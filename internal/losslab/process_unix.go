// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package losslab

import (
	"os/exec"
	"syscall"
)

// detach keeps a Ctrl-C for the laboratory from its clients, so that it can end them in order.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
