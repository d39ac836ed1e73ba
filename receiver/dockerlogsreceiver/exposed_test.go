// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
)

// TestExposedEngineIsWarnedOf: one warning where the engine is reached over a network without
// TLS, whoever said so, and none for a socket or this host.
func TestExposedEngineIsWarnedOf(t *testing.T) {
	for _, test := range []struct {
		endpoint, host string // host is DOCKER_HOST
		want           int
	}{
		{"unix:///var/run/docker.sock", "", 0},
		{"tcp://127.0.0.1:2375", "", 0},
		{"", "", 0},
		{"tcp://192.0.2.1:2375", "", 1},
		{"", "tcp://192.0.2.1:2375", 1},
		{"unix:///var/run/docker.sock", "tcp://192.0.2.1:2375", 0},
	} {
		t.Setenv("DOCKER_HOST", test.host)
		inBubble(t, func(f *fixture) {
			f.cfg.Endpoint = test.endpoint
			f.container("web")
			f.start()
			f.following(1)
			assert.Equal(t, test.want, f.logged(zap.WarnLevel, "reached over a network without TLS"), "%+v", test)
		})
	}
}
