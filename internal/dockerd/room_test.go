// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRoom(t *testing.T) {
	for _, name := range []string{"", "docker-28.5", "podman-5"} {
		t.Run("rootfs "+name, func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Skip("only root can make a room")
			}
			rootfs := ""
			if name != "" {
				rootfs = RequireRootfs(t, name)
			}
			r, err := OpenRoom(testContext(t), rootfs)
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, r.Close()) })

			file := filepath.Join(r.Dir, "release")
			require.NoError(t, r.Run(exec.Command("/bin/sh", "-c", "cat /etc/os-release >"+file)))
			have, err := os.ReadFile(file)
			require.NoError(t, err, "its files are ours")
			want, err := os.ReadFile(filepath.Join(rootfs, "/etc/os-release"))
			require.NoError(t, err)
			assert.Equal(t, string(want), string(have))
			err = r.Run(exec.Command("/bin/sh", "-c", "echo no luck; exit 3"))
			require.ErrorContains(t, err, "exit status 3: no luck")

			// One that nobody ends.
			sleeper := exec.Command("/bin/sh", "-c", "echo ready; sleep 1000")
			output, err := sleeper.StdoutPipe()
			require.NoError(t, err)
			wait, err := r.Start(sleeper)
			require.NoError(t, err)
			_, err = output.Read(make([]byte, 1))
			require.NoError(t, err)
			require.NoError(t, r.Close())
			require.ErrorContains(t, wait(), "killed")
			assert.NoDirExists(t, r.Dir)
			mounts, err := os.ReadFile("/proc/self/mountinfo")
			require.NoError(t, err)
			assert.NotContains(t, string(mounts), r.Dir)
		})
	}
}
