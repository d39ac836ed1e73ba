// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// testFromScratch runs the binary as a container would that holds nothing else: PID 1 of a root directory without /etc, /tmp or /proc.
// The kernel drops a signal that PID 1 has no handler for, so that this is where a missing one shows.
func testFromScratch(t *testing.T, binary string) {
	root := t.TempDir()
	text, err := os.ReadFile(binary)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "loggen"), text, 0o755))
	cmd := exec.Command("/loggen")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Cloneflags: syscall.CLONE_NEWPID}
	testSignals(t, cmd, root)
}
