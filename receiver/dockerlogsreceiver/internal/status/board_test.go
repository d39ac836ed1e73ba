// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/goldentest"
)

const (
	idWeb    = "11f09f4f1ab9a3cbd8a1f2b1b8cbd4cf0a3d4e1a6d0b1c2d3e4f5a6b7c8d9e0f"
	idWorker = "11a7c1e5b2d3f4a6978877665544332211ffeeddccbbaa998877665544332211"
	idLoki   = "5d41402abc4b2a76b9719d911017c5925d41402abc4b2a76b9719d911017c592"
)

// example is a board with a container of each kind, and the age of what waits for the pipeline
// by container. It is to be called in a bubble, and lets time pass.
func example() (*Board, map[string]time.Duration) {
	waiting := make(map[string]time.Duration)
	b := New(func(now *Now) {
		now.Receiver, now.Version, now.HealthPage = "docker_logs", "0.1.0", ":13134"
		e := &now.Engine
		e.Name, e.Host, e.Version, e.APIVersion, e.Runtime = "Docker Engine", "host-1", "28.5.2", "1.51", "docker"
		now.Clock = time.Now()
		now.Oldest = make(map[string]time.Time)
		for id, age := range waiting {
			now.Oldest[id] = now.Clock.Add(-age)
			now.Pipeline.WaitingBytes += 1000
			now.Pipeline.OldestSeconds = max(now.Pipeline.OldestSeconds, age.Seconds())
		}
	})
	b.Connected(true)

	web := b.Register(idWeb)
	web.Listed("web", "nginx:1.27", true)
	web.Set(Opening, false)
	web.Note(KindOpened, "the capture of its log begins")
	web.Inspected("web", "nginx:1.27", "json-file")
	web.Strategy("adaptive", "default")
	web.Set(Following, false)
	for range 5 {
		b.Requested()
		time.Sleep(10 * time.Second)
		web.Handing(Batch{Records: 20, Bytes: 1600, Oldest: time.Now().Add(-time.Second).UnixNano(), Newest: time.Now().UnixNano()})
		web.Handed()
	}
	web.Reopened("")
	web.Read(true, false, 3)

	worker := b.Register(idWorker)
	worker.Listed("worker", "acme/worker:2", true)
	worker.Inspected("worker", "acme/worker:2", "local")
	worker.Strategy("polling", "overrides[0]")
	worker.Set(Waiting, true)
	worker.Gap("rotated", "lines may be missing", "raise max-size")
	worker.Reopened("the connection to the engine ended; the log is opened again")
	worker.Reopened("the connection to the engine ended; the log is opened again")
	worker.Wait(NeedPoll, time.Now().Add(5*time.Second))

	loki := b.Register(idLoki)
	loki.Listed("loki", "grafana/loki:3.5.0", true)
	loki.LeaveOut(Reason{Code: "exclude", By: "exclude[1]", Text: "exclude[1] matches it", Remedy: "make that entry match less"})
	return b, waiting
}

func get(t *testing.T, b *Board, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	b.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody))
	return w
}

func list(t *testing.T, b *Board, query string) (answer List) {
	t.Helper()
	w := get(t, b, "/api/v1/containers"+query)
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	return answer
}

func names(l List) (names []string) {
	for _, c := range l.Containers {
		names = append(names, c.Name)
	}
	return names
}

// TestGolden holds the schema: a field that is renamed or gone breaks who reads the API.
func TestGolden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, waiting := example()
		b.Refused("data refused due to high memory usage")
		waiting[idWeb] = 8 * time.Second
		for file, target := range map[string]string{
			"containers.json": "/api/v1/containers", "container.json": "/api/v1/containers/worker", "not_found.json": "/api/v1/containers/none",
		} {
			var text bytes.Buffer
			require.NoError(t, json.Indent(&text, get(t, b, target).Body.Bytes(), "", "  "))
			goldentest.Equal(t, filepath.Join("testdata", file), text.String())
		}
	})
}

func TestFilterAndPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := example()
		for query, want := range map[string][]string{
			"":                           {"loki", "web", "worker"},
			"?name=W":                    {"web", "worker"},
			"?name=w&state=waiting":      {"worker"},
			"?state=left_out":            {"loki"},
			"?strategy=adaptive":         {"web"},
			"?strategy=file":             nil,
			"?limit=2":                   {"loki", "web"},
			"?limit=2&offset=2":          {"worker"},
			"?limit=2&offset=3":          nil,
			"?offset=99":                 nil,
			"?name=w&limit=1&offset=1":   {"worker"},
			"?name=&limit=0&offset=":     {"loki", "web", "worker"},
			"?state=&strategy=&unknown=": {"loki", "web", "worker"},
		} {
			answer := list(t, b, query)
			assert.Equal(t, want, names(answer), query)
			assert.NotNil(t, answer.Containers, query)
			assert.Equal(t, Totals{Containers: 3, Captured: 2, Gaps: 1, LeftOut: 1}, answer.Totals, "%s: of all, whatever the filter", query)
		}
		page := list(t, b, "?name=w&limit=1&offset=1")
		assert.Equal(t, 2, page.Matched)
		assert.Equal(t, 1, page.Offset)
	})
}

