// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
)

func local(cfg *Config) {
	cfg.ServerConfig.NetAddr.Endpoint = "127.0.0.1:0"
	cfg.CollectionInterval, cfg.CensusInterval = minInterval, minInterval
	cfg.Window = time.Second
}

func get(t *testing.T, url string) (int, http.Header, []byte) {
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header, body
}

func TestStatusOfAHealthyProcess(t *testing.T) {
	h := newHealth(t, new(processHistory), local)
	h.fake.containers = 200
	h.start(t)
	url := "http://" + h.addr.String()
	var s status
	require.Eventually(t, func() bool {
		code, header, body := get(t, url+"/api/v1/status")
		require.Equal(t, "application/json", header.Get("Content-Type"))
		s = status{}
		require.NoError(t, json.Unmarshal(body, &map[string]any{}))
		return code == http.StatusOK && strings.Contains(string(body), `"verdict":"healthy"`) && strings.Contains(string(body), `"total":640`) &&
			strings.Contains(string(body), `"needed":600,"excess":40`)
	}, 5*time.Second, 10*time.Millisecond)
	s = *h.status(time.Now())
	assert.Equal(t, 200, s.Containers.Total)
	assert.Len(t, s.Containers.Listed, listedContainers)
	assert.Len(t, s.Components, 2)
	assert.Equal(t, "docker_logs", s.Components[0].Component)
	assert.Equal(t, 600, s.Components[0].Goroutines)
	assert.Equal(t, 0, s.Components[0].Above)
	assert.Equal(t, queue.Function, s.Functions[0].Function)
	assert.NotEmpty(t, s.History)
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestHealthPage(t *testing.T) {
	pageAt := func(endpoint string) (h *health, port string) {
		h = newHealth(t, new(processHistory), func(cfg *Config) { cfg.ServerConfig.NetAddr.Endpoint = endpoint })
		assert.Empty(t, h.HealthPage(), "nothing is served yet")
		h.start(t)
		t.Cleanup(func() { require.NoError(t, h.Shutdown(context.Background())) })
		if endpoint != "" {
			port = strconv.Itoa(h.addr.(*net.TCPAddr).Port)
		}
		return h, port
	}
	h, port := pageAt("localhost:0")
	assert.Equal(t, "http://localhost:"+port+"/", h.HealthPage())
	h, port = pageAt("0.0.0.0:0")
	assert.Equal(t, ":"+port, h.HealthPage(), "its host is the one by which the reader has come")
	h, _ = pageAt("")
	assert.Empty(t, h.HealthPage())
}

func TestStatusIs503WhenCritical(t *testing.T) {
	h := newHealth(t, new(processHistory), local)
	h.fake.above[readLoop] = 2500
	h.start(t)
	require.Eventually(t, func() bool {
		code, _, body := get(t, "http://"+h.addr.String()+"/api/v1/status")
		return code == http.StatusServiceUnavailable && strings.Contains(string(body), `"verdict":"critical"`)
	}, 5*time.Second, 10*time.Millisecond)
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestPageLoadsNothingElse(t *testing.T) {
	h := newHealth(t, new(processHistory), local).start(t)
	url := "http://" + h.addr.String()
	code, header, body := get(t, url+"/")
	require.Equal(t, http.StatusOK, code)
	assert.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
	assert.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'")
	assert.NotRegexp(t, `(src|href)="?https?://`, string(body))
	assert.NotContains(t, string(body), "innerHTML", "others choose the names of containers")
	code, _, _ = get(t, url+"/metrics")
	assert.Equal(t, http.StatusNotFound, code)
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestOpenPageIsWarnedOf(t *testing.T) {
	const warning = "the page answers whoever can reach this address, with the names of containers and functions, and asks for no login"
	for endpoint, want := range map[string]int{"127.0.0.1:0": 0, "localhost:0": 0, "": 0, "0.0.0.0:0": 1, ":0": 1} {
		h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.ServerConfig.NetAddr.Endpoint = endpoint }).start(t)
		assert.Equal(t, want, h.logs.FilterMessage(warning).Len(), endpoint)
		require.NoError(t, h.Shutdown(t.Context()))
	}
}

func TestPagesOfOthers(t *testing.T) {
	h := newHealth(t, new(processHistory), local)
	h.LinkPage("docker_logs/2", ":13136")
	h.LinkPage("docker_logs/1", ":13135")
	h.LinkPage("docker_logs", ":1")
	h.LinkPage("docker_logs", "")
	h.start(t)
	_, _, body := get(t, "http://"+h.addr.String()+"/api/v1/status")
	assert.Contains(t, string(body), `"pages":[{"name":"docker_logs/1","address":":13135"},{"name":"docker_logs/2","address":":13136"}]`)
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestEndpointThatIsTaken(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.ServerConfig.NetAddr.Endpoint = listener.Addr().String() })
	require.ErrorContains(t, h.Start(t.Context(), componenttest.NewNopHost()), "endpoint: ")
	require.NoError(t, h.Shutdown(t.Context()))
}

func TestShutdownDoesNotWaitForClients(t *testing.T) {
	h := newHealth(t, new(processHistory), local).start(t)
	conn, err := net.Dial("tcp", h.addr.String()) // and says nothing
	require.NoError(t, err)
	defer conn.Close()
	began := time.Now()
	require.NoError(t, h.Shutdown(t.Context()), "a restart would end the process")
	assert.Less(t, time.Since(began), 4*time.Second)
}
