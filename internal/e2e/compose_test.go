// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.yaml.in/yaml/v3"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// compose runs docker-compose with deploy/compose.yaml.
type compose struct {
	env  []string
	args []string // before the command
}

func newCompose(t testing.TB, env ...string) *compose {
	t.Helper()
	needTool(t, "docker-compose", "docker-compose", "DOCKERLOGS_REQUIRE_COMPOSE")
	return &compose{env: env, args: []string{"--file", filepath.Join(deploy, "compose.yaml")}}
}

func (c *compose) run(t testing.TB, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker-compose", append(c.args, args...)...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Env = append(cmd.Env, "COMPOSE_HTTP_TIMEOUT=600")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("docker-compose %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return output, err
}

// TestComposeFile reads deploy/compose.yaml as docker-compose does.
func TestComposeFile(t *testing.T) {
	_, err := newCompose(t, "DOCKER_GID=").run(t, "config")
	require.ErrorContains(t, err, "the group of the engine's socket")

	output, err := newCompose(t, "DOCKER_GID=4321").run(t, "config")
	require.NoError(t, err)
	var file struct {
		Services map[string]struct {
			Image   string
			Ports   []any
			Volumes []any
		}
		Volumes map[string]any
	}
	require.NoError(t, yaml.Unmarshal(output, &file))
	require.Len(t, file.Services, 4)
	for name, service := range file.Services {
		assert.Regexp(t, `:v?\d+\.\d+\.\d+$`, service.Image, "%s: a fixed version", name)
		for _, port := range service.Ports {
			assert.Contains(t, fmt.Sprint(port), "127.0.0.1", name)
		}
		for _, volume := range service.Volumes {
			text, short := volume.(string) // the new docker-compose writes a mapping
			if !short {
				text = fmt.Sprint(volume.(map[string]any)["source"])
			}
			source, _, _ := strings.Cut(text, ":")
			if filepath.IsAbs(source) && !strings.HasPrefix(source, "/var/run/") {
				assert.DirExists(t, filepath.Dir(source), name)
				_, err := os.Stat(source)
				assert.NoError(t, err, name)
			}
		}
	}
	version, err := exec.Command(binary(t), "--version").Output()
	require.NoError(t, err)
	tag := strings.TrimPrefix(file.Services["collector"].Image, "otelcol-dockerlogs:")
	first, _, _ := strings.Cut(string(version), "\n")
	assert.Equal(t, "otelcol-dockerlogs version "+tag, first)
}

// standIn is a collector in the place of Loki, and the image of what is in dist.
const standIn = `
services:
  collector:
    build: {context: %s, target: prebuilt}
  loki:
    image: otelcol-dockerlogs:0.1.0
    user: "0"
    command: ["--config=env:CONFIG"]
    environment:
      CONFIG: |
        receivers:
          otlp: {protocols: {http: {endpoint: "0.0.0.0:3100", logs_url_path: /otlp/v1/logs}}}
        exporters:
          file: {path: /out/logs.json, flush_interval: 100ms}
        service:
          telemetry: {metrics: {level: none}}
          pipelines:
            logs: {receivers: [otlp], exporters: [file]}
    volumes: ["%s:/out"]
`

// TestComposeCollector brings the collector of deploy/compose.yaml up as it is, on an
// engine of its own, with another collector where Loki would be.
func TestComposeCollector(t *testing.T) {
	newCompose(t)
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("the engine's socket has to be on this host, and its ports free")
	}
	out := t.TempDir()
	file := filepath.Join(out, "logs.json")
	socket, err := os.Stat(e.Socket())
	require.NoError(t, err)
	group := strconv.Itoa(int(socket.Sys().(*syscall.Stat_t).Gid))
	c := newCompose(t, "DOCKER_HOST="+e.Host(), "DOCKER_SOCKET="+e.Socket(), "DOCKER_GID="+group)
	c.args = append(c.args, "--file", writeFile(t, "override.yaml", fmt.Sprintf(standIn, imageContext(t), out)), "--project-name", "deployed")
	for _, command := range []string{"build collector", "up --detach --no-deps loki collector"} {
		output, err := c.run(t, strings.Fields(command)...)
		require.NoError(t, err, "%s", output)
	}
	inspect := func() container.InspectResponse {
		output, err := c.run(t, "ps", "--quiet", "collector")
		require.NoError(t, err)
		info, err := e.Client().ContainerInspect(t.Context(), strings.TrimSpace(string(output)))
		require.NoError(t, err)
		return info
	}
	healthy := func() {
		t.Helper()
		if !assert.Eventually(t, func() bool { return inspect().State.Health.Status == container.Healthy }, 2*patience, 200*time.Millisecond) {
			output, _ := c.run(t, "logs", "collector")
			t.Fatalf("%+v\n%s", inspect().State, output)
		}
	}
	healthy()
	info := inspect()
	assert.Equal(t, "10001:10001", info.Config.User)
	assert.Equal(t, []string{group}, info.HostConfig.GroupAdd)
	assert.True(t, info.HostConfig.ReadonlyRootfs)
	assert.EqualValues(t, []string{"ALL"}, info.HostConfig.CapDrop)
	assert.Contains(t, strings.Join(info.HostConfig.SecurityOpt, " "), "no-new-privileges")
	assert.EqualValues(t, 512<<20, info.HostConfig.Memory)
	top, err := e.Client().ContainerTop(t.Context(), info.ID, []string{"-o", "pid,uid"})
	require.NoError(t, err)
	require.Len(t, top.Processes, 1)
	assert.Equal(t, "10001", top.Processes[0][1])

	// A container that writes while the collector is replaced, as for an upgrade.
	o := loggen.Options{Source: "writer", Rate: 500, Lines: 10_000, StderrShare: 0.2}
	writer, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return countRecords(t, file) > 1000 }, 2*patience, 100*time.Millisecond)
	_, err = c.run(t, "up", "--detach", "--no-deps", "--force-recreate", "collector")
	require.NoError(t, err)
	assert.NotEqual(t, info.ID, inspect().ID)
	_, err = writer.Wait(t.Context())
	require.NoError(t, err)
	healthy()
	require.Eventually(t, func() bool { return countRecords(t, file) >= int(o.Lines) }, 2*patience, 100*time.Millisecond)
	_, err = c.run(t, "stop")
	require.NoError(t, err)
	stopped := inspect().State
	assert.Zero(t, stopped.ExitCode, "%+v", stopped)

	var lines loggen.Checker
	lines.Expect(o)
	eachRecord(t, file, func(resource pcommon.Map, record plog.LogRecord) {
		name, _ := resource.Get("container.name")
		if assert.Equal(t, o.Source, name.Str(), "neither its own lines nor Loki's") {
			stream, _ := record.Attributes().Get("log.iostream")
			lines.Add(logstest.Body(record), stream.Str() == "stderr")
		}
	})
	tally := lines.Tallies()[o.Source]
	assert.Empty(t, tally.LostRanges)
	assert.Zero(t, tally.Damaged, "%v", tally.Examples)
	t.Logf("%d lines over a replacement, %d lost, %d repeated", o.Lines, tally.Lost, tally.Repeated)
}

