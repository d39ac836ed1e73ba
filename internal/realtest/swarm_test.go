// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"testing"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// TestRealSwarmCrashLoop has a service of a stack whose task dies after one line, again and again:
// each time in a new container, of which the swarm keeps one, and always of the same service.
func TestRealSwarmCrashLoop(t *testing.T) {
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	cli, ctx := e.Client(), t.Context()
	kept := int64(1)
	_, err := cli.SwarmInit(ctx, swarm.InitRequest{
		ListenAddr: "127.0.0.1:2377", AdvertiseAddr: "127.0.0.1",
		Spec: swarm.Spec{Orchestration: swarm.OrchestrationConfig{TaskHistoryRetentionLimit: &kept}},
	})
	require.NoError(t, err)
	sink := &logstest.Sink{}
	r := startWith(t, e.Host(), using("adaptive"), sink)
	logstest.Eventually(t, "the receiver is subscribed", func() bool { return r.metric("engine_requests", "endpoint=list") > 0 })
	deaths, failed := cli.Events(ctx, events.ListOptions{Filters: filters.NewArgs(filters.Arg("event", "die"))})

	const runs = 20
	o := loggen.Options{Source: "crash", Lines: 1, ExitCode: 1}
	delay, attempts := 10*time.Millisecond, uint64(runs-1)
	_, err = cli.ServiceCreate(ctx, swarm.ServiceSpec{
		Annotations: swarm.Annotations{Name: "shop_crash"},
		TaskTemplate: swarm.TaskSpec{
			ContainerSpec: &swarm.ContainerSpec{
				Image: logstest.LoggenImage, Args: o.Args(), Labels: map[string]string{"com.docker.stack.namespace": "shop"},
			},
			RestartPolicy: &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionAny, Delay: &delay, MaxAttempts: &attempts},
			Networks:      []swarm.NetworkAttachmentConfig{{Target: "host"}},
		},
	}, swarm.ServiceCreateOptions{})
	require.NoError(t, err)

	died := make(map[string]bool)
	for timeout := time.After(2 * logstest.Patience); len(died) < runs; {
		select {
		case event := <-deaths:
			died[event.Actor.ID] = true
		case err := <-failed:
			require.NoError(t, err)
		case <-timeout:
			t.Fatalf("%d of %d containers have run", len(died), runs)
		}
	}
	logstest.Eventually(t, "a line or a gap of every container", func() bool {
		return int64(sink.Count(""))+r.metric("gaps", "reason=removed") >= runs
	})
	logstest.Eventually(t, "all logs are read", func() bool { return r.metric("captures") == 0 && r.metric("buffered_bytes") == 0 })
	r.stop()
	lines, tasks := make(map[string]int), make(map[any]bool)
	for _, record := range sink.All() {
		for key, want := range map[string]any{
			"service.name": "crash", "service.namespace": "shop", "docker.swarm.service.name": "shop_crash", "docker.swarm.task.slot": int64(1),
		} {
			assert.Equal(t, want, record.Resource[key], key)
		}
		assert.NotEmpty(t, record.Resource["docker.swarm.node.id"])
		tasks[record.Resource["docker.swarm.task.id"]] = true
		lines[record.Resource["container.id"].(string)]++
		assert.Equal(t, string(o.Line(1).Body), record.Body)
	}
	missed := 0
	for id := range died {
		assert.LessOrEqual(t, lines[id], 1, "lines of a container")
		if lines[id] == 0 {
			missed++
		}
	}
	t.Logf("%d of %d containers missed, %d gaps", missed, runs, r.metric("gaps"))
	assert.LessOrEqual(t, int64(missed), r.metric("gaps", "reason=removed"), "containers missed, and gaps")
	assert.Len(t, lines, runs-missed, "containers")
	assert.Len(t, tasks, len(lines), "each container is a task of its own")
}
