// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine is the receiver's view of a Docker Engine: five read-only calls
// over github.com/docker/docker/client, which nothing else in the receiver
// imports.
package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/docker/go-connections/sockets"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/reach"
)

// DefaultEndpoint is where the engine listens when nothing else is said.
const DefaultEndpoint = client.DefaultDockerHost

// EndpointFromEnv returns the endpoint of the environment, else the default.
func EndpointFromEnv() string {
	if host := os.Getenv(client.EnvOverrideHost); host != "" {
		return host
	}
	return DefaultEndpoint
}

// CheckEndpoint returns what is wrong with an endpoint, without connecting to it.
func CheckEndpoint(endpoint string) error {
	u, err := client.ParseHostURL(endpoint)
	if err != nil {
		return fmt.Errorf("%q is not an endpoint; write it like %s or tcp://host:2375", endpoint, DefaultEndpoint)
	}
	switch u.Scheme {
	case "http", "https":
		if strings.Contains(strings.TrimSuffix(u.Host, "/"), "/") {
			return fmt.Errorf("%q: a path is not supported with %s; leave it out", endpoint, u.Scheme)
		}
		return nil
	case "unix", "tcp", "npipe":
		return nil
	default:
		return fmt.Errorf("%q: the scheme %q is not supported; use unix, npipe, tcp, http or https", endpoint, u.Scheme)
	}
}

// maxIdle is how many connections are kept for requests to come; each has two
// goroutines.
const maxIdle = 16

// Config says how to reach an engine.
type Config struct {
	// Endpoint is a URL: unix, npipe, tcp, http or https.
	Endpoint string
	// APIVersion pins the version of the API; empty negotiates it.
	APIVersion string
	// Timeout bounds a request that has a short answer; logs and events have none.
	Timeout time.Duration
	// TLS makes a tcp endpoint secure; https needs none to be given.
	TLS *tls.Config
	// Observe is called for every request that has been answered, or has failed.
	Observe func(endpoint Endpoint, outcome Outcome)
	// Dial replaces the dialling of the endpoint; used by tests.
	Dial func(ctx context.Context) (net.Conn, error)
}

// Exposed reports whether the engine's API is reached over a network, and not over TLS.
func (cfg Config) Exposed() bool {
	u, err := client.ParseHostURL(cfg.Endpoint)
	if err != nil || cfg.TLS != nil || (u.Scheme != "tcp" && u.Scheme != "http") {
		return false
	}
	return reach.BeyondHost(strings.TrimSuffix(u.Host, "/"))
}

// Client sends read-only requests to one engine. It is safe for concurrent use,
// once Connect has returned.
type Client struct {
	cfg       Config
	transport *transport
	scheme    string
	host      string // of requests that the API client does not make
	api       atomic.Pointer[client.Client]
}

// New prepares a client and connects to nothing.
func New(cfg Config) (*Client, error) {
	if err := CheckEndpoint(cfg.Endpoint); err != nil {
		return nil, err
	}
	if strings.HasPrefix(cfg.Endpoint, "http") {
		cfg.Endpoint = strings.TrimSuffix(cfg.Endpoint, "/")
	}
	u, err := client.ParseHostURL(cfg.Endpoint)
	if err != nil {
		return nil, err
	}
	if cfg.TLS != nil && (u.Scheme == "unix" || u.Scheme == "npipe") {
		return nil, fmt.Errorf("%s is not for TLS; leave tls out or name a tcp endpoint", cfg.Endpoint)
	}
	base := &http.Transport{
		// Polled containers share idle connections; a follow has its own.
		MaxIdleConns:        maxIdle,
		MaxIdleConnsPerHost: maxIdle,
		IdleConnTimeout:     30 * time.Second,
		TLSHandshakeTimeout: 10 * time.Second,
		// There is one connection for each follow, with these buffers. No time
		// limit on headers: engines may withhold them until there is a record.
		ReadBufferSize:  8 << 10,
		WriteBufferSize: 1 << 10,
	}
	if err := sockets.ConfigureTransport(base, u.Scheme, u.Host); err != nil {
		return nil, fmt.Errorf("%q: %w", cfg.Endpoint, err)
	}
	base.DisableCompression = true
	scheme := "http"
	if cfg.TLS != nil || u.Scheme == "https" {
		scheme = "https"
		base.TLSClientConfig = cfg.TLS // without HTTP/2: follows must not share one flow control
	}
	if cfg.Dial != nil {
		base.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return cfg.Dial(ctx) }
	}
	host := u.Host
	if u.Scheme == "unix" || u.Scheme == "npipe" {
		host = client.DummyHost
	}
	return &Client{
		cfg:       cfg,
		transport: &transport{base: base, prefix: strings.TrimSuffix(u.Path, "/"), observe: cfg.Observe},
		scheme:    scheme,
		host:      host,
	}, nil
}

