// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package naive

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

// Prefix begins the name of every naive client.
const Prefix = "naive-"

// Names lists all naive clients.
var Names = []string{
	Prefix + "streaming", Prefix + "short-lived", Prefix + "abandoning",
	Prefix + "poll-1s", Prefix + "poll-2s", Prefix + "poll-5s", Prefix + "poll-10s", Prefix + "poll-buffer",
}

// Intervals has the interval of every client that polls, by its name.
var Intervals = map[string]time.Duration{
	Prefix + "poll-1s": time.Second, Prefix + "poll-2s": 2 * time.Second, Prefix + "poll-5s": 5 * time.Second,
	Prefix + "poll-10s": 10 * time.Second, Prefix + "poll-buffer": bufferInterval,
}

// Config says what to read.
type Config struct {
	Endpoint   string // as DOCKER_HOST names it
	Containers []string
	Lifetime   time.Duration // of a short-lived follow
	// Deliver receives every line. It must not keep the body.
	Deliver func(body []byte, stderr bool, stamp time.Time)
	// Dial replaces the dialling of the endpoint in tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client is a naive client.
type Client struct {
	cfg       Config
	api       *client.Client
	transport *http.Transport
	requests  atomic.Int64
	stopping  chan struct{}
	ctx       context.Context // only some of the clients use it
	cancel    context.CancelFunc
	read      func(c *Client, id string)
}

// New makes the client of that name.
func New(name string, cfg Config) (*Client, error) {
	c := &Client{cfg: cfg, transport: &http.Transport{}, stopping: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	switch name {
	case Prefix + "streaming":
		c.read = (*Client).stream
	case Prefix + "short-lived":
		c.read = (*Client).shortLived
	case Prefix + "abandoning":
		c.read = (*Client).abandoning
	case Prefix + "poll-buffer":
		c.read = (*Client).pollIntoBuffer
	default:
		interval, known := Intervals[name]
		if !known {
			return nil, fmt.Errorf("no naive client has the name %q", name)
		}
		c.read = func(c *Client, id string) { c.poll(id, interval) }
	}
	base := &http.Client{Transport: c.transport}
	opts := []client.Opt{client.WithHTTPClient(base), client.WithHost(cfg.Endpoint), client.WithAPIVersionNegotiation()}
	if cfg.Dial != nil {
		opts = append(opts, client.WithDialContext(cfg.Dial))
	}
	// Last, because the options above configure only a transport whose type they know.
	opts = append(opts, func(*client.Client) error {
		base.Transport = countingTransport{c.transport, &c.requests}
		return nil
	})
	var err error
	if c.api, err = client.NewClientWithOpts(opts...); err != nil {
		return nil, fmt.Errorf("make a client for %q: %w", cfg.Endpoint, err)
	}
	return c, nil
}

// Start reads every container, each in its own goroutine.
func (c *Client) Start() {
	for _, id := range c.cfg.Containers {
		go c.read(c, id)
	}
}

// Stop ends what can be ended. It waits for nothing: some of the goroutines never hear of it.
func (c *Client) Stop(context.Context) error {
	close(c.stopping)
	c.cancel()
	c.transport.CloseIdleConnections()
	return c.api.Close()
}

// Requests returns the number of requests sent so far.
func (c *Client) Requests() int64 { return c.requests.Load() }

func (c *Client) stopped() bool {
	select {
	case <-c.stopping:
		return true
	default:
		return false
	}
}

// wait reports false if the client was stopped meanwhile.
func (c *Client) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.stopping:
		return false
	}
}

// logs requests a log from a time on; all of it if the time is zero.
func (c *Client) logs(ctx context.Context, id string, follow bool, since time.Time) (io.ReadCloser, error) {
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if !since.IsZero() {
		options.Since = since.Format(time.RFC3339Nano)
	}
	return c.api.ContainerLogs(ctx, id, options)
}

// deliver hands lines over until the body ends or, checked between two lines, the client is
// stopped.
func (c *Client) deliver(body io.Reader) {
	frames := NewFrames(body)
	for !c.stopped() {
		line, err := frames.Next()
		if err != nil {
			return
		}
		c.cfg.Deliver(line.Body, line.Stderr, line.Stamp)
	}
}

type countingTransport struct {
	http.RoundTripper
	requests *atomic.Int64
}

func (t countingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	t.requests.Add(1)
	return t.RoundTripper.RoundTrip(req)
}
