// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package careless

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

// Prefix is what the names of these clients begin with.
const Prefix = "careless-"

// Names are all of them.
var Names = []string{
	Prefix + "streaming", Prefix + "short-lived", Prefix + "abandoning",
	Prefix + "poll-1s", Prefix + "poll-2s", Prefix + "poll-5s", Prefix + "poll-10s", Prefix + "poll-buffer",
}

// Intervals are those of the clients that poll.
var Intervals = map[string]time.Duration{
	Prefix + "poll-1s": time.Second, Prefix + "poll-2s": 2 * time.Second, Prefix + "poll-5s": 5 * time.Second,
	Prefix + "poll-10s": 10 * time.Second, Prefix + "poll-buffer": bufferInterval,
}

// Config says what to read.
type Config struct {
	Endpoint   string // as DOCKER_HOST names it
	Containers []string
	// Lifetime is of the follows that are short-lived; the analysis has 30 s.
	Lifetime time.Duration
	// Deliver is given every line. It must not keep the body.
	Deliver func(body []byte, stderr bool, stamp time.Time)
	// Dial replaces the dialling of the endpoint; used by tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client is one of the clients.
type Client struct {
	cfg      Config
	api      *client.Client
	idle     func() // closes connections that are idle
	requests atomic.Int64
	stopping chan struct{}
	cancel   context.CancelFunc // of those that have a context to be cancelled
	ctx      context.Context
	read     func(c *Client, id string)
}

// New makes the client of that name.
func New(name string, cfg Config) (*Client, error) {
	c := &Client{cfg: cfg, stopping: make(chan struct{})}
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
			return nil, fmt.Errorf("no careless client has the name %q", name)
		}
		c.read = func(c *Client, id string) { c.poll(id, interval) }
	}
	base := &http.Client{}
	opts := []client.Opt{client.WithHTTPClient(base), client.WithHost(cfg.Endpoint), client.WithAPIVersionNegotiation()}
	transport := &http.Transport{}
	c.idle = transport.CloseIdleConnections
	base.Transport = transport
	if cfg.Dial != nil {
		opts = append(opts, client.WithDialContext(cfg.Dial))
	}
	// Last, as the options before set up a transport only if they know its type.
	opts = append(opts, func(*client.Client) error {
		base.Transport = counting{transport, &c.requests}
		return nil
	})
	var err error
	if c.api, err = client.NewClientWithOpts(opts...); err != nil {
		return nil, fmt.Errorf("make a client for %q: %w", cfg.Endpoint, err)
	}
	return c, nil
}

// Start begins to read every container, each in a goroutine of its own.
func (c *Client) Start() {
	for _, id := range c.cfg.Containers {
		go c.read(c, id)
	}
}

// Stop ends what can be ended, and waits for nothing, as the analysis does not: some of these have nobody to tell.
func (c *Client) Stop(context.Context) error {
	close(c.stopping)
	c.cancel()
	c.idle()
	return c.api.Close()
}

// Requests is how many have been sent.
func (c *Client) Requests() int64 { return c.requests.Load() }

func (c *Client) stopped() bool {
	select {
	case <-c.stopping:
		return true
	default:
		return false
	}
}

// logs asks for a log from a time on; all of it, if there is none yet.
func (c *Client) logs(ctx context.Context, id string, follow bool, since time.Time) (io.ReadCloser, error) {
	options := container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if !since.IsZero() {
		options.Since = since.Format(time.RFC3339Nano)
	}
	return c.api.ContainerLogs(ctx, id, options)
}

// deliver gives all that comes to the pipeline, until it ends or, between two lines, the client is stopped.
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

// counting counts requests.
type counting struct {
	http.RoundTripper
	requests *atomic.Int64
}

func (t counting) RoundTrip(req *http.Request) (*http.Response, error) {
	t.requests.Add(1)
	return t.RoundTripper.RoundTrip(req)
}
