// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/goldentest"
)

func TestMain(m *testing.M) {
	time.Local = time.FixedZone("", 2*60*60)
	os.Exit(m.Run())
}

// receiver answers as the status endpoint does, from testdata.
func receiver(t *testing.T) string {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		return data
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/containers", func(w http.ResponseWriter, r *http.Request) {
		var all map[string]any
		assert.NoError(t, json.Unmarshal(read("containers.json"), &all))
		matching := []any{}
		for _, c := range all["containers"].([]any) {
			if strings.Contains(strings.ToLower(c.(map[string]any)["name"].(string)), strings.ToLower(r.URL.Query().Get("name"))) {
				matching = append(matching, c)
			}
		}
		all["containers"] = matching
		assert.NoError(t, json.NewEncoder(w).Encode(all))
	})
	mux.HandleFunc("GET /api/v1/containers/{id}", func(w http.ResponseWriter, r *http.Request) {
		answer := read("container.json")
		if !bytes.Contains(answer, []byte(`"id": "`+r.PathValue("id"))) {
			w.WriteHeader(http.StatusNotFound)
			answer = []byte(`{"error":"no container has this id"}`)
		}
		_, _ = w.Write(answer)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// execute runs the command as main does.
func execute(t *testing.T, colours bool, args ...string) (stdout, stderr string, err error) {
	var out, errors bytes.Buffer
	o, err := parse(args, &errors)
	if err == nil {
		o.colours = colours
		err = o.run(&out, &errors)
	}
	return out.String(), errors.String(), err
}

func TestGolden(t *testing.T) {
	endpoint := receiver(t)
	for name, tt := range map[string]struct {
		args    []string
		colours bool
	}{
		"all.golden":     {},
		"wide.golden":    {args: []string{"--wide"}},
		"colours.golden": {colours: true},
		"names.golden":   {args: []string{"WEB-", "web-1", "cache"}},
		"one.golden":     {args: []string{"web"}},
	} {
		stdout, stderr, err := execute(t, tt.colours, append(tt.args, "--endpoint", endpoint)...)
		require.NoError(t, err, name)
		goldentest.Equal(t, filepath.Join("testdata", name), stderr+stdout)
	}
}

// TestOneByID shows the container of which an id, or its beginning, is given.
func TestOneByID(t *testing.T) {
	endpoint := receiver(t)
	want, _, err := execute(t, false, "--endpoint", endpoint, "web")
	require.NoError(t, err)
	got, _, err := execute(t, false, "--endpoint", endpoint, "0123456789ab")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestJSON(t *testing.T) {
	endpoint := receiver(t)
	for _, names := range [][]string{nil, {"web-"}, {"web"}, {"web-", "cache"}} {
		stdout, _, err := execute(t, false, append(names, "--json", "--endpoint", endpoint)...)
		require.NoError(t, err)
		assert.NotContains(t, stdout, "\u009b")
		decoder := json.NewDecoder(strings.NewReader(stdout))
		for range max(len(names), 1) {
			var a answer
			require.NoError(t, decoder.Decode(&a))
			assert.Equal(t, len(names) == 1 && names[0] == "web", a.Container != nil)
			for _, c := range a.Containers {
				if c.Name == "broken" {
					assert.Contains(t, c.Reason.Text, "\u009b", "as the engine has it")
				}
			}
		}
		assert.ErrorIs(t, decoder.Decode(&answer{}), io.EOF)
	}
}

func TestErrors(t *testing.T) {
	endpoint := receiver(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("<html>"))
	}))
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	nothing := httptest.NewServer(http.NotFoundHandler())
	denied := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"limit: \"x\" is not a number"}`))
	}))
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, server := range []*httptest.Server{page, other, nothing, denied} {
		t.Cleanup(server.Close)
	}
	for _, tt := range []struct {
		args    []string
		code    int
		message string
	}{
		{[]string{"--endpoint", endpoint, "none"}, exitNone, `no such container: "none"`},
		{[]string{"--endpoint", endpoint, "web-", "none"}, exitNone, `no such container: "none"`},
		{[]string{"--endpoint", endpoint, "abcdefabcdef"}, exitNone, "no such container: no container has this id"},
		{[]string{"--endpoint", gone.URL}, exitError, "no answer from " + gone.URL},
		{[]string{"--endpoint", strings.TrimPrefix(gone.URL, "http://")}, exitError, "status: {endpoint: "},
		{[]string{"--endpoint", page.URL}, exitError, " is not the status endpoint of docker_logs: invalid character '<'"},
		{[]string{"--endpoint", other.URL}, exitError, "its answer has no time"},
		{[]string{"--endpoint", nothing.URL}, exitError, "404 Not Found"},
		{[]string{"--endpoint", denied.URL}, exitError, `limit: "x" is not a number`},
		{[]string{"--endpoint", "http://me:secret@" + strings.TrimPrefix(gone.URL, "http://")}, exitError, "no answer from " + gone.URL + ": "},
		{[]string{"--endpoint", "http://me:secret@localhost:port"}, exitError, `--endpoint: invalid port ":port" after host`},
		{[]string{"--wrong"}, exitError, "-wrong"},
		{[]string{"--help"}, 0, "help requested"},
	} {
		stdout, stderr, err := execute(t, false, tt.args...)
		require.ErrorContains(t, err, tt.message)
		assert.NotContains(t, stderr+err.Error(), "secret")
		assert.Equal(t, tt.code, exitCode(err), tt.args)
		assert.Empty(t, stdout)
	}
}

// TestTwoOfOneName shows each of them once, however many names find them.
func TestTwoOfOneName(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"now":"2026-01-02T03:04:05Z","engine":{"connected":true},"containers":[
			{"id":"bbbbbbbbbbbb","name":"web","state":"following"},{"id":"aaaaaaaaaaaa","name":"web","state":"ended"}]}`)
	}))
	t.Cleanup(server.Close)
	stdout, _, err := execute(t, false, "--wide", "--endpoint", server.URL, "web", "w")
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(stdout, "aaaaaaaaaaaa"))
	assert.Equal(t, 1, strings.Count(stdout, "bbbbbbbbbbbb"))
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestFullDisk(t *testing.T) {
	endpoint := receiver(t)
	for _, args := range [][]string{{}, {"--json"}, {"web"}} {
		o, err := parse(append(args, "--endpoint", endpoint), io.Discard)
		require.NoError(t, err)
		err = o.run(fullDisk{}, io.Discard)
		require.ErrorIs(t, err, syscall.ENOSPC, args)
		assert.Equal(t, exitError, exitCode(err))
	}
}

// TestNothingDrivesTheTerminal has an engine's error with sequences for terminals.
func TestNothingDrivesTheTerminal(t *testing.T) {
	endpoint := receiver(t)
	for _, args := range [][]string{{}, {"--wide"}, {"--json"}, {"web"}} {
		stdout, stderr, err := execute(t, false, append(args, "--endpoint", endpoint)...)
		require.NoError(t, err)
		for _, r := range stdout + stderr {
			assert.False(t, r < ' ' && r != '\n' || 0x7f <= r && r < 0xa0, "%q: %U", args, r)
		}
	}
}

func TestPlot(t *testing.T) {
	assert.Equal(t, " ▁▅█", plot([]float64{0, 0.1, 4, 8}))
	assert.Equal(t, "  ", plot([]float64{0, 0}))
}

func TestDuration(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 0.04: "0s", 1.25: "1.3s", 9.94: "9.9s", 75.4: "1m15s"} {
		assert.Equal(t, want, duration(seconds))
	}
}