// TestComposeFiles brings the collector up with deploy/compose.files.yaml too, and has it read the engine's own files.
func TestComposeFiles(t *testing.T) {
	newCompose(t)
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("the engine's socket has to be on this host, and its ports free")
	}
	engine, err := e.Client().Info(t.Context())
	require.NoError(t, err)
	socket, err := os.Stat(e.Socket())
	require.NoError(t, err)
	group := strconv.Itoa(int(socket.Sys().(*syscall.Stat_t).Gid))
	c := newCompose(t, "DOCKER_HOST="+e.Host(), "DOCKER_SOCKET="+e.Socket(), "DOCKER_GID="+group, "DOCKER_DATA_ROOT="+engine.DockerRootDir)
	c.args = append(c.args, "--file", filepath.Join(deploy, "compose.files.yaml"), "--file", writeFile(t, "override.yaml", fmt.Sprintf(filesStandIn, imageContext(t))),
		"--project-name", "files")
	for _, command := range []string{"build collector", "up --detach --no-deps collector"} {
		output, err := c.run(t, strings.Fields(command)...)
		require.NoError(t, err, "%s", output)
	}
	output, err := c.run(t, "ps", "--quiet", "collector")
	require.NoError(t, err)
	info, err := e.Client().ContainerInspect(t.Context(), strings.TrimSpace(string(output)))
	require.NoError(t, err)
	assert.Equal(t, "10001:0", info.Config.User)
	assert.EqualValues(t, []string{"ALL"}, info.HostConfig.CapDrop)
	assert.Empty(t, info.HostConfig.CapAdd)

	// The collector is there first: the directories of these are made inside its mount.
	for _, driver := range []string{"json-file", "local"} {
		o := loggen.Options{Source: driver, Rate: 50, Lines: 100}
		writer, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{LogDriver: driver}))
		require.NoError(t, err)
		_, err = writer.Wait(t.Context())
		require.NoError(t, err)
		var log string
		captured := func() bool {
			output, err := c.run(t, "logs", "--no-color", "collector")
			require.NoError(t, err)
			log = string(output)
			return strings.Contains(log, "container.name: Str("+writer.Name+")")
		}
		require.Eventually(t, captured, patience, time.Second, "%s", driver)
		unread := regexp.MustCompile(`not read.*` + writer.ID + `.*permission denied`).MatchString(log)
		assert.Equal(t, driver == "local", unread, "%s: the directory of local is root's alone", driver)
		require.NoError(t, writer.Remove(t.Context(), false), "the mount is in nobody's way")
		assert.NoDirExists(t, filepath.Join(engine.DockerRootDir, "containers", writer.ID))
	}
}

// filesStandIn says what the collector does, which sends nothing.
const filesStandIn = `
services:
  collector:
    build: {context: %s, target: prebuilt}
    command: ["--config=env:CONFIG"]
    environment:
      CONFIG: |
        receivers: {docker_logs: {strategy: file}}
        exporters: {debug: {verbosity: detailed}}
        service:
          telemetry: {metrics: {level: none}, logs: {level: debug}}
          pipelines:
            logs: {receivers: [docker_logs], exporters: [debug]}
`

// imageContext is a directory to build the image from, with what `make image` takes.
func imageContext(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(filepath.Join(dir, "deploy"), os.DirFS(deploy)))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "dist"), fs.ModePerm))
	for name, from := range map[string]string{
		"otelcol-dockerlogs":            binary(t),
		"otelcol-dockerlogs-containers": dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/cmd/containers"),
		"healthcheck":                   dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/cmd/healthcheck"),
	} {
		data, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "dist", name), data, 0o755))
	}
	return dir
}
