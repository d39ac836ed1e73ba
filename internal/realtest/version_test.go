// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealAPIVersions asks an engine in the oldest and in the newest version of its API that
// it serves and we speak, and in one that is older, or newer, than it serves.
func TestRealAPIVersions(t *testing.T) {
	e := logstest.Engine(t)
	engine, err := e.Client().ServerVersion(t.Context())
	require.NoError(t, err)
	served := fmt.Sprintf("the engine serves the versions %s to %s of its API", engine.MinAPIVersion, engine.APIVersion)
	o := loggen.Options{Source: "writer", Lines: 100}
	start := func(version string) *receiver {
		return start(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
			cfg.APIVersion, cfg.StartAt = version, dockerlogsreceiver.StartAtBeginning
		})
	}
	var good, bad []*receiver
	for _, version := range []string{"", engine.MinAPIVersion, engine.APIVersion} {
		r := start(version)
		r.expect(o)
		good = append(good, r)
	}
	for _, version := range []string{"1.1", "1.999"} {
		bad = append(bad, start(version))
	}
	runLoggen(t, e, o, dockerd.ContainerSpec{})
	for _, r := range good {
		r.Await(t, o.Source, int(o.Lines))
		r.stop()
		r.exact(t)
		assert.Zero(t, r.warnings.Len())
	}
	for _, r := range bad {
		logstest.Eventually(t, "it is said", func() bool { return r.warnings.Len() > 0 })
		r.stop()
		said := r.warnings.All()
		require.Len(t, said, 1)
		assert.Contains(t, said[0].Message, "does not serve this version of its API")
		assert.Contains(t, said[0].ContextMap()["error"], served)
		assert.Zero(t, r.Count(""))
	}
}
