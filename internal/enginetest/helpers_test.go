// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// inBubble runs a test against an engine in memory, on virtual time.
func inBubble(t *testing.T, test func(t *testing.T, e *enginetest.Engine, c *client), opts ...enginetest.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New(opts...)
		c := newClient(e.DialContext)
		defer e.Close()
		defer c.CloseIdleConnections()
		test(t, e, c)
	})
}

// client is a minimal client of the API.
type client struct{ *http.Client }

func newClient(dial func(ctx context.Context, network, address string) (net.Conn, error)) *client {
	return &client{&http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// unixClient is a client for what Engine.Listen returns.
func unixClient(host string) *client {
	return newClient(func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", strings.TrimPrefix(host, "unix://"))
	})
}

func (c *client) do(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, nil)
	if err != nil {
		return nil, err
	}
	return c.Do(req)
}

// open sends a request whose answer is a stream; it is closed with the test.
func (c *client) open(t *testing.T, path string) *http.Response {
	t.Helper()
	resp, err := c.do(t.Context(), http.MethodGet, path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

// get returns a whole answer.
func (c *client) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := c.do(t.Context(), http.MethodGet, path)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// decode returns a whole answer as JSON.
func (c *client) decode(t *testing.T, path string) any {
	t.Helper()
	status, body := c.get(t, path)
	require.Equal(t, http.StatusOK, status, body)
	return fromJSON(t, body)
}

func fromJSON(t *testing.T, s string) (v any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(s), &v), s)
	return v
}

// frame is one frame of a log stream.
type frame struct {
	stream byte
	text   string
}

// readFrame reads the next frame; it ends like the stream does.
func readFrame(r io.Reader) (frame, error) {
	var header [8]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return frame{}, err
	}
	text := make([]byte, binary.BigEndian.Uint32(header[4:]))
	if _, err := io.ReadFull(r, text); err != nil {
		return frame{}, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return frame{header[0], string(text)}, nil
}

// readTexts reads the next n frames of a stream that goes on.
func readTexts(t *testing.T, r io.Reader, n int) (texts []string) {
	t.Helper()
	for range n {
		f, err := readFrame(r)
		require.NoError(t, err)
		texts = append(texts, f.text)
	}
	return texts
}

// restOf reads frames to the end and says how the stream ended.
func restOf(r io.Reader) (frames []frame, err error) {
	for {
		f, err := readFrame(r)
		if err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}

// frames returns all frames of an answer that ends as it should.
func (c *client) frames(t *testing.T, path string) []frame {
	t.Helper()
	resp := c.open(t, path)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	frames, err := restOf(resp.Body)
	require.Equal(t, io.EOF, err)
	return frames
}

// texts are the payloads of frames.
func texts(frames []frame) (all []string) {
	for _, f := range frames {
		all = append(all, f.text)
	}
	return all
}

// unix is a time as a parameter.
func unix(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// lines are the texts of frames without newlines, joined.
func lines(frames []frame) string {
	return strings.ReplaceAll(strings.Join(texts(frames), " "), "\n", "")
}

// logsPath is a request for all logs of a container, with more parameters in pairs of name and value.
func logsPath(c *enginetest.Container, more ...string) string {
	query := url.Values{"stdout": {"1"}, "stderr": {"1"}}
	for i := 0; i < len(more); i += 2 {
		query.Set(more[i], more[i+1])
	}
	return "/v1.41/containers/" + c.ID() + "/logs?" + query.Encode()
}

// captured reads what a real engine sent.
func captured(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return string(b)
}

// realTime bounds the waits of tests that use real sockets.
func realTime(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}
