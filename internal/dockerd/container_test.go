// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const hello = "github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd/internal/hello"

// runHello runs a container of hello and waits for its greeting to be in the log, where it stays readable.
func runHello(ctx context.Context, t *testing.T, e *Engine, spec ContainerSpec) *Container {
	t.Helper()
	spec.Image = importHello(ctx, t, e)
	c, err := e.Run(ctx, spec)
	require.NoError(t, err)
	if !spec.AutoRemove {
		await(t, "hello greets", func() bool {
			stdout, stderr := readLog(ctx, t, c)
			return strings.Contains(stdout+stderr, "env") && strings.Contains(stdout, "hello")
		})
	}
	return c
}

func importHello(ctx context.Context, t *testing.T, e *Engine) string {
	t.Helper()
	const ref = "hello:test"
	if _, err := e.Client().ImageInspect(ctx, ref); err == nil {
		return ref
	}
	files := map[string]string{"/usr/bin/hello": Binary(t, hello)}
	require.NoError(t, e.Import(ctx, ref, files, ImageOptions{Entrypoint: []string{"/usr/bin/hello"}}))
	return ref
}

func readLog(ctx context.Context, t *testing.T, c *Container) (stdout, stderr string) {
	t.Helper()
	body, err := c.engine.Client().ContainerLogs(ctx, c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	require.NoError(t, err)
	defer body.Close()
	var out, errs bytes.Buffer
	_, err = stdcopy.StdCopy(&out, &errs, body)
	require.NoError(t, err)
	return out.String(), errs.String()
}

func TestContainers(t *testing.T) {
	e := Require(t)
	t.Run("image", func(t *testing.T) { testImage(t, e) })
	t.Run("spec", func(t *testing.T) { testSpec(t, e) })
	t.Run("life", func(t *testing.T) { testLife(t, e) })
	t.Run("auto remove", func(t *testing.T) { testAutoRemove(t, e) })
	t.Run("log path", func(t *testing.T) { testLogPath(t, e) })
	t.Run("errors", func(t *testing.T) { testErrors(t, e) })
}

func testImage(t *testing.T, e *Engine) {
	ctx := testContext(t)
	files := map[string]string{"/opt/deep/down/hello": Binary(t, hello), "etc/extra": Binary(t, hello)}
	odd := `a "quoted" $PATH \ 100%`
	require.NoError(t, e.Import(ctx, "odd:test", files, ImageOptions{
		Entrypoint: []string{"/opt/deep/down/hello"},
		Cmd:        []string{"-lines", "2"},
		Env:        map[string]string{"GREETING": odd, "OTHER": "x"},
		Labels:     map[string]string{"com.example.odd": odd},
		User:       "7:8",
	}))
	c, err := e.Run(ctx, ContainerSpec{Image: "odd:test"})
	require.NoError(t, err)
	code, err := c.Wait(ctx)
	require.NoError(t, err)
	assert.Zero(t, code)
	stdout, stderr := readLog(ctx, t, c)
	assert.Equal(t, "hello 0\nhello 1\n", stdout)
	assert.Equal(t, "env "+odd+" uid 7\n", stderr)
	info, err := e.Client().ContainerInspect(ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, odd, info.Config.Labels["com.example.odd"])

	err = e.Import(ctx, "bad:test", files, ImageOptions{Labels: map[string]string{"a": "b\nc"}})
	require.ErrorContains(t, err, "line breaks")
	err = e.Import(ctx, "bad:test", map[string]string{"/a": "/no/such/file"}, ImageOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func testSpec(t *testing.T, e *Engine) {
	ctx := testContext(t)
	dir := t.TempDir()
	c := runHello(ctx, t, e, ContainerSpec{
		Name:          "spec",
		Cmd:           []string{"-stay"},
		Env:           map[string]string{"GREETING": "good day"},
		Labels:        map[string]string{"a": "b"},
		User:          "3",
		LogDriver:     "local",
		LogOpts:       map[string]string{"max-size": "1m"},
		Binds:         []string{dir + ":/data:ro"},
		RestartPolicy: "on-failure:2",
		ReadOnly:      true,
	})
	_, stderr := readLog(ctx, t, c)
	assert.Equal(t, "env good day uid 3\n", stderr)
	info, err := e.Client().ContainerInspect(ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, "/spec", info.Name)
	assert.Equal(t, "b", info.Config.Labels["a"])
	assert.Equal(t, container.LogConfig{Type: "local", Config: map[string]string{"max-size": "1m"}}, info.HostConfig.LogConfig)
	assert.Equal(t, container.RestartPolicy{Name: "on-failure", MaximumRetryCount: 2}, info.HostConfig.RestartPolicy)
	assert.Equal(t, container.NetworkMode("none"), info.HostConfig.NetworkMode)
	assert.True(t, info.HostConfig.ReadonlyRootfs)
	require.Len(t, info.Mounts, 1)
	assert.Equal(t, dir, info.Mounts[0].Source)
	require.NoError(t, c.Kill(ctx))

	tty, err := e.Run(ctx, ContainerSpec{Image: importHello(ctx, t, e), TTY: true})
	require.NoError(t, err)
	_, err = tty.Wait(ctx)
	require.NoError(t, err)
	body, err := e.Client().ContainerLogs(ctx, tty.ID, container.LogsOptions{ShowStdout: true})
	require.NoError(t, err)
	defer body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(body)
	require.NoError(t, err)
	assert.Contains(t, text.String(), "hello 0\r\n")
}

func testLife(t *testing.T, e *Engine) {
	ctx := testContext(t)
	c, err := e.Create(ctx, ContainerSpec{Image: importHello(ctx, t, e), Cmd: []string{"-stay", "-exit", "3"}})
	require.NoError(t, err)
	assert.Equal(t, "created", state(ctx, t, c))
	require.NoError(t, c.Start(ctx))
	assert.Equal(t, "running", state(ctx, t, c))
	require.NoError(t, c.Pause(ctx))
	assert.Equal(t, "paused", state(ctx, t, c))
	require.NoError(t, c.Unpause(ctx))
	require.NoError(t, c.Rename(ctx, c.Name+"-renamed"))
	info, err := e.Client().ContainerInspect(ctx, c.ID)
	require.NoError(t, err)
	assert.Equal(t, "/"+c.Name, info.Name)

	await(t, "hello greets", func() bool { _, stderr := readLog(ctx, t, c); return stderr != "" })
	require.NoError(t, c.Restart(ctx, 10*time.Second))
	await(t, "hello greets again", func() bool { _, stderr := readLog(ctx, t, c); return strings.Count(stderr, "\n") == 2 })
	require.NoError(t, c.Stop(ctx, 10*time.Second))
	code, err := c.Wait(ctx)
	require.NoError(t, err)
	assert.Equal(t, 3, code)

	require.NoError(t, c.Start(ctx))
	require.Error(t, c.Remove(ctx, false), "a running container")
	require.NoError(t, c.Kill(ctx))
	code, err = c.Wait(ctx)
	require.NoError(t, err)
	assert.Equal(t, 137, code)
	require.NoError(t, c.Remove(ctx, false))
	_, err = c.Wait(ctx)
	assert.True(t, cerrdefs.IsNotFound(err), err)
}

func state(ctx context.Context, t *testing.T, c *Container) string {
	t.Helper()
	info, err := c.engine.Client().ContainerInspect(ctx, c.ID)
	require.NoError(t, err)
	return info.State.Status
}

func testAutoRemove(t *testing.T, e *Engine) {
	ctx := testContext(t)
	c := runHello(ctx, t, e, ContainerSpec{AutoRemove: true, Cmd: []string{"-exit", "5"}})
	await(t, "the engine removes it", func() bool {
		_, err := e.Client().ContainerInspect(ctx, c.ID)
		return cerrdefs.IsNotFound(err)
	})
	code, err := c.Wait(ctx)
	require.NoError(t, err, "its exit code outlives it")
	assert.Equal(t, 5, code)
}

func testLogPath(t *testing.T, e *Engine) {
	ctx := testContext(t)
	for _, driver := range []string{"", "json-file", "local"} {
		if driver == "local" && !e.Private() {
			continue
		}
		c := runHello(ctx, t, e, ContainerSpec{LogDriver: driver, Cmd: []string{"-stay"}})
		file, err := c.LogPath(ctx)
		require.NoError(t, err)
		if e.Private() {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Contains(t, string(text), "hello 0")
			assert.True(t, strings.HasPrefix(file, e.DataRoot()+string(filepath.Separator)), file)
		}
		require.NoError(t, c.Remove(ctx, true))
	}
	c, err := e.Run(ctx, ContainerSpec{LogDriver: "none", Image: importHello(ctx, t, e)})
	require.NoError(t, err)
	_, err = c.LogPath(ctx)
	require.ErrorContains(t, err, `"none"`)
}

func testErrors(t *testing.T, e *Engine) {
	ctx := testContext(t)
	image := importHello(ctx, t, e)
	_, err := e.Run(ctx, ContainerSpec{Image: "no-such-image"})
	assert.True(t, cerrdefs.IsNotFound(err), err)
	_, err = e.Run(ctx, ContainerSpec{Image: image, RestartPolicy: "on-failure:often"})
	require.ErrorContains(t, err, "restart policy")
	_, err = e.Run(ctx, ContainerSpec{Name: "broken", Image: image, User: "nobody-here"})
	require.Error(t, err)
	_, err = e.Client().ContainerInspect(ctx, "broken")
	assert.True(t, cerrdefs.IsNotFound(err), "one that does not start is removed")

	c := runHello(ctx, t, e, ContainerSpec{Cmd: []string{"-stay"}})
	soon, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = c.Wait(soon)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, c.Kill(ctx))
}

func TestRunMany(t *testing.T) {
	e := Require(t)
	ctx := testContext(t)
	image := importHello(ctx, t, e)
	const n = 20
	spec := func(i int) ContainerSpec {
		return ContainerSpec{Name: fmt.Sprintf("many-%d", i), Image: image, Cmd: []string{"-stay"}}
	}
	began := time.Now()
	containers, err := e.RunMany(ctx, n, spec)
	require.NoError(t, err)
	t.Logf("%d containers took %v", n, time.Since(began))
	require.Len(t, containers, n)
	for i, c := range containers {
		assert.Equal(t, fmt.Sprintf("many-%d", i), c.Name)
	}

	containers, err = e.RunMany(ctx, 100, func(i int) ContainerSpec {
		if i == 3 {
			return spec(i) // the name is taken
		}
		return ContainerSpec{Image: image}
	})
	assert.True(t, cerrdefs.IsConflict(err), err)
	require.Len(t, containers, 100)
	assert.Nil(t, containers[3])
	assert.Nil(t, containers[99], "none is begun after one failed")
}

func TestParallel(t *testing.T) {
	require.NoError(t, parallel(t.Context(), 0, nil))
	boom := errors.New("boom")
	require.ErrorIs(t, parallel(t.Context(), 5, func(i int) error {
		if i == 2 {
			return boom
		}
		return nil
	}), boom)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, parallel(ended, 5, nil), context.Canceled)
}
