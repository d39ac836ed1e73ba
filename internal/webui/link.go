// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package webui

import (
	"net"
	"strconv"

	"go.opentelemetry.io/collector/config/confighttp"
)

// Address returns where a page is, for links to it: "http://host:port/" with the host as the
// user calls it. Where it listens on all addresses, the host is that by which the reader has
// come to the page with the link, and left out: ":port", or "https://:port/". It is "" where
// nothing listens.
func Address(server *confighttp.ServerConfig, listens net.Addr) string {
	addr, ok := listens.(*net.TCPAddr)
	if !ok {
		return ""
	}
	host, _, _ := net.SplitHostPort(server.NetAddr.Endpoint)
	port, secure := strconv.Itoa(addr.Port), server.TLS.HasValue()
	switch {
	case addr.IP.IsUnspecified() && !secure:
		return ":" + port
	case addr.IP.IsUnspecified():
		return "https://:" + port + "/"
	case secure:
		return "https://" + net.JoinHostPort(host, port) + "/"
	default:
		return "http://" + net.JoinHostPort(host, port) + "/"
	}
}
