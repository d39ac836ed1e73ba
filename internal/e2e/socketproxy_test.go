// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// socketProxy is HAProxy with deploy/socket-proxy/haproxy.cfg in front of an engine.
type socketProxy struct {
	endpoint string
	output   output
}

func startSocketProxy(t testing.TB, host string) *socketProxy {
	t.Helper()
	needTool(t, "haproxy", "haproxy", "DOCKERLOGS_REQUIRE_HAPROXY")
	text, err := os.ReadFile(filepath.Join(deploy, "socket-proxy", "haproxy.cfg"))
	require.NoError(t, err)
	config, address := string(text), freeAddress(t)
	for deployed, here := range map[string]string{
		"bind :2375": "bind " + address, "unix@/var/run/docker.sock": "unix@" + strings.TrimPrefix(host, "unix://"),
	} {
		require.Contains(t, config, deployed)
		config = strings.ReplaceAll(config, deployed, here)
	}
	p := &socketProxy{endpoint: "tcp://" + address}
	cmd := exec.Command("haproxy", "-db", "-f", writeFile(t, "haproxy.cfg", config))
	spawn(t, cmd, &p.output)
	require.Eventually(t, func() bool {
		response, err := http.Get("http://" + address + "/_ping")
		if err != nil {
			return false
		}
		return assert.NoError(t, response.Body.Close()) && response.StatusCode == http.StatusOK
	}, patience, 20*time.Millisecond, "%s", p.output.tail())
	return p
}

// refused returns the requests that were not let through, of the log: method and path.
func (p *socketProxy) refused() (requests []string) {
	for line := range strings.Lines(p.output.String()) {
		if fields := strings.Fields(line); len(fields) == 5 && fields[1] == "403" {
			requests = append(requests, fields[3]+" "+fields[4])
		}
	}
	return requests
}

