// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// swarm is a Swarm of private engines, each with an address of its own on a network that they share. The first is the only
// manager, so that no test has to wait for an election.
type swarm struct {
	network *dockerd.Network
	nodes   []*swarmNode
}

type swarmNode struct {
	*dockerd.Engine
	address netip.Prefix
}

// switchAddress is that of the network itself, on which the test listens. The nodes' follow.
var switchAddress = netip.MustParsePrefix("10.83.0.1/24")

// startSwarm makes a Swarm of engines that have the images of the collector, as it is deployed, and of loggen.
func startSwarm(t testing.TB, size int) *swarm {
	t.Helper()
	needTool(t, "docker", "docker-cli or docker.io", "DOCKERLOGS_REQUIRE_SWARM")
	needTool(t, "ip", "iproute2", "DOCKERLOGS_REQUIRE_SWARM")
	s := &swarm{}
	for range size {
		e := logstest.Engine(t, dockerd.Options{Installed: true, ExtraArgs: []string{"--iptables=true"}})
		if !e.Private() {
			t.Skip("a Swarm takes engines of its own")
		}
		s.nodes = append(s.nodes, &swarmNode{Engine: e})
	}
	var err error
	s.network, err = dockerd.OpenNetwork(t.Context(), switchAddress)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.network.Close()) })
	image, address := imageContext(t), switchAddress.Addr()
	for _, n := range s.nodes {
		address = address.Next()
		n.address = netip.PrefixFrom(address, switchAddress.Bits())
		require.NoError(t, s.network.Join(t.Context(), n.Engine, n.address))
		n.docker(t, "build", "--quiet", "--target=prebuilt", "--tag=otelcol-dockerlogs:0.1.0", "--file="+filepath.Join(image, "deploy", "Dockerfile"), image)
	}
	s.nodes[0].docker(t, "swarm", "init", "--advertise-addr="+s.nodes[0].address.Addr().String(), "--task-history-limit=100", "--dispatcher-heartbeat=2s")
	for _, n := range s.nodes[1:] {
		s.join(t, n)
	}
	return s
}

// join makes a node a worker.
func (s *swarm) join(t testing.TB, n *swarmNode) {
	t.Helper()
	manager := s.nodes[0]
	token := manager.docker(t, "swarm", "join-token", "--quiet", "worker")
	n.docker(t, "swarm", "join", "--token="+token, "--advertise-addr="+n.address.Addr().String(), manager.address.Addr().String()+":2377")
	s.is(t, n.id(t), "ready")
}

// is waits until a manager says of a node that it is in a state, "ready" or "down".
func (s *swarm) is(t testing.TB, id, state string) {
	t.Helper()
	logstest.Eventually(t, "a node is "+state, func() bool {
		return s.nodes[0].docker(t, "node", "inspect", "--format={{.Status.State}}", id) == state
	})
}

// id is the node's in the Swarm. A node that runs knows it.
func (n *swarmNode) id(t testing.TB) string {
	t.Helper()
	return n.docker(t, "info", "--format={{.Swarm.NodeID}}")
}

// docker runs the command line with a node's engine and returns what it has printed.
func (n *swarmNode) docker(t testing.TB, args ...string) string {
	t.Helper()
	return n.dockerEnv(t, nil, args...)
}

// logs returns what a container of the node has printed.
func (n *swarmNode) logs(t testing.TB, id string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", "--host="+n.Host(), "logs", id)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	return string(output)
}

func (n *swarmNode) dockerEnv(t testing.TB, env []string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "docker", args...)
	cmd.Env = append(os.Environ(), "DOCKER_HOST="+n.Host(), "DOCKER_BUILDKIT=0", "DOCKER_CONFIG="+t.TempDir())
	cmd.Env = append(cmd.Env, env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	require.NoError(t, err, "%s: %s", cmd, stderr.Bytes())
	return strings.TrimSpace(string(output))
}

// running returns the ids of a service's containers that run on a node.
func (n *swarmNode) running(t testing.TB, service string) []string {
	t.Helper()
	return strings.Fields(n.docker(t, "ps", "--quiet", "--no-trunc", "--filter=label=com.docker.swarm.service.name="+service))
}

// held calls add for the lines of a stack's containers that the node's engine holds, running or not.
func (n *swarmNode) held(t testing.TB, stack string, add func(lineName)) {
	t.Helper()
	configs, err := filepath.Glob(filepath.Join(n.DataRoot(), "containers", "*", "config.v2.json"))
	require.NoError(t, err)
	for _, file := range configs {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var container struct {
			LogPath string
			Config  struct{ Labels map[string]string }
		}
		require.NoError(t, json.Unmarshal(text, &container))
		if container.LogPath == "" || container.Config.Labels["com.docker.stack.namespace"] != stack { // never started, or not asked for
			continue
		}
		text, err = os.ReadFile(filepath.Join(filepath.Dir(file), filepath.Base(container.LogPath)))
		require.NoError(t, err)
		for len(text) > 0 {
			line, rest, whole := bytes.Cut(text, []byte{'\n'})
			text = rest
			var entry struct{ Log string }
			if err := json.Unmarshal(line, &entry); err != nil || !whole {
				require.Empty(t, rest, "only the last line may be torn, or not yet whole")
				continue
			}
			name, err := nameOf([]byte(entry.Log))
			require.NoError(t, err)
			add(name)
		}
	}
}
