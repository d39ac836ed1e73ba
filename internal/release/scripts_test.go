// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestScriptsGoOn has systemd refuse everything, as it does for a unit that is masked: a script
// that fails would leave the package half installed, or half removed.
func TestScriptsGoOn(t *testing.T) {
	for _, tt := range []struct {
		script, args string
		booted       bool // with systemd
		calls        []string
	}{
		{"postinstall.sh", "configure 1.0", true, []string{"systemctl daemon-reload", "systemctl try-restart otelcol-dockerlogs"}},
		{"postinstall.sh", "configure 1.0", false, nil},
		{"preremove.sh", "remove", true, []string{"systemctl disable --now otelcol-dockerlogs", "systemctl stop otelcol-dockerlogs"}},
		{"preremove.sh", "remove", false, []string{"systemctl disable --quiet otelcol-dockerlogs"}},
		{"preremove.sh", "upgrade 1.1", true, nil},
		{"postremove.sh", "remove", true, []string{"systemctl daemon-reload"}},
		{"postremove.sh", "purge", true, []string{"systemctl daemon-reload", "userdel otelcol-dockerlogs"}},
		{"postremove.sh", "purge", false, []string{"userdel otelcol-dockerlogs"}},
	} {
		t.Run(tt.script+" "+tt.args, func(t *testing.T) {
			root := t.TempDir()
			for _, dir := range []string{"bin", "etc", "run", "var/lib/otelcol-dockerlogs"} {
				require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o700))
			}
			if tt.booted {
				require.NoError(t, os.MkdirAll(filepath.Join(root, "run/systemd/system"), 0o700))
			}
			program := func(name, script string) {
				require.NoError(t, os.WriteFile(filepath.Join(root, "bin", name), []byte("#!/bin/sh\n"+script), 0o700))
			}
			for _, name := range []string{"systemctl", "userdel"} {
				program(name, `echo "${0##*/} $*" >>"`+root+`/calls"; exit 1`)
			}
			program("id", "") // the user is there
			program("stat", "exit 1")
			for _, name := range []string{"rm", "rmdir", "cat"} {
				path, err := exec.LookPath(name)
				require.NoError(t, err)
				require.NoError(t, os.Symlink(path, filepath.Join(root, "bin", name)))
			}
			script := read(t, "deploy/packages/"+tt.script)
			for _, dir := range []string{"/run/", "/etc/", "/var/"} { // not those of this machine
				script = strings.ReplaceAll(script, dir, root+dir)
			}
			cmd := exec.Command("sh", append([]string{"-c", script, tt.script}, strings.Fields(tt.args)...)...)
			cmd.Env = []string{"PATH=" + filepath.Join(root, "bin")}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			require.NoError(t, cmd.Run(), "%s", &stderr)
			calls, err := os.ReadFile(filepath.Join(root, "calls"))
			if len(tt.calls) == 0 {
				require.ErrorIs(t, err, os.ErrNotExist)
				assert.Empty(t, stderr.String())
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.calls, strings.Split(strings.TrimSpace(string(calls)), "\n"))
			for line := range strings.Lines(stderr.String()) {
				assert.True(t, strings.HasPrefix(line, "otelcol-dockerlogs: "), line)
			}
			assert.NotEmpty(t, stderr.String(), "it says what has not been done")
		})
	}
}
