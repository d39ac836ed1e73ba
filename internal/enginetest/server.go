// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// exchange is one request and its answer.
type exchange struct {
	engine     *Engine
	w          http.ResponseWriter
	r          *http.Request
	conn       *conn
	req        *Request // guarded by Engine.mu
	apiVersion string   // that the request asks for, or the engine's newest
}

// statusError is an error that the engine answers with.
type statusError struct {
	status  int
	message string
}

func (e *statusError) Error() string { return e.message }

// routes are what the engine serves. As in the real one, the name of a container is everything between the fixed parts.
var routes = []struct {
	path  *regexp.Regexp
	kind  Kind
	serve func(x *exchange, name string) error
}{
	{regexp.MustCompile(`^/_ping$`), KindPing, (*exchange).ping},
	{regexp.MustCompile(`^/version$`), KindVersion, (*exchange).version},
	{regexp.MustCompile(`^/info$`), KindInfo, (*exchange).info},
	{regexp.MustCompile(`^/events$`), KindEvents, (*exchange).events},
	{regexp.MustCompile(`^/containers/json$`), KindList, (*exchange).list},
	{regexp.MustCompile(`^/containers/(.*)/json$`), KindInspect, (*exchange).inspect},
	{regexp.MustCompile(`^/containers/(.*)/logs$`), KindLogs, (*exchange).logs},
}

var versionPrefix = regexp.MustCompile(`^/v([0-9.]+)(/.*)$`)

// serve records a request and answers it.
func (e *Engine) serve(w http.ResponseWriter, r *http.Request) {
	x := &exchange{engine: e, w: w, r: r, apiVersion: e.apiVersion}
	x.conn, _ = r.Context().Value(connKey{}).(*conn)
	path := r.URL.Path
	if m := versionPrefix.FindStringSubmatch(path); m != nil {
		x.apiVersion, path = m[1], m[2]
	}
	route := func(*exchange, string) error { return &statusError{http.StatusNotFound, "page not found"} }
	kind, name := KindUnknown, ""
	for _, candidate := range routes {
		m := candidate.path.FindStringSubmatch(path)
		if m == nil || r.Method != http.MethodGet && (r.Method != http.MethodHead || candidate.kind != KindPing) {
			continue
		}
		kind, route = candidate.kind, candidate.serve
		if len(m) > 1 {
			name = m[1]
		}
		break
	}
	x.req = &Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(),
		Kind: kind, Container: name, Follow: kind == KindLogs && boolValue(r.URL.Query().Get("follow")),
	}
	e.mu.Lock()
	x.req.Time = e.Now()
	e.requests = append(e.requests, x.req)
	e.changed.Broadcast()
	e.mu.Unlock()
	defer x.update(func() { x.req.Done = true })

	if !x.delay() {
		return
	}
	if kind != KindUnknown { // the engine's middleware does not see what has no route
		h := w.Header()
		h.Set("Server", e.product+"/"+e.version+" (linux)")
		h.Set("Api-Version", e.apiVersion)
		h.Set("Ostype", "linux")
		h.Set("Date", x.req.Time.UTC().Format(http.TimeFormat))
		if err := x.checkVersion(); err != nil {
			x.fail(err)
			return
		}
		h.Set("Docker-Experimental", "false")
	}
	if err := route(x, name); err != nil {
		x.fail(err)
	}
}

// update changes the request's record and tells the observers.
func (x *exchange) update(change func()) {
	x.engine.mu.Lock()
	defer x.engine.mu.Unlock()
	change()
	x.engine.changed.Broadcast()
}

// delay waits as long as the scripted latency says and reports false if the client is gone by then.
func (x *exchange) delay() bool {
	x.engine.mu.Lock()
	latency, req := x.engine.latency, x.req.clone()
	x.engine.mu.Unlock()
	if latency == nil {
		return true
	}
	timer := time.NewTimer(latency(req))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// checkVersion refuses an API version that the engine does not serve, in the engine's words.
func (x *exchange) checkVersion() error {
	e := x.engine
	switch {
	case less(x.apiVersion, e.minAPIVersion):
		return &statusError{http.StatusBadRequest, fmt.Sprintf("client version %s is too old. Minimum supported API version is %s,"+
			" please upgrade your client to a newer version", x.apiVersion, e.minAPIVersion)}
	case less(e.apiVersion, x.apiVersion):
		return &statusError{http.StatusBadRequest, fmt.Sprintf("client version %s is too new. Maximum supported API version is %s",
			x.apiVersion, e.apiVersion)}
	}
	return nil
}

// less compares API versions.
func less(a, b string) bool {
	number := func(version string) (major, minor int) {
		left, right, _ := strings.Cut(version, ".")
		major, _ = strconv.Atoi(left)
		minor, _ = strconv.Atoi(right)
		return major, minor
	}
	aMajor, aMinor := number(a)
	bMajor, bMinor := number(b)
	return aMajor < bMajor || aMajor == bMajor && aMinor < bMinor
}

// fail answers with an error. Clients before 1.24 get plain text.
func (x *exchange) fail(err error) {
	status := http.StatusInternalServerError
	var known *statusError
	if errors.As(err, &known) {
		status = known.status
	}
	if less(x.apiVersion, "1.24") {
		x.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		x.w.Header().Set("X-Content-Type-Options", "nosniff")
		x.answer(status, []byte(err.Error()+"\n"))
		return
	}
	x.json(status, map[string]string{"message": err.Error()})
}

// json answers with v, encoded as the engine does: a newline at the end, HTML left alone.
func (x *exchange) json(status int, v any) {
	x.w.Header().Set("Content-Type", "application/json")
	x.answer(status, encode(v))
}

func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic("enginetest: encode an answer: " + err.Error()) // v is always one of our own types
	}
	return b.Bytes()
}

// answer sends a whole answer.
func (x *exchange) answer(status int, body []byte) {
	x.update(func() { x.req.Status = status })
	x.w.WriteHeader(status)
	n, _ := x.w.Write(body)
	x.update(func() { x.req.Bytes += int64(n) })
}

// begin sends the header of a stream, unless it is out already.
func (x *exchange) begin() {
	if x.req.Status != 0 { // only this goroutine changes the record of the request, so it may read it without the lock
		return
	}
	x.update(func() { x.req.Status = http.StatusOK })
	x.w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(x.w).Flush()
}

// send sends a piece of a stream as one chunk, after the header if that is not out yet.
func (x *exchange) send(p []byte) error {
	n, err := x.w.Write(p)
	if err == nil {
		err = http.NewResponseController(x.w).Flush()
	}
	x.update(func() {
		x.req.Status = http.StatusOK
		x.req.Bytes += int64(n)
	})
	return err
}

// boolValue reads a parameter as the engine does: whatever is not a way to say no is a yes.
func boolValue(s string) bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "", "0", "no", "false", "none":
		return false
	}
	return true
}
