// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// TestReleaseImage does what `docker load` does, with the image of one platform on engines that keep images in their own way, and
// with the index of all on one that keeps them in containerd.
func TestReleaseImage(t *testing.T) {
	for name, test := range map[string]struct {
		pattern string
		opts    dockerd.Options
	}{
		"this machine's engine": {pattern: "*_linux_" + runtime.GOARCH + "_image.tar"},
		"28.5":                  {pattern: "*_linux_" + runtime.GOARCH + "_image.tar", opts: dockerd.Options{Version: "28.5"}},
		"28.5, containerd": {pattern: "*_images.tar", opts: dockerd.Options{
			Version: "28.5", ExtraArgs: []string{"--feature=containerd-snapshotter", "--storage-driver=overlayfs"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tar, err := os.Open(released(t, test.pattern))
			require.NoError(t, err)
			defer func() { _ = tar.Close() }()
			e := logstest.Engine(t, test.opts)
			if !e.Private() {
				t.Skip("an image would be left behind")
			}
			answer, err := e.Client().ImageLoad(t.Context(), tar)
			require.NoError(t, err)
			said, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			_, reference, found := strings.Cut(string(said), "Loaded image: ")
			require.True(t, found, "%s", said)
			reference = reference[:strings.IndexAny(reference, "\\\n\"")]
			assert.Contains(t, reference, "otelcol-dockerlogs:")

			info, err := e.Client().ImageInspect(t.Context(), reference)
			require.NoError(t, err)
			assert.Equal(t, "10001:10001", info.Config.User)
			assert.Equal(t, runtime.GOARCH, info.Architecture)
			assert.NotEmpty(t, info.Config.Labels["org.opencontainers.image.revision"])

			said = runImage(t, e, dockerd.ContainerSpec{Image: reference, Cmd: []string{"--version"}, ReadOnly: true})
			assert.Regexp(t, `^otelcol-dockerlogs version `+info.Config.Labels["org.opencontainers.image.version"]+`\n`, string(said))
			runImage(t, e, dockerd.ContainerSpec{Image: reference, Cmd: []string{"validate", "--config=/etc/otelcol-dockerlogs/config.yaml"}, ReadOnly: true})
		})
	}
}

// runImage gives what a container that ends successfully has written.
func runImage(t *testing.T, e *dockerd.Engine, spec dockerd.ContainerSpec) []byte {
	t.Helper()
	c, err := e.Run(t.Context(), spec)
	require.NoError(t, err)
	code, err := c.Wait(t.Context())
	require.NoError(t, err)
	body, err := e.Client().ContainerLogs(t.Context(), c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
	require.NoError(t, err)
	defer func() { _ = body.Close() }()
	var output strings.Builder
	_, err = stdcopy.StdCopy(&output, &output, body)
	require.NoError(t, err)
	require.Zero(t, code, output.String())
	return []byte(output.String())
}

// TestMeasureInstall measures how long it is from the .deb on a new Debian to the first captured line:
//
//	DOCKERLOGS_MEASURE=1 go test -run TestMeasureInstall -v ./internal/e2e
func TestMeasureInstall(t *testing.T) {
	if os.Getenv("DOCKERLOGS_MEASURE") != "1" {
		t.Skip("proves nothing: set DOCKERLOGS_MEASURE=1")
	}
	s := newSystem(t, "debian-12")
	deb := s.add(t, released(t, "*_"+runtime.GOARCH+".deb"))
	e := logstest.Engine(t)
	o := loggen.Options{Source: "writer", Rate: 10, Lines: 10_000}
	_, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
	require.NoError(t, err)

	s.write(t, "/etc/hosts", "127.0.0.1 localhost\n") // as every installed Debian has it
	began := time.Now()
	s.run(t, "dpkg", "-i", deb)
	installed := time.Now()
	s.write(t, packageConfig, `
receivers: {docker_logs: {storage: file_storage, start_at: beginning}}
extensions:
  file_storage: {directory: /var/lib/otelcol-dockerlogs/storage, create_directory: true}
exporters: {debug: {verbosity: detailed}}
service: {extensions: [file_storage], pipelines: {logs: {receivers: [docker_logs], exporters: [debug]}}}
`)
	cmd := s.command(packageName, "--config="+packageConfig)
	cmd.Env = append(cmd.Env, "SOCKET="+e.Socket())
	c := launch(t, cmd)
	ready := time.Now()
	c.says(t, "Body: ")
	first := time.Now()
	t.Logf("dpkg -i %.2f s, start until ready %.2f s, first line %.2f s later; together %.2f s",
		installed.Sub(began).Seconds(), ready.Sub(installed).Seconds(), first.Sub(ready).Seconds(), first.Sub(began).Seconds())
}
