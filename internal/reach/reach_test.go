// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package reach_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/reach"
)

func TestBeyondHost(t *testing.T) {
	for _, address := range []string{
		"localhost:13134", "LOCALHOST", "127.0.0.1:2375", "127.8.0.1", "[::1]:2375", "::1", "[::1]", "[::ffff:127.0.0.1]:80",
	} {
		assert.False(t, reach.BeyondHost(address), address)
	}
	for _, address := range []string{
		"", ":13134", "0.0.0.0:13134", "[::]:13134", "192.0.2.1:2375", "[fe80::1%eth0]:80", "socket-proxy:2375", "localhost.example.com:80",
	} {
		assert.True(t, reach.BeyondHost(address), address)
	}
}

func TestOpen(t *testing.T) {
	for name, test := range map[string]struct {
		endpoint string
		change   func(*confighttp.ServerConfig)
		want     bool
	}{
		"switched off": {"", nil, false},
		"local":        {"localhost:13134", nil, false},
		"all":          {"0.0.0.0:13134", nil, true},
		"a socket":     {"/run/health.sock", func(s *confighttp.ServerConfig) { s.NetAddr.Transport = "unix" }, false},
		"a login":      {":13134", func(s *confighttp.ServerConfig) { s.Auth = configoptional.Some(confighttp.AuthConfig{}) }, false},
		"encrypted, for anybody": {":13134", func(s *confighttp.ServerConfig) {
			s.TLS = configoptional.Some(configtls.ServerConfig{})
		}, true},
		"certificates of clients": {":13134", func(s *confighttp.ServerConfig) {
			s.TLS = configoptional.Some(configtls.ServerConfig{ClientCAFile: "ca.pem"})
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := confighttp.NewDefaultServerConfig()
			server.NetAddr.Endpoint = test.endpoint
			if test.change != nil {
				test.change(&server)
			}
			assert.Equal(t, test.want, reach.Open(&server))
		})
	}
}
