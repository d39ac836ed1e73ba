// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

const (
	swarmNode    = "xjdvtljqc2zb44wvvkdyj7mwf"
	swarmTaskOne = "mms89736vzjrjpsfn6yagtb0w"
)

// taskLabels are those that Swarm gives the container of a task, and a stack, if it is of one.
func taskLabels(service, middle, task, stack string) map[string]string {
	labels := map[string]string{
		labelSwarmNode: swarmNode, labelSwarmService: service, "com.docker.swarm.service.id": "zr1pf1z3eyv8ex3xpq2ggmtgq",
		"com.docker.swarm.task": "", labelSwarmTask: task, labelSwarmTaskName: service + "." + middle + "." + task,
	}
	if stack != "" {
		labels[labelStack] = stack
	}
	return labels
}

func TestSwarmIdentity(t *testing.T) {
	with := func(labels map[string]string, more map[string]string) map[string]string {
		maps.Copy(labels, more)
		return labels
	}
	for name, test := range map[string]struct {
		labels                     map[string]string
		service, namespace, swarms string
		slot                       int64 // 0 = none
	}{
		"replicated, of a stack": {
			labels:  taskLabels("shop_web", "3", swarmTaskOne, "shop"),
			service: "web", namespace: "shop", swarms: "shop_web", slot: 3,
		},
		"of no stack": {
			labels:  taskLabels("shop_web", "1", swarmTaskOne, ""),
			service: "shop_web", swarms: "shop_web", slot: 1,
		},
		"global": {
			labels:  taskLabels("shop_agent", swarmNode, swarmTaskOne, "shop"),
			service: "agent", namespace: "shop", swarms: "shop_agent",
		},
		"dots in names": {
			labels:  taskLabels("shop_web.eu.2", "12", swarmTaskOne, "shop"),
			service: "web.eu.2", namespace: "shop", swarms: "shop_web.eu.2", slot: 12,
		},
		"another's prefix is kept": {
			labels:  taskLabels("shopping_web", "1", swarmTaskOne, "shop"),
			service: "shopping_web", namespace: "shop", swarms: "shopping_web", slot: 1,
		},
		"the service bears the stack's name": {
			labels:  taskLabels("shop_shop_web", "1", swarmTaskOne, "shop"),
			service: "shop_web", namespace: "shop", swarms: "shop_shop_web", slot: 1,
		},
		"own label wins": {
			labels:  with(taskLabels("shop_web", "1", swarmTaskOne, "shop"), map[string]string{LabelServiceName: "front"}),
			service: "front", namespace: "shop", swarms: "shop_web", slot: 1,
		},
		"over Compose": {
			labels:  with(taskLabels("shop_web", "1", swarmTaskOne, "shop"), map[string]string{labelComposeService: "c", labelComposeProject: "p"}),
			service: "web", namespace: "shop", swarms: "shop_web", slot: 1,
		},
		"a task's name that is none": {
			labels:  with(taskLabels("web", "1", swarmTaskOne, ""), map[string]string{labelSwarmTaskName: "1"}),
			service: "web", swarms: "web",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := engine.Container{Summary: engine.Summary{ID: "c", Name: "container", Labels: test.labels}}
			origin, _ := OriginOf(all(), goldenInfo, c)
			got := origin.Resource.Attributes().AsRaw()
			for key, want := range map[string]any{
				"service.name": test.service, "docker.swarm.service.name": test.swarms,
				"docker.swarm.node.id": swarmNode, "docker.swarm.task.id": swarmTaskOne,
			} {
				assert.Equal(t, want, got[key], key)
			}
			assert.Equal(t, test.namespace != "", got["service.namespace"] != nil)
			if test.namespace != "" {
				assert.Equal(t, test.namespace, got["service.namespace"])
			}
			assert.Equal(t, test.slot != 0, got["docker.swarm.task.slot"] != nil)
			if test.slot != 0 {
				assert.Equal(t, test.slot, got["docker.swarm.task.slot"])
			}
		})
	}
}
