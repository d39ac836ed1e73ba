// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRestart(t *testing.T) {
	e := privateEngine(t)
	ctx := testContext(t)
	c := runHello(ctx, t, e, ContainerSpec{Cmd: []string{"-stay"}})
	always := runHello(ctx, t, e, ContainerSpec{Cmd: []string{"-stay"}, RestartPolicy: "always"})
	pid := e.Pid()

	began := time.Now()
	require.NoError(t, e.Restart(ctx))
	t.Logf("restart took %v", time.Since(began))
	assert.NotEqual(t, pid, e.Pid())
	code, err := c.Wait(ctx)
	require.NoError(t, err)
	assert.Zero(t, code, "the daemon stops its containers with SIGTERM")
	stdout, _ := readLog(ctx, t, c)
	assert.Equal(t, "hello 0\nbye\n", stdout)
	await(t, "the engine starts what it always restarts", func() bool {
		stdout, _ := readLog(ctx, t, always)
		return stdout == "hello 0\nbye\nhello 0\n"
	})
}

func TestStopAndStart(t *testing.T) {
	e := privateEngine(t)
	ctx := testContext(t)
	require.NoError(t, e.Start(ctx), "starting what runs")
	require.NoError(t, e.Stop(ctx))
	require.NoError(t, e.Stop(ctx), "stopping what does not run")
	assert.NoFileExists(t, e.Socket())
	assert.Zero(t, e.Pid())
	require.ErrorIs(t, e.Pause(), ErrNotRunning)
	_, err := e.CPU()
	require.ErrorIs(t, err, ErrNotRunning)
	require.NoError(t, e.Start(ctx))
	_, err = e.Client().Ping(ctx)
	require.NoError(t, err)
}

func TestKillAndStart(t *testing.T) {
	e := privateEngine(t)
	ctx := testContext(t)
	for range 3 { // its containerd dies a moment later: a race that the next start has to win every time
		c := runHello(ctx, t, e, ContainerSpec{Cmd: []string{"-stay"}})
		pid := e.Pid()
		require.NoError(t, e.Kill())
		_, err := e.Client().Ping(ctx)
		require.Error(t, err)

		began := time.Now()
		require.NoError(t, e.Start(ctx))
		t.Logf("start after kill took %v", time.Since(began))
		assert.NotEqual(t, pid, e.Pid())
		_, err = c.Wait(ctx)
		require.NoError(t, err, "a new daemon stops the containers of a dead one")
		stdout, _ := readLog(ctx, t, c)
		assert.Contains(t, stdout, "hello 0\n")
	}
}

func TestKillWithLiveRestore(t *testing.T) {
	e := privateEngine(t, Options{ExtraArgs: []string{"--live-restore"}})
	ctx := testContext(t)
	c := runHello(ctx, t, e, ContainerSpec{Cmd: []string{"-stay"}})
	require.NoError(t, e.Kill())
	require.NoError(t, e.Start(ctx))
	require.NoError(t, c.Stop(ctx, 10*time.Second))
	code, err := c.Wait(ctx)
	require.NoError(t, err)
	assert.Zero(t, code)
	stdout, _ := readLog(ctx, t, c)
	assert.Equal(t, "hello 0\nbye\n", stdout, "the container lived through it")
}

