// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// recorder is a proxy before an engine that records every request.
type recorder struct {
	host string

	mu       sync.Mutex
	requests map[string]int // "GET /v1.41/info"
}

func newRecorder(t testing.TB, socket string) *recorder {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	require.NoError(t, err)
	r := &recorder{host: "unix://" + path, requests: make(map[string]int)}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "docker"})
	proxy.Transport, proxy.FlushInterval, proxy.ErrorLog = transport, -1, log.New(io.Discard, "", 0)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		r.requests[req.Method+" "+req.URL.Path]++
		r.mu.Unlock()
		proxy.ServeHTTP(w, req)
	}), ErrorLog: proxy.ErrorLog}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		<-served
		transport.CloseIdleConnections()
	})
	return r
}

// logs is how often the logs of a container were asked for.
func (r *recorder) logs(id string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for request, times := range r.requests {
		if strings.HasSuffix(request, "/containers/"+id+"/logs") {
			n += times
		}
	}
	return n
}

// TestRealReadOnly records what the receiver asks of the engine over a full life:
// nothing that could change anything.
func TestRealReadOnly(t *testing.T) {
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	proxy := newRecorder(t, e.Socket())
	o := loggen.Options{Source: "writer", Rate: 500, UntilSignal: true}
	c := runLoggen(t, e, o, jsonFile)
	r := start(t, proxy.host, func(cfg *dockerlogsreceiver.Config) { cfg.StartAt = dockerlogsreceiver.StartAtBeginning })
	r.Await(t, "writer", 500)
	require.NoError(t, e.Restart(t.Context()))
	require.NoError(t, c.Start(t.Context()))
	r.Await(t, "writer", r.Count("writer")+500)
	require.NoError(t, c.Stop(t.Context(), 10*time.Second))
	r.drained(t, c)
	require.NoError(t, c.Remove(t.Context(), false))
	r.stop()

	allowed := regexp.MustCompile(fmt.Sprintf(
		`^GET (/v1\.\d+)?/(_ping|version|info|containers/json|containers/%s/(json|logs)|events)$`, c.ID))
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	kinds := make(map[string]int)
	for request, n := range proxy.requests {
		match := allowed.FindStringSubmatch(request)
		if assert.NotNil(t, match, request) {
			kinds[match[2]+match[3]] += n
		}
	}
	assert.Len(t, kinds, 7, "%v", kinds)
	t.Logf("requests: %v", proxy.requests)
}
