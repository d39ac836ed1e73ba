// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

func TestCheckEndpoint(t *testing.T) {
	for _, good := range []string{
		"unix:///var/run/docker.sock", "npipe:////./pipe/docker_engine", "tcp://host:2375", "http://host:2375", "https://host/",
	} {
		assert.NoError(t, engine.CheckEndpoint(good), good)
	}
	for bad, message := range map[string]string{
		"":                     `"" is not an endpoint; write it like unix:///var/run/docker.sock or tcp://host:2375`,
		"/var/run/docker.sock": "is not an endpoint; write it like",
		"localhost:2375":       "is not an endpoint",
		"ftp://host":           `"ftp://host": the scheme "ftp" is not supported; use unix, npipe, tcp, http or https`,
		"ssh://me@host":        `the scheme "ssh" is not supported`,
		"fd://":                "",
		"https://host/prefix":  "a path is not supported with https",
	} {
		err := engine.CheckEndpoint(bad)
		require.Error(t, err, bad)
		assert.Contains(t, err.Error(), message)
	}
}

func TestEndpointFromEnv(t *testing.T) {
	t.Setenv("DOCKER_HOST", "")
	assert.Equal(t, engine.DefaultEndpoint, engine.EndpointFromEnv())
	t.Setenv("DOCKER_HOST", "tcp://elsewhere:2375")
	assert.Equal(t, "tcp://elsewhere:2375", engine.EndpointFromEnv())
}

// connect makes a client of a fake engine.
func connect(t *testing.T, e *enginetest.Engine, change func(*engine.Config)) (*engine.Client, error) {
	t.Helper()
	cfg := engine.Config{Endpoint: engine.DefaultEndpoint, Timeout: 5 * time.Second, Dial: e.Dial}
	if change != nil {
		change(&cfg)
	}
	c, err := engine.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() {
		c.Close()
		e.Close()
	})
	return c, c.Connect(t.Context())
}

func TestVersionIsNegotiated(t *testing.T) {
	for name, test := range map[string]struct{ oldest, newest, pinned, path string }{
		"older engine":      {"1.12", "1.30", "", "/v1.30/containers/json"},
		"newer engine":      {"1.44", "1.99", "", "/v1.51/containers/json"},
		"pinned":            {"1.12", "1.41", "1.35", "/v1.35/containers/json"},
		"pinned, too new":   {"1.12", "1.41", "1.45", ""},
		"pinned, too old":   {"1.40", "1.56", "1.25", ""},
		"engine of our own": {"1.24", "1.51", "", "/v1.51/containers/json"},
	} {
		t.Run(name, func(t *testing.T) {
			e := enginetest.New(enginetest.APIVersions(test.oldest, test.newest))
			c, err := connect(t, e, func(cfg *engine.Config) { cfg.APIVersion = test.pinned })
			require.NoError(t, err)
			_, err = c.List(t.Context())
			if test.path == "" {
				require.ErrorContains(t, err, "client version "+test.pinned+" is too")
				return
			}
			require.NoError(t, err)
			requests := e.Requests()
			assert.Equal(t, test.path, requests[len(requests)-1].Path)
		})
	}
}

// An engine may be replaced by an older one while we run.
func TestConnectAgain(t *testing.T) {
	first := enginetest.New(enginetest.Docker29())
	second := enginetest.New(enginetest.APIVersions("1.12", "1.30"))
	defer second.Close()
	current := first
	c, err := connect(t, first, func(cfg *engine.Config) {
		cfg.Dial = func(ctx context.Context) (net.Conn, error) { return current.Dial(ctx) }
	})
	require.NoError(t, err)
	for range 100 {
		require.NoError(t, c.Connect(t.Context()))
	}
	current = second
	first.Down()
	for range 3 { // a connection that was cut may be tried first
		if err = c.Connect(t.Context()); err == nil {
			break
		}
	}
	require.NoError(t, err)
	_, err = c.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "/v1.30/containers/json", second.Requests()[len(second.Requests())-1].Path)
}

func TestNotConnected(t *testing.T) {
	e := enginetest.New()
	e.Down()
	c, err := connect(t, e, nil)
	require.ErrorContains(t, err, "ping")
	_, err = c.List(t.Context())
	require.ErrorContains(t, err, "not connected")
	_, err = c.Logs(t.Context(), "id", engine.LogsQuery{})
	require.ErrorContains(t, err, "not connected")
	require.Error(t, c.Events(t.Context(), func() {}, func(engine.Event) {}))
}

func TestOutcomesAreObserved(t *testing.T) {
	e := enginetest.New()
	c := e.Add(enginetest.ContainerSpec{Running: true})
	var mu sync.Mutex
	var seen []string
	client, err := connect(t, e, func(cfg *engine.Config) {
		cfg.Observe = func(endpoint engine.Endpoint, outcome engine.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, string(endpoint)+" "+string(outcome))
		}
	})
	require.NoError(t, err)
	for status, check := range map[int]func(error) bool{
		http.StatusNotFound: engine.IsNotFound, http.StatusNotImplemented: engine.IsUnreadable,
		http.StatusConflict: nil, http.StatusForbidden: nil, http.StatusBadRequest: nil, http.StatusInternalServerError: nil,
	} {
		c.SetFaults(enginetest.Faults{Status: status, Message: "the engine's words"})
		_, err := client.Logs(t.Context(), c.ID(), engine.LogsQuery{})
		require.ErrorContains(t, err, "the engine's words")
		for other, is := range map[int]func(error) bool{
			http.StatusNotFound: engine.IsNotFound, http.StatusNotImplemented: engine.IsUnreadable,
		} {
			assert.Equal(t, check != nil && other == status, is(err), "%d as %d", status, other)
		}
	}
	_, err = client.Inspect(t.Context(), "unknown")
	assert.True(t, engine.IsNotFound(err))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client.List(canceled)
	require.Error(t, err)
	e.Down()
	_, err = client.List(t.Context())
	require.Error(t, err)
	assert.False(t, engine.IsNotFound(err))
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{
		"ping ok", "logs not_found", "logs conflict", "logs not_implemented", "logs denied", "logs rejected", "logs failed",
		"inspect not_found", "list canceled", "list unreachable",
	} {
		assert.Contains(t, seen, want)
	}
}

func TestTimeout(t *testing.T) {
	e := enginetest.New()
	client, err := connect(t, e, func(cfg *engine.Config) { cfg.Timeout = 50 * time.Millisecond })
	require.NoError(t, err)
	e.Freeze()
	defer e.Thaw()
	_, err = client.List(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestImageName(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("0", 64)
	for image, want := range map[string][2]string{
		"busybox":                           {"busybox", ""},
		"busybox:1.36":                      {"busybox", "1.36"},
		"ghcr.io/acme/web:1.2":              {"ghcr.io/acme/web", "1.2"},
		"localhost:5000/web":                {"localhost:5000/web", ""},
		"localhost:5000/web:1" + digest:     {"localhost:5000/web", "1"},
		"web" + digest:                      {"web", ""},
		"sha256:" + strings.Repeat("0", 64): {"", ""},
		"":                                  {"", ""},
		"Not An Image":                      {"Not An Image", ""},
	} {
		name, tag := engine.ImageName(image)
		assert.Equal(t, want, [2]string{name, tag}, image)
	}
}
