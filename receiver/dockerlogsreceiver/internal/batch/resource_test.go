// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

func TestResourceAttributes(t *testing.T) {
	id := strings.Repeat("f", 64)
	for name, test := range map[string]struct {
		labels      map[string]string
		service     string
		namespace   string // "" = none
		attributes  map[string]string
		environment map[string]string
		want        map[string]any // more attributes
	}{
		"no labels":            {service: "web-1"},
		"compose":              {labels: map[string]string{labelComposeService: "web", labelComposeProject: "shop"}, service: "web", namespace: "shop"},
		"compose, no service":  {labels: map[string]string{labelComposeProject: "shop"}, service: "web-1", namespace: "shop"},
		"own label wins":       {labels: map[string]string{LabelServiceName: "front", labelComposeService: "web", labelComposeProject: "shop"}, service: "front", namespace: "shop"},
		"empty labels":         {labels: map[string]string{LabelServiceName: "", labelComposeService: "", labelComposeProject: ""}, service: "web-1"},
		"label, default name":  {labels: map[string]string{"a.b": "1"}, attributes: map[string]string{"a.b": ""}, service: "web-1", want: map[string]any{"container.label.a.b": "1"}},
		"label, absent":        {attributes: map[string]string{"a.b": "c"}, service: "web-1"},
		"label, empty value":   {labels: map[string]string{"a.b": ""}, attributes: map[string]string{"a.b": "c"}, service: "web-1", want: map[string]any{"c": ""}},
		"label over service":   {labels: map[string]string{"app": "front"}, attributes: map[string]string{"app": "service.name"}, service: "front"},
		"variable":             {environment: map[string]string{"STAGE": "prod"}, service: "web-1", want: map[string]any{"deployment.environment.name": "prod"}},
		"variable over labels": {labels: map[string]string{"a": "label"}, attributes: map[string]string{"a": "deployment.environment.name"}, environment: map[string]string{"STAGE": "variable"}, service: "web-1", want: map[string]any{"deployment.environment.name": "variable"}},
		"names of any size": {labels: map[string]string{
			LabelServiceName: strings.Repeat("x", MaxLabelSize+1), labelComposeService: "web",
			labelComposeProject: strings.Repeat("x", 1<<20), labelSwarmService: strings.Repeat("x", 1<<20), labelStack: strings.Repeat("x", 1<<20),
		}, service: "web"},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := all()
			wanted.Labels = labels(test.attributes)
			wanted.EnvVars = map[string]string{"STAGE": "deployment.environment.name"}
			c := engine.Container{
				Summary: engine.Summary{ID: id, Name: "web-1", Image: "web", Labels: test.labels},
				ImageID: "sha256:1", Env: test.environment,
			}
			want := map[string]any{
				"container.id": id, "container.name": "web-1", "container.image.name": "web", "container.image.id": "sha256:1",
				"container.runtime.name": "docker", "host.name": "engine-host", "service.name": test.service,
			}
			if test.namespace != "" {
				want["service.namespace"] = test.namespace
			}
			for key, value := range test.want {
				want[key] = value
			}
			origin, leftOut := OriginOf(wanted, goldenInfo, c)
			assert.Equal(t, want, origin.Resource.Attributes().AsRaw())
			assert.Zero(t, leftOut)
		})
	}
}

func TestResourceImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for image, want := range map[string]struct {
		name string
		tags []any
	}{
		"busybox":                             {name: "busybox"},
		"busybox:1.36":                        {name: "busybox", tags: []any{"1.36"}},
		"acme/web:latest":                     {name: "acme/web", tags: []any{"latest"}},
		"ghcr.io/acme/web:1.2":                {name: "ghcr.io/acme/web", tags: []any{"1.2"}},
		"localhost:5000/web":                  {name: "localhost:5000/web"},
		"localhost:5000/web:1.2":              {name: "localhost:5000/web", tags: []any{"1.2"}},
		"[2001:db8::1]:5000/web:1.2":          {name: "[2001:db8::1]:5000/web", tags: []any{"1.2"}},
		"busybox@" + digest:                   {name: "busybox"},
		"busybox:1.36@" + digest:              {name: "busybox", tags: []any{"1.36"}},
		"localhost:5000/web:1.2@" + digest:    {name: "localhost:5000/web", tags: []any{"1.2"}},
		digest:                                {},
		"sha256:abcdef123456":                 {},
		"":                                    {},
		"Not a Reference":                     {name: "Not a Reference"},
		strings.Repeat("0123456789abcdef", 4): {name: strings.Repeat("0123456789abcdef", 4)},
	} {
		t.Run(image, func(t *testing.T) {
			c := engine.Container{Summary: engine.Summary{Image: image}}
			origin, _ := OriginOf(all(), goldenInfo, c)
			attributes := origin.Resource.Attributes()
			name, named := attributes.Get("container.image.name")
			assert.Equal(t, want.name != "", named)
			if named {
				assert.Equal(t, want.name, name.Str())
			}
			tags, tagged := attributes.Get("container.image.tags")
			assert.Equal(t, want.tags != nil, tagged)
			if tagged {
				require.Equal(t, pcommon.ValueTypeSlice, tags.Type())
				assert.Equal(t, want.tags, tags.Slice().AsRaw())
			}
		})
	}
}
