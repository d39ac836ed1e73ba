// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOnlyReadingRequestsPass(t *testing.T) {
	c, err := New(Config{Endpoint: "tcp://127.0.0.1:1/prefix", Timeout: time.Second})
	require.NoError(t, err)
	for _, request := range []string{
		"POST /v1.41/containers/abc/start", "DELETE /v1.41/containers/abc", "HEAD /_ping", "POST /v1.41/containers/abc/logs",
		"GET /v1.41/containers/abc/archive", "GET /v1.41/containers/abc/exec/json", "GET /v1.41/images/json", "GET /v1.41/secrets",
		"GET /v1.41/containers/abc/logs/", "GET /containers/../secrets/json",
	} {
		method, path, _ := strings.Cut(request, " ")
		req, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1:1/prefix"+path, nil)
		require.NoError(t, err)
		_, err = c.transport.RoundTrip(req)
		require.ErrorContains(t, err, "refused to send", request)
	}
	for path, want := range map[string]Endpoint{
		"/_ping": EndpointPing, "/v1.41/version": EndpointVersion, "/info": EndpointInfo, "/v1.41/containers/json": EndpointList,
		"/v1.41/containers/abc/json": EndpointInspect, "/v1.41/containers/abc/logs": EndpointLogs, "/v1.41/events": EndpointEvents,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:1/prefix"+path, nil)
		require.NoError(t, err)
		got, ok := c.transport.endpoint(req)
		assert.True(t, ok, path)
		assert.Equal(t, want, got)
	}
}

// A proxy gone mad answers with as many bytes as the client will take.
func TestAnswersAreBounded(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 1<<20)
		for range maxAnswer/len(chunk) + 2 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	c, err := New(Config{Endpoint: server.URL, Timeout: time.Second})
	require.NoError(t, err)
	defer c.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/containers/json", nil)
	require.NoError(t, err)
	resp, err := c.transport.RoundTrip(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(io.Discard, resp.Body)
	require.ErrorContains(t, err, "longer than")
	assert.EqualValues(t, maxAnswer, n)
}

// An event is read whole before it is decoded, however long the engine makes it.
func TestEventsAreBounded(t *testing.T) {
	const event = `{"Type":"container","Action":"start","Actor":{"ID":"abc","Attributes":{"name":"}{]\\\"","image":"web"}},"timeNano":1}` + "\n"
	for name, test := range map[string]struct {
		endless string
		want    string
	}{
		"a string":   {"x", "longer than 16777216 bytes"},
		"whitespace": {" ", "longer than 16777216 bytes"},
		"escapes":    {`\"`, "longer than 16777216 bytes"},
		"events":     {event, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Api-Version", "1.41")
				if !strings.HasSuffix(r.URL.Path, "/events") {
					return
				}
				begin := event
				if test.endless != event {
					begin += `{"Action":"`
				}
				_, _ = io.WriteString(w, begin)
				for range maxEvent/(16<<10) + 2 {
					if _, err := io.WriteString(w, strings.Repeat(test.endless, 16<<10/len(test.endless)+1)); err != nil {
						return
					}
				}
			}))
			defer server.Close()
			c, err := New(Config{Endpoint: server.URL, Timeout: time.Minute})
			require.NoError(t, err)
			defer c.Close()
			require.NoError(t, c.Connect(t.Context()))
			var seen []Event
			err = c.Events(t.Context(), false, func() {}, func(e Event) { seen = append(seen, e) })
			require.ErrorContains(t, err, test.want)
			require.NotEmpty(t, seen)
			assert.Equal(t, `}{]\"`, seen[0].Container.Name)
			if test.endless == event {
				assert.Greater(t, len(seen)*len(event), maxEvent, "together they may be longer")
			}
		})
	}
}

// FuzzEvents holds that, for its bound, an event ends where encoding/json has it end.
func FuzzEvents(f *testing.F) {
	f.Add([]byte(`{"a":"}{]\\\""}` + "\n" + `[{"b":[1]}] {}"x" null{"c":"\u005c"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		decoder := json.NewDecoder(bytes.NewReader(data))
		body := &eventsBody{ReadCloser: io.NopCloser(bytes.NewReader(data))}
		var value json.RawMessage
		for at := int64(0); decoder.Decode(&value) == nil; at = decoder.InputOffset() {
			_, err := io.CopyN(io.Discard, body, decoder.InputOffset()-at)
			require.NoError(t, err)
			if value[0] == '{' || value[0] == '[' {
				require.Zero(t, body.size)
			}
		}
	})
}

func TestTLS(t *testing.T) {
	var protocol string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol = r.Proto
		w.Header().Set("Api-Version", "1.41")
		if strings.HasSuffix(r.URL.Path, "/containers/json") {
			_, _ = w.Write([]byte(`[{"Id":"abc","Names":["/other/alias","/web"],"State":"running"}]`))
		}
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	trusting := &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	host := strings.TrimPrefix(server.URL, "https://")
	for name, test := range map[string]struct {
		endpoint string
		tls      *tls.Config
		message  string
	}{
		"tcp with tls":        {"tcp://" + host, trusting, ""},
		"https with tls":      {"https://" + host, trusting, ""},
		"unknown certificate": {"tcp://" + host, &tls.Config{MinVersion: tls.VersionTLS12}, "certificate"},
		"https, not trusted":  {"https://" + host, nil, "certificate"},
		"no tls":              {"tcp://" + host, nil, "400"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := New(Config{Endpoint: test.endpoint, TLS: test.tls, Timeout: time.Minute})
			require.NoError(t, err)
			defer c.Close()
			err = c.Connect(t.Context())
			if test.message != "" {
				require.ErrorContains(t, err, test.message)
				return
			}
			require.NoError(t, err)
			list, err := c.List(t.Context())
			require.NoError(t, err)
			require.Len(t, list, 1)
			assert.Equal(t, "web", list[0].Name)
			assert.True(t, list[0].Running)
			assert.Equal(t, "HTTP/1.1", protocol, "follows must not share one flow control")
		})
	}
}
