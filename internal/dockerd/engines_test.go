// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bring runs engines.sh with a debootstrap that is a script; without one if that is empty.
func bring(t *testing.T, dir, debootstrap string, names ...string) (output string, err error) {
	t.Helper()
	bin := t.TempDir()
	for _, name := range []string{"uname", "id", "mkdir", "rm", "mv", "od", "tr", "tail", "flock", "unshare", "chroot", "mount", "sh", "touch"} {
		path, err := exec.LookPath(name)
		if err != nil {
			t.Skipf("engines.sh needs %s: %v", name, err)
		}
		require.NoError(t, os.Symlink(path, filepath.Join(bin, name)))
	}
	if debootstrap != "" {
		require.NoError(t, os.WriteFile(filepath.Join(bin, "debootstrap"), []byte("#!/bin/sh\n"+debootstrap), 0o755))
	}
	cmd := exec.Command("/bin/sh", append([]string{"engines.sh"}, names...)...)
	cmd.Env = []string{"PATH=" + bin, "DOCKERLOGS_ENGINES=" + dir}
	text, err := cmd.CombinedOutput()
	return string(text), err
}

func TestBringNeedsDebootstrap(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "engines")
	output, err := bring(t, dir, "")
	require.NoError(t, err, "%s", output)
	assert.Contains(t, output, "nothing done")
	assert.Contains(t, output, "debootstrap")
	assert.NoDirExists(t, dir)
}

// TestBring brings nothing that runs: what debootstrap leaves behind is none of our business here.
func TestBring(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can bring an engine")
	}
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "docker-28.5", "etc"), 0o755))
	output, err := bring(t, dir, "exit 1", "docker-28.5")
	require.NoError(t, err, "what is there is left alone: %s", output)
	assert.DirExists(t, filepath.Join(dir, "docker-28.5", "etc"))

	// Debootstrap ends with a mount that it has made: that may not stay, nor what there is be taken for an engine.
	const interrupted = `for target; do case $target in */.new-*) break ;; esac; done
mkdir -p "$target/proc" && mount -t proc proc "$target/proc" && touch "$target/half"
echo no luck
exit 1`
	for range 2 {
		output, err = bring(t, dir, interrupted, "podman-5")
		require.Error(t, err)
		assert.Contains(t, output, "no luck")
		assert.NoDirExists(t, filepath.Join(dir, "podman-5"))
		mounts, err := os.ReadFile("/proc/self/mountinfo")
		require.NoError(t, err)
		assert.NotContains(t, string(mounts), dir)
		left, err := os.ReadDir(filepath.Join(dir, ".new-podman-5", "proc"))
		require.NoError(t, err)
		assert.Empty(t, left)
	}

	output, err = bring(t, dir, "exit 1", "docker-1.0")
	require.Error(t, err)
	assert.True(t, strings.HasPrefix(output, "engines: docker-1.0 is not docker-20.10,"), output)
}
