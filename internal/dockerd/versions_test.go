// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestVersions leads every engine that has been brought through a whole life.
func TestVersions(t *testing.T) {
	for _, version := range []string{"20.10", "26.1", "28.5"} {
		t.Run(version, func(t *testing.T) {
			RequireRootfs(t, "docker-"+version)
			e := privateEngine(t, Options{Version: version})
			ctx := testContext(t)
			have, err := e.Version(ctx)
			require.NoError(t, err)
			assert.Regexp(t, `^Docker Engine `+version+`\.\d+$`, have)
			c := runHello(ctx, t, e, ContainerSpec{Cmd: []string{"-stay"}, RestartPolicy: "always"})

			require.NoError(t, e.Pause())
			require.NoError(t, e.Resume())
			_, err = e.Client().Ping(ctx)
			require.NoError(t, err)

			greeted := func(n int) {
				await(t, "hello greets again", func() bool {
					stdout, _ := readLog(ctx, t, c)
					return strings.Count(stdout, "hello 0\n") == n
				})
			}
			require.NoError(t, e.Kill())
			require.NoError(t, e.Start(ctx))
			greeted(2)
			require.NoError(t, e.Restart(ctx))
			greeted(3)

			path, err := c.LogPath(ctx)
			require.NoError(t, err)
			text, err := os.ReadFile(path)
			require.NoError(t, err, "its files are ours to read")
			assert.Equal(t, 3, strings.Count(string(text), "hello 0"))
			require.NoError(t, e.Close())
			requireNothingLeft(t, e)
		})
	}
}

func TestVersionNotBrought(t *testing.T) {
	t.Setenv("DOCKERLOGS_ENGINES", t.TempDir())
	t.Setenv("DOCKERLOGS_DOCKERD", "")
	t.Setenv("DOCKERLOGS_ENGINE", "28.5")
	t.Setenv("DOCKER_HOST", "unix:///var/run/docker.sock") // which is of some version
	t.Setenv("DOCKERLOGS_REQUIRE_ENGINE", "1")             // which is for that one
	t.Setenv("DOCKERLOGS_REQUIRE_ENGINES", "20.10 podman-5")
	_, err := Start(testContext(t), Options{})
	require.ErrorContains(t, err, "make engines")
	assert.False(t, required("28.5"))
	assert.True(t, required("20.10"))
	assert.True(t, required("podman-5"))
	for name, ask := range map[string]func(t *testing.T){
		"engine":  func(t *testing.T) { Require(t) },
		"version": func(t *testing.T) { Require(t, Options{Version: "26.1"}) },
		"rootfs":  func(t *testing.T) { RequireRootfs(t, "podman-4") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() { assert.True(t, t.Skipped()) })
			ask(t)
		})
	}
}

// TestWhichDaemon: what a test says comes before what the environment says, and a binary before a version.
func TestWhichDaemon(t *testing.T) {
	engines := t.TempDir()
	t.Setenv("DOCKERLOGS_ENGINES", engines)
	require.NoError(t, os.MkdirAll(filepath.Join(engines, "docker-1.0"), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(engines, "docker-2.0"), 0o700))
	binary, err := os.Executable()
	require.NoError(t, err)
	brought := func(version string) daemon {
		return daemon{binary: daemonPath, rootfs: filepath.Join(engines, "docker-"+version)}
	}
	for _, c := range []struct {
		name            string
		opts            Options
		dockerd, engine string
		want            daemon
	}{
		{"binary of the test", Options{Binary: binary, Version: "1.0"}, "no-such-dockerd", "2.0", daemon{binary: binary}},
		{"version of the test", Options{Version: "1.0"}, binary, "2.0", brought("1.0")},
		{"binary of the environment", Options{}, binary, "2.0", daemon{binary: binary}},
		{"version of the environment", Options{}, "", "2.0", brought("2.0")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("DOCKERLOGS_DOCKERD", c.dockerd)
			t.Setenv("DOCKERLOGS_ENGINE", c.engine)
			have, err := findDaemon(c.opts)
			require.NoError(t, err)
			assert.Equal(t, c.want, have)
		})
	}
}
