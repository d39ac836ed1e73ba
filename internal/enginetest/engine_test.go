// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

func TestFollowIsSilentForAnHourInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := enginetest.New()
		web := e.Add(enginetest.ContainerSpec{Running: true})
		c := newClient(e.DialContext)
		resp := c.open(t, logsPath(web, "follow", "1"))
		synctest.Wait()
		require.Equal(t, 1, e.OpenFollows())

		started := time.Now()
		go func() {
			time.Sleep(time.Hour)
			web.Write(enginetest.Stdout, "at last\n")
		}()
		require.Equal(t, []string{"at last\n"}, readTexts(t, resp.Body, 1))
		require.Equal(t, time.Hour, time.Since(started))

		e.Close() // with the follow open: the bubble would not end if a goroutine of the engine, or of the transport, stayed
		_, err := readFrame(resp.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Zero(t, e.OpenConns())
		_, err = e.Dial(t.Context())
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	})
}

func TestCloseEndsEveryGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	e := enginetest.New()
	web := e.Add(enginetest.ContainerSpec{Running: true})
	host := e.Listen(t)
	socket, memory := unixClient(host), newClient(e.DialContext)
	var open []*http.Response
	for _, c := range []*client{socket, memory} {
		for range 5 {
			open = append(open, c.open(t, logsPath(web, "follow", "1")), c.open(t, "/events"))
		}
		c.get(t, "/info")
	}
	require.NoError(t, e.WaitFollows(realTime(t), 10))
	require.NoError(t, e.WaitSubscribers(realTime(t), 10))
	e.Freeze() // not even that keeps it
	e.HalfOpen()

	e.Close()
	e.Close()
	for _, resp := range open {
		require.NoError(t, resp.Body.Close())
	}
	socket.CloseIdleConnections()
	memory.CloseIdleConnections()
	require.Zero(t, e.OpenFollows())
	require.Zero(t, e.OpenConns())
	for ctx := realTime(t); runtime.NumGoroutine() > before; runtime.Gosched() { // the client's own end a moment later
		require.NoError(t, ctx.Err(), "%d goroutines, %d before", runtime.NumGoroutine(), before)
	}
	require.ErrorIs(t, e.WaitFollows(realTime(t), 1), http.ErrServerClosed)
}

func TestUnixSocket(t *testing.T) {
	e := enginetest.New()
	web := e.Add(enginetest.ContainerSpec{Running: true})
	c := unixClient(e.Listen(t))
	resp := c.open(t, logsPath(web, "follow", "1"))
	require.NoError(t, e.WaitFollows(realTime(t), 1))
	web.Write(enginetest.Stderr, "one\ntwo\n")
	require.Equal(t, []string{"one\n", "two\n"}, readTexts(t, resp.Body, 2))

	e.Down()
	_, err := readFrame(resp.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = c.do(t.Context(), http.MethodGet, "/_ping")
	require.ErrorIs(t, err, syscall.ECONNREFUSED)
	web.Write(enginetest.Stdout, "while it was away\n")

	e.Up()
	_, err = c.do(t.Context(), http.MethodGet, "/_ping")
	require.NoError(t, err)
	require.Len(t, c.frames(t, logsPath(web)), 3)
}

func TestPing(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *enginetest.Engine, c *client) {
		for _, path := range []string{"/_ping", "/v1.41/_ping"} {
			for method, want := range map[string]string{http.MethodGet: "OK", http.MethodHead: ""} {
				resp, err := c.do(t.Context(), method, path)
				require.NoError(t, err)
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				assert.Equal(t, want, string(body))
				assert.Equal(t, "1.41", resp.Header.Get("Api-Version"))
				assert.Equal(t, "linux", resp.Header.Get("Ostype"))
				assert.Equal(t, "false", resp.Header.Get("Docker-Experimental"))
				assert.Equal(t, "Docker/20.10.24+dfsg1 (linux)", resp.Header.Get("Server"))
			}
		}
	})
}

