// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package reach tells what can be reached from this host alone from what others can reach.
package reach

import (
	"net"
	"net/netip"
	"strings"

	"go.opentelemetry.io/collector/config/confighttp"
)

// BeyondHost reports whether an address, host:port or a host alone, leads beyond this host.
// No name but localhost is resolved: any other may.
func BeyondHost(address string) bool {
	host := address
	if name, _, err := net.SplitHostPort(address); err == nil {
		host = name
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return !ip.Unmap().IsLoopback()
	}
	return !strings.EqualFold(host, "localhost")
}

// Open reports whether a server answers other hosts, and asks nobody who they are.
func Open(server *confighttp.ServerConfig) bool {
	if server.NetAddr.Endpoint == "" || server.NetAddr.Transport == "unix" || server.Auth.HasValue() {
		return false
	}
	if server.TLS.HasValue() && server.TLS.Get().ClientCAFile != "" {
		return false
	}
	return BeyondHost(server.NetAddr.Endpoint)
}
