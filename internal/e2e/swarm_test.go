// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// shop is a stack that writes numbered lines, with the id of its task as their source.
const shop = `
version: "3.9"
services:
  web: &service
    image: loggen:test
    hostname: "{{.Task.ID}}"
    command: [--rate=%d, --stderr-share=0.2]
    deploy: &deploy
      replicas: 6
      restart_policy: {condition: any, delay: 1s}
      placement: {constraints: ["node.labels.leaving != true"]}
  worker:
    <<: *service
    deploy:
      <<: *deploy
      replicas: 3
`

// hastyUpdates leaves less time between two nodes, and until a task is known to be healthy.
const hastyUpdates = `
version: "3.9"
services:
  agent: &hasty
    healthcheck: {interval: 2s}
    deploy:
      update_config: {delay: 0s, monitor: 1s}
  gateway: *hasty
`

// unencrypted is a copy of the stack whose network is not encrypted, since not every kernel of those who test has IPsec.
func unencrypted(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(deploy, "swarm"))))
	file := filepath.Join(dir, "stack.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	const encrypted = `driver_opts: {encrypted: "true"}`
	require.Contains(t, string(text), encrypted)
	require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(text), encrypted, "", 1)), 0o600))
	return file
}

// TestSwarm has deploy/swarm/stack.yaml capture services on a Swarm of three nodes, while one node after the other is
// killed, drained, cut off, updated, and joined anew: each line that an engine holds arrives, and what comes twice bears the
// same log.record.uid.
//
//	DOCKERLOGS_MEASURE=1 go test -run 'TestSwarm$' -v -timeout 30m ./internal/e2e
//
// writes more, and leaves the node cut off for a minute.
func TestSwarm(t *testing.T) {
	rate, away := 50, time.Duration(0)
	hasty := []string{"--compose-file=" + writeFile(t, "hasty.yaml", hastyUpdates)}
	if os.Getenv("DOCKERLOGS_MEASURE") == "1" {
		rate, away, hasty = 200, time.Minute, nil
	}
	s := startSwarm(t, 3)
	loki := startTroubledLoki(t, s.network, 3100, "Basic c2hvcDpzZWNyZXQ=")
	first, second, third := s.nodes[0], s.nodes[1], s.nodes[2]
	for _, n := range []*swarmNode{first, second} {
		first.docker(t, "node", "update", "--label-add=otelcol.gateway=true", n.id(t))
	}
	first.docker(t, "secret", "create", "loki_authorization", writeFile(t, "authorization", loki.authorization))
	stack := unencrypted(t)
	deployed := func(config int) {
		t.Helper()
		env := []string{fmt.Sprintf("LOKI_ENDPOINT=http://%s:3100/otlp", switchAddress.Addr()), fmt.Sprintf("CONFIG=%d", config)}
		args := append([]string{"stack", "deploy", "--resolve-image=never", "--compose-file=" + stack}, hasty...)
		first.dockerEnv(t, env, append(args, "logs")...)
	}
	deployed(1)
	first.docker(t, "stack", "deploy", "--resolve-image=never", "--compose-file="+writeFile(t, "shop.yaml", fmt.Sprintf(shop, rate)), "shop")

	written, pending := make(map[lineName]struct{}), make(map[lineName]struct{})
	// arrived waits until all that the nodes hold now has.
	arrived := func(nodes ...*swarmNode) {
		t.Helper()
		for _, n := range nodes {
			n.held(t, "shop", func(line lineName) {
				if _, known := written[line]; !known {
					written[line], pending[line] = struct{}{}, struct{}{}
				}
			})
		}
		logstest.Eventually(t, "all lines that the engines hold have arrived", func() bool { return loki.settle(pending) == 0 })
	}
	goesOn := func(nodes ...*swarmNode) {
		t.Helper()
		for _, n := range nodes {
			id := n.id(t)
			had := loki.from(id)
			logstest.Eventually(t, "lines of a node arrive", func() bool { return loki.from(id) > had })
		}
	}
	runsNothing := func(n *swarmNode, services ...string) {
		t.Helper()
		for _, service := range services {
			logstest.Eventually(t, "no task of a service runs on the node", func() bool { return len(n.running(t, service)) == 0 })
		}
	}
	// left waits until no task of the shop runs on a node that is leaving. The manager may overlook a task that it was
	// assigning when it heard of the label; it looks again when the node changes.
	left := func(n *swarmNode) {
		t.Helper()
		changed := time.Now()
		for _, service := range []string{"shop_web", "shop_worker"} {
			logstest.Eventually(t, "no task of "+service+" runs on a node that is leaving", func() bool {
				running := n.running(t, service)
				if len(running) > 0 && time.Since(changed) > 10*time.Second {
					changed = time.Now()
					t.Logf("%d tasks of %s run still", len(running), service)
					first.docker(t, "node", "update", "--label-add=looked="+changed.Format("150405"), n.id(t))
				}
				return len(running) == 0
			})
		}
	}
	step := func(name string) {
		t.Helper()
		t.Logf("%s: %d lines so far", name, len(written))
	}
	goesOn(s.nodes...)
	arrived(s.nodes...)

	step("a node is killed, with its gateway")
	id := second.id(t)
	require.NoError(t, second.PowerCut())
	s.is(t, id, "down")
	goesOn(first, third)
	require.NoError(t, second.Start(t.Context()))
	s.is(t, id, "ready")
	arrived(s.nodes...)

	step("a node is drained, with its gateway")
	first.docker(t, "node", "update", "--availability=drain", first.id(t))
	runsNothing(first, "logs_agent", "logs_gateway", "shop_web", "shop_worker")
	goesOn(second, third)
	first.docker(t, "node", "update", "--availability=active", first.id(t))
	arrived(s.nodes...)

	step("a node is cut off")
	began := time.Now()
	id = third.id(t)
	require.NoError(t, s.network.Cut(t.Context(), third.Engine))
	s.is(t, id, "down")
	time.Sleep(time.Until(began.Add(away)))
	require.NoError(t, s.network.Mend(t.Context(), third.Engine))
	s.is(t, id, "ready")
	arrived(s.nodes...)

	step("the collectors are updated")
	deployed(2)
	for _, service := range []string{"logs_agent", "logs_gateway"} {
		logstest.Eventually(t, "the update of "+service+" is complete", func() bool {
			return first.docker(t, "service", "inspect", "--format={{.UpdateStatus.State}}", service) == "completed"
		})
	}
	arrived(s.nodes...)

	step("a node leaves, and joins anew")
	first.docker(t, "node", "update", "--label-add=leaving=true", id)
	left(third)
	arrived(third)
	third.docker(t, "swarm", "leave")
	s.is(t, id, "down")
	first.docker(t, "node", "rm", "--force", id)
	s.join(t, third)
	first.docker(t, "service", "scale", "--detach", "shop_web=9", "shop_worker=6")
	goesOn(s.nodes...)

	step("all ends")
	for _, n := range s.nodes {
		first.docker(t, "node", "update", "--label-add=leaving=true", n.id(t))
	}
	for _, n := range s.nodes {
		left(n)
	}
	arrived(s.nodes...)

	for _, n := range s.nodes {
		for _, agent := range n.running(t, "logs_agent") {
			assert.NotContains(t, n.logs(t, agent), "a container's log files are not read")
		}
	}
	assert.Empty(t, loki.wrong)
	t.Logf("%d nodes, 2 services, %d lines that engines held, %d that arrived, 0 lost, %d repeated with the same log.record.uid",
		len(s.nodes), len(written), len(loki.lines), loki.repeated)
}