// TestSocketProxy asks the proxy for what it should let through, and for what else engines offer.
func TestSocketProxy(t *testing.T) {
	engine := enginetest.New()
	c := engine.Add(enginetest.ContainerSpec{Name: "web", Running: true})
	p := startSocketProxy(t, engine.Listen(t))
	status := func(method, path string) int {
		request, err := http.NewRequestWithContext(t.Context(), method, "http"+strings.TrimPrefix(p.endpoint, "tcp")+path, nil)
		require.NoError(t, err)
		response, err := http.DefaultTransport.RoundTrip(request) // follows no redirection
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	for _, path := range []string{
		"/_ping", "/version", "/v1.41/version", "/v1.41/info", "/v1.41/containers/json?all=1", "/v1.41/containers/" + c.ID() + "/json",
		"/v1.41/containers/" + c.ID() + "/logs?stdout=1&tail=1", "/v1.41/events?until=1",
	} {
		assert.Equal(t, http.StatusOK, status(http.MethodGet, path), path)
	}
	asked := len(engine.Requests())
	var refused []string
	for _, request := range []string{
		"POST /v1.41/containers/create", "POST /_ping", "HEAD /_ping", "DELETE /v1.41/containers/" + c.ID(),
		"PUT /v1.41/containers/" + c.ID() + "/archive", "GET /v1.41/containers/" + c.ID() + "/archive", "GET /v1.41/containers/" + c.ID() + "/export",
		"GET /v1.41/containers/" + c.ID() + "/attach/ws", "GET /v1.41/containers/web/json", "GET /v1.41/images/json", "GET /v1.41/secrets",
		"GET /v1.41/containers/../images/json", "GET /v1.41/info/", "GET //info", "GET /v1.41/containers/" + c.ID() + "/logs/../archive",
	} {
		method, path, _ := strings.Cut(request, " ")
		assert.Equal(t, http.StatusForbidden, status(method, path), request)
		refused = append(refused, request)
	}
	assert.Len(t, engine.Requests(), asked, "the engine has heard of none")
	require.Eventually(t, func() bool { return len(p.refused()) == len(refused) }, patience, 20*time.Millisecond, "%s", p.output.tail())
	assert.ElementsMatch(t, refused, p.refused(), "the log tells all, and only these")
}

// TestComposeProxyFile holds that with deploy/compose.proxy.yaml only the proxy has the engine's socket.
func TestComposeProxyFile(t *testing.T) {
	c := newCompose(t, "DOCKER_GID=4321")
	c.args = append(c.args, "--file", filepath.Join(deploy, "compose.proxy.yaml"))
	text, err := c.run(t, "config")
	require.NoError(t, err)
	var file struct {
		Services map[string]struct {
			Image       string
			Environment any
			Networks    any
			Volumes     []any
		}
		Networks map[string]struct{ Internal bool }
	}
	require.NoError(t, yaml.Unmarshal(text, &file))
	require.Len(t, file.Services, 5)
	for name, service := range file.Services {
		mounts, err := yaml.Marshal(service.Volumes)
		require.NoError(t, err)
		bound := strings.Contains(string(mounts), "/var/run/docker.sock:") || strings.Contains(string(mounts), "source: /var/run/docker.sock")
		assert.Equal(t, name == "socket-proxy", bound, "%s: %s", name, mounts)
	}
	assert.Regexp(t, `:\d+\.\d+\.\d+$`, file.Services["socket-proxy"].Image)
	assert.Contains(t, string(text), "tcp://socket-proxy:2375")
	assert.True(t, file.Networks["engine"].Internal)
}

// proxyStandIn is HAProxy as this machine has it, in an image like its own, and a collector that says what it captures.
const proxyStandIn = `
services:
  socket-proxy:
    image: haproxy-stand-in
    build: {context: %s}
  collector:
    build: {context: %s, target: prebuilt}
    command: ["--config=env:CONFIG"]
    environment:
      CONFIG: |
        receivers: {docker_logs: {}}
        exporters: {debug: {verbosity: detailed}}
        service:
          telemetry: {metrics: {level: none}}
          pipelines:
            logs: {receivers: [docker_logs], exporters: [debug]}
`

const proxyDockerfile = `
FROM scratch
COPY . /
USER 99:99
CMD ["/usr/sbin/haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
`

var library = regexp.MustCompile(`(?m)(/\S+) \(0x`)

// TestComposeProxy brings the collector up with deploy/compose.proxy.yaml too, and has it capture a container through the proxy.
func TestComposeProxy(t *testing.T) {
	needTool(t, "haproxy", "haproxy", "DOCKERLOGS_REQUIRE_HAPROXY")
	newCompose(t)
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("the engine's socket has to be on this host, and its ports free")
	}
	haproxy, err := exec.LookPath("haproxy")
	require.NoError(t, err)
	libraries, err := exec.Command("ldd", haproxy).Output()
	require.NoError(t, err)
	image := t.TempDir()
	put := func(from, to string) {
		data, err := os.ReadFile(from)
		require.NoError(t, err)
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(image, to)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(image, to), data, 0o755))
	}
	put(haproxy, "/usr/sbin/haproxy")
	for _, match := range library.FindAllStringSubmatch(string(libraries), -1) {
		put(match[1], match[1])
	}
	require.NoError(t, os.WriteFile(filepath.Join(image, "Dockerfile"), []byte(proxyDockerfile), 0o600))

	socket, err := os.Stat(e.Socket())
	require.NoError(t, err)
	group := strconv.Itoa(int(socket.Sys().(*syscall.Stat_t).Gid))
	c := newCompose(t, "DOCKER_HOST="+e.Host(), "DOCKER_SOCKET="+e.Socket(), "DOCKER_GID="+group)
	c.args = append(c.args, "--file", filepath.Join(deploy, "compose.proxy.yaml"),
		"--file", writeFile(t, "override.yaml", fmt.Sprintf(proxyStandIn, image, imageContext(t))), "--project-name", "proxied")
	for _, command := range []string{"build collector socket-proxy", "up --detach --no-deps socket-proxy collector"} {
		output, err := c.run(t, strings.Fields(command)...)
		require.NoError(t, err, "%s", output)
	}
	o := loggen.Options{Source: "writer", Lines: 10}
	writer, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
	require.NoError(t, err)
	_, err = writer.Wait(t.Context())
	require.NoError(t, err)
	logs := func(service string) string {
		output, err := c.run(t, "logs", "--no-color", service)
		require.NoError(t, err)
		return string(output)
	}
	if !assert.Eventually(t, func() bool { return strings.Contains(logs("collector"), string(o.Line(o.Lines).Body)) }, patience, time.Second) {
		t.Fatalf("%s\n%s", logs("socket-proxy"), logs("collector"))
	}
	assert.NotContains(t, logs("socket-proxy"), " 403 ")

	output, err := c.run(t, "ps", "--quiet", "collector")
	require.NoError(t, err)
	info, err := e.Client().ContainerInspect(t.Context(), strings.TrimSpace(string(output)))
	require.NoError(t, err)
	for _, mount := range info.Mounts {
		assert.NotEqual(t, e.Socket(), mount.Source)
	}
}