func TestErrorsAreTheEngines(t *testing.T) {
	const (
		tooNew = `{"message":"client version 1.99 is too new. Maximum supported API version is 1.41"}` + "\n"
		tooOld = "client version 1.10 is too old. Minimum supported API version is 1.12, " +
			"please upgrade your client to a newer version\n" // text, for clients before 1.24
	)
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		e.Add(enginetest.ContainerSpec{ID: "aa11", Driver: "none"})
		e.Add(enginetest.ContainerSpec{ID: "aa22"})
		for path, want := range map[string]struct {
			status int
			body   string
		}{
			"/v1.99/containers/json":                    {400, tooNew},
			"/v1.10/containers/json":                    {400, tooOld},
			"/v1.41/containers/nosuch/json":             {404, `{"message":"No such container: nosuch"}` + "\n"},
			"/containers/nosuch/logs?stdout=1":          {404, `{"message":"No such container: nosuch"}` + "\n"},
			"/v1.41/containers/aa/json":                 {500, `{"message":"Multiple IDs found with provided prefix: aa"}` + "\n"},
			"/v1.41/containers/aa22/logs":               {400, `{"message":"Bad parameters: you must choose at least one stream"}` + "\n"},
			"/v1.41/containers/aa11/logs?stdout=1":      {501, `{"message":"configured logging driver does not support reading"}` + "\n"},
			"/containers/aa22/logs?stdout=1&since=abc":  {500, `{"message":"strconv.ParseInt: parsing \"abc\": invalid syntax"}` + "\n"},
			"/v1.41/events?since=abc":                   {500, `{"message":"strconv.ParseInt: parsing \"abc\": invalid syntax"}` + "\n"},
			`/containers/json?filters={"bogus":["x"]}`:  {400, `{"message":"Invalid filter 'bogus'"}` + "\n"},
			`/containers/json?filters={"status":["x"]}`: {400, `{"message":"Invalid filter 'status=x'"}` + "\n"},
			`/containers/json?filters=notjson`:          {400, `{"message":"invalid character 'o' in literal null (expecting 'u')"}` + "\n"},
			`/containers/json?filters={"volume":["x"]}`: {501, `{"message":"enginetest does not filter containers by volume"}` + "\n"},
			"/nosuch":                                    {404, `{"message":"page not found"}` + "\n"},
			"/v1.41a/containers/json":                    {404, `{"message":"page not found"}` + "\n"},
			"/v1.41/containers/aa22/stats":               {404, `{"message":"page not found"}` + "\n"},
			"/v1.41/containers/aa22/logs?stdout=false":   {400, `{"message":"Bad parameters: you must choose at least one stream"}` + "\n"},
			"/v1.41/containers/aa22/logs?stdout=no&tail": {400, `{"message":"Bad parameters: you must choose at least one stream"}` + "\n"},
		} {
			status, body := c.get(t, path)
			assert.Equal(t, want.status, status, path)
			assert.Equal(t, want.body, body, path)
		}
		resp, err := c.do(t.Context(), http.MethodPost, "/v1.41/containers/json")
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusNotFound, resp.StatusCode)
		unknown := 0
		for _, r := range e.Requests() {
			if r.Kind == enginetest.KindUnknown {
				unknown++
				assert.Equal(t, 404, r.Status)
			}
		}
		require.Equal(t, 4, unknown)
	})
}

func TestRequestsAreRecordedWithTheirCost(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Name: "web"})
		start := time.Now()
		for i := range 100 {
			web.WriteAt(start.Add(time.Duration(i)*time.Second), enginetest.Stdout, "0123456789\n")
		}
		time.Sleep(time.Minute)
		c.get(t, "/v1.41/containers/web/logs?stdout=1&since="+unix(start.Add(98*time.Second)))
		c.get(t, "/v1.41/containers/web/logs?stdout=1&tail=10&since="+unix(start.Add(98*time.Second)))

		all := e.Requests()
		require.Len(t, all, 2)
		r := all[0]
		assert.Equal(t, http.MethodGet, r.Method)
		assert.Equal(t, "/v1.41/containers/web/logs", r.Path)
		assert.Equal(t, "1", r.Query.Get("stdout"))
		assert.NotEmpty(t, r.Header.Get("User-Agent"))
		assert.Equal(t, start.Add(time.Minute), r.Time)
		assert.Equal(t, enginetest.KindLogs, r.Kind)
		assert.Equal(t, web.ID(), r.Container)
		assert.Equal(t, 200, r.Status)
		assert.True(t, r.Done)
		assert.False(t, r.Follow)
		assert.Equal(t, 2, r.Records)
		assert.EqualValues(t, 2*(8+11), r.Bytes)
		assert.Equal(t, 100, r.Scanned, "since is a filter, not a seek")
		assert.Equal(t, 10, all[1].Scanned)
		assert.Equal(t, 2, all[1].Records)

		r.Query.Set("stdout", "changed") // a copy
		require.Equal(t, "1", e.Requests()[0].Query.Get("stdout"))
		e.ForgetRequests()
		require.Empty(t, e.Requests())
	})
}

func TestWaits(t *testing.T) {
	e := enginetest.New()
	defer e.Close()
	web := e.Add(enginetest.ContainerSpec{Running: true})
	c := newClient(e.DialContext)
	ctx := realTime(t)

	expired, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, e.WaitFollows(expired, 1), context.Canceled)

	following, stop := context.WithCancel(ctx)
	defer stop()
	resp, err := c.do(following, http.MethodGet, logsPath(web, "follow", "1"))
	require.NoError(t, err)
	defer resp.Body.Close()
	require.NoError(t, e.WaitFollows(ctx, 1))
	go web.Write(enginetest.Stdout, "a\nb\nc\n")
	r, err := e.WaitRequest(ctx, func(r enginetest.Request) bool { return r.Follow && r.Records == 3 })
	require.NoError(t, err)
	require.False(t, r.Done)

	stop() // the client cancels: the engine sees it
	require.NoError(t, e.WaitFollows(ctx, 0))
	require.NoError(t, e.WaitConns(ctx, 0))
	_, err = e.WaitRequest(ctx, func(r enginetest.Request) bool { return r.Follow && r.Done })
	require.NoError(t, err)

	resp = c.open(t, "/events")
	require.NoError(t, e.WaitSubscribers(ctx, 1))
	require.NoError(t, resp.Body.Close())
	require.NoError(t, e.WaitSubscribers(ctx, 0))
}

func TestAPIVersions(t *testing.T) {
	inBubble(t, func(t *testing.T, _ *enginetest.Engine, c *client) {
		for path, want := range map[string]int{"/v1.23/info": 400, "/v1.24/info": 200, "/v1.30/info": 200, "/v1.31/info": 400, "/info": 200} {
			status, _ := c.get(t, path)
			require.Equal(t, want, status, path)
		}
		require.Equal(t, "1.30", c.decode(t, "/version").(map[string]any)["ApiVersion"])
		require.Equal(t, "1.24", c.decode(t, "/version").(map[string]any)["MinAPIVersion"])
	}, enginetest.APIVersions("1.24", "1.30"))
}
