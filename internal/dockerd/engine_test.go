// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// within is the time that anything in these tests may take.
const within = 2 * time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	t.Cleanup(cancel)
	return ctx
}

// privateEngine is Require for tests that do what only a private engine allows.
func privateEngine(t *testing.T, opts ...Options) *Engine {
	t.Helper()
	e := Require(t, opts...)
	if !e.Private() {
		t.Skip(ErrNotPrivate)
	}
	return e
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, within, pollInterval, what)
}

func TestStartAndClose(t *testing.T) {
	before := describeDocker0(t)
	started := time.Now()
	e := privateEngine(t)
	t.Logf("start took %v on %s", time.Since(started), e.keeper.storageDriver)
	ctx := testContext(t)

	_, err := e.Client().Ping(ctx)
	require.NoError(t, err)
	assert.Equal(t, "unix://"+e.Socket(), e.Host())
	assert.DirExists(t, e.DataRoot())
	info, err := e.Client().Info(ctx)
	require.NoError(t, err)
	assert.Equal(t, e.DataRoot(), info.DockerRootDir)
	assert.Equal(t, "json-file", info.LoggingDriver)
	c := runHello(ctx, t, e, ContainerSpec{Cmd: []string{"-stay"}})
	assert.NotEmpty(t, processesOf(t, e))
	assert.NotEmpty(t, cgroupsOf(t, e))
	assert.Equal(t, before, describeDocker0(t), "docker0 while a private engine runs")

	closing := time.Now()
	require.NoError(t, e.Close())
	t.Logf("close took %v with a running container", time.Since(closing))
	requireNothingLeft(t, e)
	assert.Equal(t, before, describeDocker0(t), "docker0 after a private engine ran")

	assert.NoError(t, e.Close(), "a second Close")
	assert.Zero(t, e.Pid())
	assert.Error(t, c.Kill(ctx))
}

func TestTwoEngines(t *testing.T) {
	ctx := testContext(t)
	one, two := privateEngine(t), privateEngine(t)
	runHello(ctx, t, one, ContainerSpec{Name: "same", Cmd: []string{"-stay"}})
	runHello(ctx, t, two, ContainerSpec{Name: "same", Cmd: []string{"-stay"}})
	require.NoError(t, one.Close())
	requireNothingLeft(t, one)
	info, err := two.Client().Info(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, info.ContainersRunning, "closing one engine must not touch the other")
}

// TestDeadOwner kills a process that owns an engine, which then cannot close it.
func TestDeadOwner(t *testing.T) {
	if os.Getenv("DOCKERD_TEST_OWNER") == "1" {
		e := privateEngine(t)
		runHello(testContext(t), t, e, ContainerSpec{Cmd: []string{"-stay"}})
		require.NoError(t, e.Pause(), "a frozen daemon has to go too")
		fmt.Println("owner", e.root, e.cgroup)
		select {} // until killed
	}
	privateEngine(t) // skips where there is none, which the owner could not tell us
	owner := exec.Command(os.Args[0], "-test.run=^TestDeadOwner$", "-test.v")
	owner.Env = append(os.Environ(), "DOCKERD_TEST_OWNER=1")
	output, err := owner.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, owner.Start())
	var e Engine
	for lines := bufio.NewScanner(output); e.cgroup == "" && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "owner %s %s", &e.root, &e.cgroup)
	}
	require.NotEmpty(t, e.cgroup, "the owner did not start an engine")
	require.NotEmpty(t, processesOf(t, &e))

	require.NoError(t, owner.Process.Kill())
	require.Error(t, owner.Wait())
	await(t, "the keeper cleans up after a dead owner, then ends", func() bool { return len(processesOf(t, &e)) == 0 })
	requireNothingLeft(t, &e)
}

func TestStartFails(t *testing.T) {
	privateEngine(t) // skips where there is none
	ctx := testContext(t)

	t.Run("the daemon does not start", func(t *testing.T) {
		root := filepath.Join(shortDir(t), "engine")
		_, err := Start(ctx, Options{Root: root, ExtraArgs: []string{"--no-such-flag"}})
		require.ErrorContains(t, err, "no-such-flag", "the daemon's own words")
		assert.NoDirExists(t, root)
	})
	t.Run("no time", func(t *testing.T) {
		root := filepath.Join(shortDir(t), "engine")
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, err := Start(ctx, Options{Root: root})
		require.ErrorIs(t, err, context.Canceled)
		assert.NoDirExists(t, root)
	})
	t.Run("no daemon", func(t *testing.T) {
		_, err := Start(ctx, Options{Binary: "no-such-dockerd"})
		require.ErrorIs(t, err, exec.ErrNotFound)
	})
	t.Run("a directory in use", func(t *testing.T) {
		root := shortDir(t)
		precious := filepath.Join(root, "precious")
		require.NoError(t, os.WriteFile(precious, nil, 0o600))
		_, err := Start(ctx, Options{Root: root})
		require.ErrorContains(t, err, "not empty")
		assert.FileExists(t, precious)
	})
	t.Run("a long directory", func(t *testing.T) {
		root := filepath.Join(shortDir(t), strings.Repeat("x", maxRoot))
		_, err := Start(ctx, Options{Root: root})
		require.ErrorContains(t, err, "too long")
		assert.NoDirExists(t, root)
	})
}

// shortDir is t.TempDir with room for sockets below it.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "dl")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// describeDocker0 tells what the machine's bridge looks like, empty if it has none.
func describeDocker0(t *testing.T) string {
	t.Helper()
	bridge, err := net.InterfaceByName("docker0")
	if err != nil {
		return ""
	}
	addresses, err := bridge.Addrs()
	require.NoError(t, err)
	return fmt.Sprint(bridge, addresses)
}

func requireNothingLeft(t *testing.T, e *Engine) {
	t.Helper()
	require.Empty(t, processesOf(t, e), "processes")
	require.Empty(t, cgroupsOf(t, e), "cgroups")
	require.NoDirExists(t, e.root)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	require.NotContains(t, string(mounts), e.root, "mounts")
}

// processesOf finds what runs for an engine: its directory is in the command line of the daemon, of containerd and of
// the shims, and the containers are in its cgroup.
func processesOf(t *testing.T, e *Engine) []string {
	t.Helper()
	var found []string
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, dir := range processes {
		cmdline, _ := os.ReadFile(dir + "/cmdline") // the process may end at any moment
		cgroup, _ := os.ReadFile(dir + "/cgroup")
		if strings.Contains(string(cmdline), e.root) || strings.Contains(string(cgroup), e.cgroup) {
			found = append(found, dir+" "+strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
	return found
}

func cgroupsOf(t *testing.T, e *Engine) []string {
	t.Helper()
	v2, err := filepath.Glob("/sys/fs/cgroup/" + e.cgroup)
	require.NoError(t, err)
	v1, err := filepath.Glob("/sys/fs/cgroup/*/" + e.cgroup)
	require.NoError(t, err)
	return append(v2, v1...)
}
