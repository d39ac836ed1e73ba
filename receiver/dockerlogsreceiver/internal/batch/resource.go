// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"cmp"
	"maps"
	"slices"

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
	// Labels and EnvVars map labels and environment variables of the container to
	// attributes; an empty attribute of a label stands for container.label.<label>.
	Labels, EnvVars map[string]string
}

// OriginOf describes a container.
func OriginOf(wanted Attributes, info engine.Info, c engine.Container) *Origin {
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
	b.SetServiceName(cmp.Or(c.Labels[LabelServiceName], c.Labels[labelComposeService], c.Name))
	if project := c.Labels[labelComposeProject]; project != "" {
		b.SetServiceNamespace(project)
	}
	resource := b.Emit()
	// In order, so that of two with one attribute always the same one wins.
	for _, label := range slices.Sorted(maps.Keys(wanted.Labels)) {
		if value, ok := c.Labels[label]; ok {
			resource.Attributes().PutStr(cmp.Or(wanted.Labels[label], "container.label."+label), value)
		}
	}
	for _, variable := range slices.Sorted(maps.Keys(wanted.EnvVars)) {
		if value, ok := c.Env[variable]; ok {
			resource.Attributes().PutStr(wanted.EnvVars[variable], value)
		}
	}
	return &Origin{ID: c.ID, Name: c.Name, Resource: resource}
}