func TestRefusedQueries(t *testing.T) {
	b := New(func(*Now) {})
	for query, want := range map[string]string{
		"?limit=x":          `limit: "x" is not a number`,
		"?offset=-1":        "offset: must not be negative, is -1",
		"?state=fine":       `state: "fine" is not one of [opening reading following delayed waiting ended unreadable left_out]`,
		"?strategy=tail":    `strategy: "tail" is not streaming, short_lived, polling, hybrid, adaptive or file`,
		"?limit=1.5&state=": `limit: "1.5" is not a number`,
	} {
		w := get(t, b, "/api/v1/containers"+query)
		assert.Equal(t, http.StatusBadRequest, w.Code, query)
		var problem Problem
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
		assert.Equal(t, want, problem.Error)
	}
}

func TestOneContainer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := example()
		b.Register("aa00").Listed("web", "a container whose name is another's, for a moment", true)
		b.Forget("aa00")
		for _, name := range []string{idWorker, "worker", "11a7"} {
			w := get(t, b, "/api/v1/containers/"+name)
			require.Equal(t, http.StatusOK, w.Code, name)
			var answer One
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
			assert.Equal(t, idWorker, answer.Container.ID)
			assert.Len(t, answer.Container.History, 2)
		}
		for name, want := range map[string]string{
			"aa00": `there is no container "aa00"; it may have been removed`,
			"11":   `the ids of 2 containers begin with "11"; give more of it`,
		} {
			w := get(t, b, "/api/v1/containers/"+name)
			assert.Equal(t, http.StatusNotFound, w.Code)
			assert.Contains(t, w.Body.String(), `{"error":`+string(must(json.Marshal(want)))+`}`)
		}
	})
}

// A container is found by its id, also where another has that as its name.
func TestIDWinsOverName(t *testing.T) {
	b, _ := example()
	b.Register("aa00").Listed(idWorker, "a container that passes for another", true)
	for range 50 { // records are in no order
		one, err := b.One(idWorker)
		require.NoError(t, err)
		require.Equal(t, idWorker, one.Container.ID)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestServesAsABrowserShouldSeeIt(t *testing.T) {
	b := New(func(*Now) {})
	page := get(t, b, "/")
	assert.Equal(t, http.StatusOK, page.Code)
	assert.Equal(t, "text/html; charset=utf-8", page.Header().Get("Content-Type"))
	assert.Contains(t, page.Header().Get("Content-Security-Policy"), "default-src 'none'")
	assert.NotRegexp(t, `(src|href)="?(https?:)?//`, page.Body.String(), "the page loads nothing from elsewhere")
	api := get(t, b, "/api/v1/containers")
	assert.Equal(t, "application/json", api.Header().Get("Content-Type"))
	for _, w := range []*httptest.ResponseRecorder{page, api} {
		assert.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		assert.NotEmpty(t, w.Header().Get("Cache-Control"))
	}
	assert.Equal(t, http.StatusNotFound, get(t, b, "/other").Code)
	for _, target := range []string{"/", "/api/v1/containers", "/api/v1/containers/web"} {
		w := httptest.NewRecorder()
		b.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader("{}")))
		assert.Equal(t, http.StatusMethodNotAllowed, w.Code, target)
		assert.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
}

func TestEngineAndPipeline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(func(*Now) {})
		began := time.Now().Round(0)
		assert.Equal(t, Accepting, list(t, b, "").Pipeline.State)
		b.Disconnected(errors.New("no such file"))
		time.Sleep(time.Minute)
		b.Disconnected(errors.New(strings.Repeat("long ", 100)))
		got := list(t, b, "").Engine
		assert.False(t, got.Connected)
		assert.WithinDuration(t, began, got.Since, 0, "since the first failure")
		assert.LessOrEqual(t, len(got.Error), maxError+len("…"))

		b.Connected(false)
		b.Requested()
		b.Refused("busy")
		time.Sleep(time.Minute)
		b.Refused("still busy")
		now := list(t, b, "")
		assert.Equal(t, Engine{Connected: true, Since: began.Add(time.Minute).UTC(), Discovery: DiscoveryListing}, now.Engine)
		assert.Equal(t, Pipeline{State: Refusing, Since: began.Add(time.Minute).UTC(), Error: "still busy"}, now.Pipeline)
		b.Accepted()
		assert.Equal(t, Pipeline{State: Accepting, Since: began.Add(2 * time.Minute).UTC()}, list(t, b, "").Pipeline)
	})
}

func TestNothingIsKeptWhereItIsOff(t *testing.T) {
	var b *Board
	b.Forget(idWeb)
	b.Retain(func(string) bool { return false })
	b.Connected(true)
	b.Disconnected(errors.New("away"))
	b.Requested()
	b.Refused("busy")
	b.Accepted()
	r := b.Register(idWeb)
	require.Nil(t, r)
	require.Nil(t, b.Find(idWeb))
	assert.Zero(t, testing.AllocsPerRun(100, func() {
		r.Listed("web", "nginx", true)
		r.Told("web", "nginx", true, false)
		r.Inspected("web", "nginx", "local")
		r.Strategy("polling", "default")
		r.Set(Following, false)
		r.Wait(NeedPoll, time.Time{})
		r.Handing(Batch{Records: 1})
		r.Handed()
		r.Read(true, false, 0)
		r.Reopened("cut")
		r.Gap("rotated", "", "")
		r.Dropped(1)
		r.Note(KindCut, "cut")
		r.LeaveOut(Reason{})
		r.Unreadable(Reason{})
		r.End()
	}))
}
