// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strconv"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
)

// Labels that Swarm puts on the containers of its tasks, and docker stack deploy on those of
// a stack.
const (
	labelSwarmNode     = "com.docker.swarm.node.id"
	labelSwarmService  = "com.docker.swarm.service.name"
	labelSwarmTask     = "com.docker.swarm.task.id"
	labelSwarmTaskName = "com.docker.swarm.task.name" // service.slot.task, or service.node.task of a global service
	labelStack         = "com.docker.stack.namespace"
)

// swarmTask is what a container's labels say of the Swarm task that it was made for; empty
// where it was made for none.
type swarmTask struct {
	node, service, stack, id string
	slot                     int64 // 0 where it has none
}

func swarmTaskOf(labels map[string]string) swarmTask {
	t := swarmTask{node: labels[labelSwarmNode], service: labels[labelSwarmService], stack: labels[labelStack], id: labels[labelSwarmTask]}
	// Its parts may have dots in them.
	middle, ok := strings.CutPrefix(labels[labelSwarmTaskName], t.service+".")
	slot, isTasks := strings.CutSuffix(middle, "."+t.id)
	if n, err := strconv.ParseInt(slot, 10, 32); ok && isTasks && err == nil && n > 0 {
		t.slot = n
	}
	return t
}

// serviceInStack is the service's name as the stack's file has it.
func (t swarmTask) serviceInStack() string {
	if t.stack == "" {
		return t.service
	}
	return strings.TrimPrefix(t.service, t.stack+"_")
}

func (t swarmTask) describe(b *metadata.ResourceBuilder) {
	if t.node != "" {
		b.SetDockerSwarmNodeID(t.node)
	}
	if t.service != "" {
		b.SetDockerSwarmServiceName(t.service)
	}
	if t.id != "" {
		b.SetDockerSwarmTaskID(t.id)
	}
	if t.slot != 0 {
		b.SetDockerSwarmTaskSlot(t.slot)
	}
}