// Connect asks the engine for the version of its API and makes the client speak
// it. It is to be called before the first other request, and again whenever the
// engine may have been replaced by another.
func (c *Client) Connect(ctx context.Context) error {
	version := c.cfg.APIVersion
	api, err := client.NewClientWithOpts(
		client.WithHost(c.cfg.Endpoint), // before our transport, which it does not know how to set up
		// Not one for all of them: the new client wraps the transport that it finds there.
		client.WithHTTPClient(&http.Client{Transport: c.transport, CheckRedirect: client.CheckRedirect}),
		client.WithScheme(c.scheme),
		client.WithVersion(version),
	)
	if err != nil {
		return err
	}
	answer, err := c.ping(ctx)
	if err != nil {
		return fmt.Errorf("ping: %w", err)
	}
	if version == "" {
		api.NegotiateAPIVersionPing(types.Ping{APIVersion: answer.Get("Api-Version")})
	}
	c.api.Store(api)
	return nil
}

// ping is a GET, since there are proxies that let no HEAD pass. Its answer is
// in the headers.
func (c *Client) ping(ctx context.Context) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	resp, err := c.get(ctx, "/_ping")
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the engine answered %s", resp.Status)
	}
	return resp.Header, nil
}

// get asks for a path that has no version.
func (c *Client) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.scheme+"://"+c.host+c.transport.prefix+path, nil)
	if err != nil {
		return nil, err
	}
	return c.transport.RoundTrip(req)
}

// Now returns what the engine's clock shows, give or take a second, as its last answer told
// it; zero if none did.
func (c *Client) Now() time.Time {
	last := c.transport.clock.Load()
	if last == nil {
		return time.Time{}
	}
	return last.engine.Add(time.Since(last.ours))
}

// Close lets go of idle connections. Open logs and events end with their contexts.
func (c *Client) Close() { c.transport.base.CloseIdleConnections() }

var errNotConnected = errors.New("not connected to an engine yet")

// unary calls f with the API client and a context that has the client's timeout.
func unary[T any](ctx context.Context, c *Client, f func(context.Context, *client.Client) (T, error)) (T, error) {
	api := c.api.Load()
	if api == nil {
		var none T
		return none, errNotConnected
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	return f(ctx, api)
}

// LogsQuery asks for the log of a container.
type LogsQuery struct {
	// Tail is the number of records to start before the end of the log; 0 = all.
	Tail int
	// Since leaves out what is before the first record from then on, Until ends the answer at
	// the first record that is later. Both in nanoseconds since the epoch; 0 = none.
	Since, Until int64
	// Follow goes on with what the container writes until it stops.
	Follow bool
}

// Logs opens the log of a container, both streams, with time stamps. The body must
// be closed, and ends with the context.
func (c *Client) Logs(ctx context.Context, id string, query LogsQuery) (io.ReadCloser, error) {
	api := c.api.Load()
	if api == nil {
		return nil, errNotConnected
	}
	tail := "all"
	if query.Tail > 0 {
		tail = fmt.Sprint(query.Tail)
	}
	return api.ContainerLogs(ctx, id, container.LogsOptions{
		ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: query.Follow, Tail: tail,
		Since: seconds(query.Since), Until: seconds(query.Until),
	})
}

// seconds writes a time as the engine reads it: in seconds, with a fraction if it has one.
func seconds(ns int64) string {
	const second = int64(time.Second)
	switch {
	case ns == 0:
		return ""
	case ns%second == 0:
		return fmt.Sprint(ns / second)
	default:
		return fmt.Sprintf("%d.%09d", ns/second, ns%second)
	}
}
