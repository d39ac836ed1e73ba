// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
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

func TestExposed(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"unix:///var/run/docker.sock": false, "npipe:////./pipe/docker_engine": false, "tcp://localhost:2375": false,
		"http://127.0.0.1:2375/": false, "https://192.0.2.1:2376": false,
		"tcp://socket-proxy:2375": true, "tcp://192.0.2.1:2375/prefix": true, "http://engine.example.com/": true,
	} {
		assert.Equal(t, want, engine.Config{Endpoint: endpoint}.Exposed(), endpoint)
		assert.False(t, engine.Config{Endpoint: endpoint, TLS: &tls.Config{}}.Exposed(), endpoint)
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
	for name, test := range map[string]struct{ oldest, newest, pinned, asked string }{
		"far older":          {"1.12", "1.30", "", "1.30"},
		"20.10":              {"1.12", "1.41", "", "1.41"},
		"23.0":               {"1.12", "1.42", "", "1.42"},
		"24.0":               {"1.12", "1.43", "", "1.43"},
		"25.0":               {"1.24", "1.44", "", "1.44"},
		"26.1":               {"1.24", "1.45", "", "1.45"},
		"27.5":               {"1.24", "1.47", "", "1.47"},
		"28.5":               {"1.24", "1.51", "", "1.51"},
		"29.0":               {"1.44", "1.52", "", "1.51"},
		"29.7":               {"1.40", "1.56", "", "1.51"},
		"far newer":          {"1.51", "1.99", "", "1.51"},
		"podman":             {"1.24", "1.41", "", "1.41"},
		"pinned":             {"1.12", "1.41", "1.35", "1.35"},
		"pinned, the oldest": {"1.40", "1.56", "1.40", "1.40"},
		"pinned, the newest": {"1.40", "1.56", "1.56", "1.56"},
	} {
		t.Run(name, func(t *testing.T) {
			e := enginetest.New(enginetest.APIVersions(test.oldest, test.newest))
			c, err := connect(t, e, func(cfg *engine.Config) { cfg.APIVersion = test.pinned })
			require.NoError(t, err)
			info, err := c.Info(t.Context())
			require.NoError(t, err)
			assert.Equal(t, test.asked, info.APIVersion)
			_, err = c.List(t.Context())
			require.NoError(t, err)
			requests := e.Requests()
			assert.Equal(t, "/v"+test.asked+"/containers/json", requests[len(requests)-1].Path)
		})
	}
}

// TestVersionThatIsNotServed: the error names what the engine serves and what it was asked
// for, and says what to do.
func TestVersionThatIsNotServed(t *testing.T) {
	for name, test := range map[string]struct{ oldest, newest, pinned, want string }{
		"engine is too new for us": {"1.60", "1.71", "", "the engine serves the versions 1.60 to 1.71 of its API, and this Collector speaks none newer than 1.51: " +
			"use a newer Collector, or let the engine serve older ones (start dockerd with DOCKER_MIN_API_VERSION=1.51)"},
		"pinned, too new": {"1.12", "1.41", "1.45", "api_version is 1.45, and the engine serves the versions 1.12 to 1.41 of its API: " +
			"set one of these, or leave api_version out"},
		"pinned, too old": {"1.40", "1.56", "1.25", "api_version is 1.25, and the engine serves the versions 1.40 to 1.56 of its API: " +
			"set one of these, or leave api_version out"},
		"pinned, older than JSON errors": {"1.40", "1.56", "1.10", "api_version is 1.10, and the engine serves the versions 1.40 to 1.56 of its API: " +
			"set one of these, or leave api_version out"},
	} {
		t.Run(name, func(t *testing.T) {
			e := enginetest.New(enginetest.APIVersions(test.oldest, test.newest))
			c, err := connect(t, e, func(cfg *engine.Config) { cfg.APIVersion = test.pinned })
			require.NoError(t, err)
			_, err = c.Info(t.Context())
			var version *engine.VersionError
			require.ErrorAs(t, err, &version)
			assert.EqualError(t, err, test.want)
		})
	}
}

// TestVersionBehindAProxy: where GET /version passes only with a version in its path, the
// error has the engine's own words.
func TestVersionBehindAProxy(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/_ping":
			w.Header().Set("Api-Version", "1.71")
		case strings.HasPrefix(r.URL.Path, "/v1."):
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"message":"client version 1.51 is too old. Minimum supported API version is 1.60"}`))
		default:
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	defer server.Close()
	c, err := engine.New(engine.Config{Endpoint: server.URL, Timeout: time.Minute})
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.Connect(t.Context()))
	_, err = c.Info(t.Context())
	require.ErrorContains(t, err, "client version 1.51 is too old. Minimum supported API version is 1.60")
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
	require.Error(t, c.Events(t.Context(), false, func() {}, func(engine.Event) {}))
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