func TestPauseAndResume(t *testing.T) {
	e := privateEngine(t)
	ctx := testContext(t)
	require.NoError(t, e.Pause())
	require.NoError(t, e.Pause(), "freezing what is frozen")
	answered := make(chan error, 1)
	go func() {
		_, err := e.Client().Ping(ctx)
		answered <- err
	}()
	// That nothing comes has no event to wait for.
	select {
	case err := <-answered:
		t.Fatalf("a frozen daemon answered: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	require.NoError(t, e.Resume())
	require.NoError(t, <-answered)

	require.NoError(t, e.Pause())
	require.NoError(t, e.Stop(ctx), "stopping a frozen daemon")
}

func TestMeasures(t *testing.T) {
	e := privateEngine(t)
	ctx := testContext(t)
	goroutines, err := e.Goroutines(ctx)
	require.NoError(t, err)
	assert.Positive(t, goroutines)
	fds, err := e.FDs(ctx)
	require.NoError(t, err)
	assert.Positive(t, fds)

	before, err := e.CPU()
	require.NoError(t, err)
	await(t, "a daemon that works takes processor time", func() bool {
		_, err := e.Client().Info(ctx)
		require.NoError(t, err)
		after, err := e.CPU()
		require.NoError(t, err)
		return after > before
	})
}

func TestOptions(t *testing.T) {
	e := privateEngine(t, Options{
		Root:      filepath.Join(shortDir(t), "engine"),
		LogDriver: "local",
		ExtraArgs: []string{"--storage-driver=vfs"}, // what is chosen where overlay2 does not work
	})
	ctx := testContext(t)
	info, err := e.Client().Info(ctx)
	require.NoError(t, err)
	assert.Equal(t, "local", info.LoggingDriver)
	assert.Equal(t, "vfs", info.Driver)
	runHello(ctx, t, e, ContainerSpec{})
}

// TestConnect uses a private engine as if it were somebody else's.
func TestConnect(t *testing.T) {
	owner := privateEngine(t)
	ctx := testContext(t)
	theirs := runHello(ctx, t, owner, ContainerSpec{Cmd: []string{"-stay"}})

	e, err := Connect(ctx, owner.Host())
	require.NoError(t, err)
	assert.False(t, e.Private())
	assert.Equal(t, owner.Socket(), e.Socket())
	assert.Empty(t, e.DataRoot())
	assert.Empty(t, e.LogTail(1))
	assert.Zero(t, e.Pid())
	for name, act := range map[string]func() error{
		"start":   func() error { return e.Start(ctx) },
		"stop":    func() error { return e.Stop(ctx) },
		"restart": func() error { return e.Restart(ctx) },
		"kill":    e.Kill,
		"pause":   e.Pause,
		"resume":  e.Resume,
		"cpu":     func() error { _, err := e.CPU(); return err },
	} {
		assert.ErrorIs(t, act(), ErrNotPrivate, name)
	}
	_, err = e.Goroutines(ctx)
	require.NoError(t, err)

	ours := ContainerSpec{Image: "ours", Cmd: []string{"-stay"}}
	require.NoError(t, e.Import(ctx, ours.Image, map[string]string{"/hello": Binary(t, hello)}, ImageOptions{Entrypoint: []string{"/hello"}}))
	_, err = e.RunMany(ctx, 3, func(int) ContainerSpec { return ours })
	require.NoError(t, err)
	gone, err := e.Run(ctx, ours)
	require.NoError(t, err)
	require.NoError(t, gone.Remove(ctx, true))
	require.NoError(t, e.Close())

	info, err := owner.Client().Info(ctx)
	require.NoError(t, err)
	assert.Equal(t, 1, info.Containers, "only what was made through the closed Engine is removed")
	assert.Equal(t, 1, info.Images)
	require.NoError(t, theirs.Kill(ctx))
}

func TestConnectFails(t *testing.T) {
	_, err := Connect(testContext(t), "unix:///no/such/socket")
	require.ErrorContains(t, err, "/no/such/socket")
}

// TestRequireElsewhere checks the choice of an engine where no private one can be started.
func TestRequireElsewhere(t *testing.T) {
	owner := privateEngine(t)
	ctx := testContext(t)
	none := Options{Binary: "no-such-dockerd"}

	t.Setenv("DOCKER_HOST", owner.Host())
	e, err := obtain(ctx, none)
	require.NoError(t, err)
	assert.False(t, e.Private())
	require.NoError(t, e.Close())

	t.Setenv("DOCKER_HOST", "")
	_, err = obtain(ctx, none)
	require.ErrorContains(t, err, "no-such-dockerd")

	t.Setenv("DOCKERLOGS_REQUIRE_ENGINE", "")
	skipped := t.Run("none", func(t *testing.T) {
		t.Cleanup(func() { assert.True(t, t.Skipped()) })
		Require(t, none)
	})
	assert.True(t, skipped, "a skip is no failure")
}
