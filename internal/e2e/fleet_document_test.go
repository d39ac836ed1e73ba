// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// fleetBlock returns a configuration of docs/fleet.md, whose first line is its name as a comment.
func fleetBlock(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "fleet.md"))
	require.NoError(t, err)
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(block[2], "# "+name+"\n") {
			return block[2]
		}
	}
	t.Fatalf("docs/fleet.md has no block %s", name)
	return ""
}

// TestFleetTLS has an agent send to a gateway as docs/fleet.md adds TLS to the two, and one without a certificate, whose
// lines do not arrive.
func TestFleetTLS(t *testing.T) {
	e := logstest.Engine(t)
	files := startTLS(t, e.Host()).files // for its certificates
	agentTLS, gatewayTLS := fleetBlock(t, "agent-tls.yaml"), fleetBlock(t, "gateway-tls.yaml")
	for documented, option := range map[string]string{
		"ca.pem": "ca_file", "agent.pem": "cert_file", "agent.key": "key_file", "gateway.pem": "cert_file", "gateway.key": "key_file",
	} {
		documented = "/etc/otelcol-dockerlogs/" + documented
		require.Contains(t, agentTLS+gatewayTLS, documented)
		agentTLS = strings.ReplaceAll(agentTLS, documented, files[option])
		gatewayTLS = strings.ReplaceAll(gatewayTLS, documented, files[option])
	}
	o := loggen.Options{Source: "writer", Lines: 1_000}
	loki := startSink(t, 0, []loggen.Options{o})
	address := freeAddress(t)
	gateway := exec.Command(binary(t), "--config="+filepath.Join(deploy, "swarm", "gateway.yaml"), "--config="+writeFile(t, "gateway-tls.yaml", gatewayTLS),
		"--config="+writeFile(t, "here.yaml", fmt.Sprintf(fleetGateway, t.TempDir(), freeAddress(t), address)))
	gateway.Env = append(os.Environ(), "LOKI_ENDPOINT="+loki.server.URL)
	launch(t, gateway)
	agent := func(tls string) *collector {
		cmd := exec.Command(binary(t), "--config="+filepath.Join(deploy, "swarm", "agent.yaml"), "--config="+writeFile(t, "agent-tls.yaml", tls),
			"--config="+writeFile(t, "here.yaml", fmt.Sprintf(fleetAgent, t.TempDir(), freeAddress(t), t.TempDir(), "127.0.0.1", "0")))
		cmd.Env = append(os.Environ(), "DOCKER_HOST="+e.Host(), "GATEWAY=https://"+address)
		return launch(t, cmd)
	}

	_, err := e.Run(t.Context(), logstest.Loggen(o, dockerd.ContainerSpec{}))
	require.NoError(t, err)
	var config map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(agentTLS), &config))
	tls := config["exporters"].(map[string]any)["otlp_http"].(map[string]any)["tls"].(map[string]any)
	delete(tls, "cert_file")
	delete(tls, "key_file")
	anonymous, err := yaml.Marshal(config)
	require.NoError(t, err)
	stranger := agent(string(anonymous))
	stranger.says(t, "certificate required")
	stranger.terminate(t)
	received, _, _ := loki.progress()
	assert.Zero(t, received)

	known := agent(agentTLS)
	logstest.Eventually(t, "all lines arrive", func() bool { received, _, _ := loki.progress(); return received == int(o.Lines) })
	known.terminate(t)
	require.NoError(t, loki.checker.Err())
}

// TestComposeAgent reads the files of a host whose collector sends to a gateway.
func TestComposeAgent(t *testing.T) {
	c := newCompose(t, "DOCKER_GID=4321")
	for _, name := range []string{"compose.files.yaml", "compose.agent.yaml"} {
		c.args = append(c.args, "--file", filepath.Join(deploy, name))
	}
	_, err := c.run(t, "config")
	require.ErrorContains(t, err, "the URL of the gateway")
	c.env = append(c.env, "GATEWAY=https://gateway.example.com:4318")
	output, err := c.run(t, "config")
	require.NoError(t, err)
	assert.Contains(t, string(output), "https://gateway.example.com:4318")
	assert.Contains(t, string(output), "swarm/agent.yaml")
	assert.NotContains(t, string(output), "collector.yaml", "the other configuration is replaced")
}
