// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"cmp"
	"maps"
	"slices"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
)

// LabelServiceName is the label by which a container names its service.
const LabelServiceName = "io.opentelemetry.docker_logs.service.name"

// Labels that Compose puts on the containers that it makes.
const (
	labelComposeService = "com.docker.compose.service"
	labelComposeProject = "com.docker.compose.project"
)

// Attributes are the resource attributes that are wanted.
type Attributes struct {
	Enabled metadata.ResourceAttributesConfig
	Labels  Labels
	// EnvVars maps environment variables of the container to attributes.
	EnvVars map[string]string
}

// OriginOf describes a container. leftOut are how many of its labels were wanted and are not
// there, since they would be too many, or too large.
func OriginOf(wanted Attributes, info engine.Info, c engine.Container) (origin *Origin, leftOut int) {
	b := metadata.NewResourceBuilder(wanted.Enabled)
	b.SetContainerID(c.ID)
	b.SetContainerName(c.Name)
	name, tag := engine.ImageName(c.Image)
	if name != "" {
		b.SetContainerImageName(name)
	}
	if tag != "" {
		b.SetContainerImageTags([]any{tag})
	}
	if c.ImageID != "" { // else it has not been inspected
		b.SetContainerImageID(c.ImageID)
	}
	b.SetContainerRuntimeName(info.Runtime)
	b.SetHostName(info.Name)
	// What is too large for an attribute is no name either.
	labels := maps.Clone(c.Labels)
	maps.DeleteFunc(labels, func(_, value string) bool { return len(value) > MaxLabelSize })
	task := swarmTaskOf(labels)
	task.describe(b)
	b.SetServiceName(cmp.Or(labels[LabelServiceName], task.serviceInStack(), labels[labelComposeService], c.Name))
	if namespace := cmp.Or(task.stack, labels[labelComposeProject]); namespace != "" {
		b.SetServiceNamespace(namespace)
	}
	resource := b.Emit()
	leftOut = wanted.Labels.put(resource.Attributes(), c.Labels)
	// In order, so that of two with one attribute always the same one wins.
	for _, variable := range slices.Sorted(maps.Keys(wanted.EnvVars)) {
		if value, ok := c.Env[variable]; ok {
			resource.Attributes().PutStr(wanted.EnvVars[variable], value)
		}
	}
	return &Origin{ID: c.ID, Name: c.Name, Resource: resource, EncodedSize: encodedSize(resource)}, leftOut
}

// encodedSize is what a resource takes at most in a call, in bytes of OTLP, with the scope of its
// records.
func encodedSize(resource pcommon.Resource) int {
	const scope = 100 // name and version
	data := plog.NewLogs()
	resource.CopyTo(data.ResourceLogs().AppendEmpty().Resource())
	return new(plog.ProtoMarshaler).LogsSize(data) + len(metadata.ScopeName) + scope
}
