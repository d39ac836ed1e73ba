// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// Endpoint is one of the engine's endpoints that are used, as a metric names it.
type Endpoint string

const (
	EndpointPing    Endpoint = "ping"
	EndpointVersion Endpoint = "version"
	EndpointInfo    Endpoint = "info"
	EndpointList    Endpoint = "list"
	EndpointInspect Endpoint = "inspect"
	EndpointLogs    Endpoint = "logs"
	EndpointEvents  Endpoint = "events"
)

// Outcome is how a request ended, as a metric names it.
type Outcome string

const (
	OutcomeOK             Outcome = "ok"
	OutcomeDenied         Outcome = "denied" // 401, 403
	OutcomeNotFound       Outcome = "not_found"
	OutcomeConflict       Outcome = "conflict"
	OutcomeNotImplemented Outcome = "not_implemented"
	OutcomeRejected       Outcome = "rejected" // any other 4xx
	OutcomeFailed         Outcome = "failed"   // any other 5xx
	OutcomeUnreachable    Outcome = "unreachable"
	OutcomeTimeout        Outcome = "timeout"
	OutcomeCanceled       Outcome = "canceled"
)

// maxAnswer bounds the answer to a request that is not a stream, in bytes; a list
// of 10,000 containers has some 20 MB.
const maxAnswer = 128 << 20

// maxEvent bounds one event, in bytes. It has the container's labels, of which an engine takes
// as many as it is given.
const maxEvent = 16 << 20

// transport lets pass only what the receiver needs, counts it and bounds it.
type transport struct {
	base    *http.Transport
	prefix  string // path that the endpoint's URL has
	observe func(Endpoint, Outcome)
	clock   atomic.Pointer[reading]
}

// reading is what the engine's clock showed when an answer began, in whole seconds, and
// ours.
type reading struct{ engine, ours time.Time }

var allowed = regexp.MustCompile(`^(?:/v[0-9.]+)?/(?:(_ping)|(version)|(info)|(containers/json)|(containers/[^/]+/json)|(containers/[^/]+/logs)|(events))$`)

var endpoints = [...]Endpoint{
	EndpointPing, EndpointVersion, EndpointInfo, EndpointList, EndpointInspect, EndpointLogs, EndpointEvents,
}

func (t *transport) endpoint(req *http.Request) (Endpoint, bool) {
	if req.Method != http.MethodGet {
		return "", false
	}
	match := allowed.FindStringSubmatchIndex(strings.TrimPrefix(req.URL.Path, t.prefix))
	for i := range endpoints {
		if match != nil && match[2*(i+1)] >= 0 {
			return endpoints[i], true
		}
	}
	return "", false
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	endpoint, ok := t.endpoint(req)
	if !ok {
		return nil, fmt.Errorf("refused to send %s %s: only the engine's read-only endpoints are used", req.Method, req.URL.Path)
	}
	resp, err := t.base.RoundTrip(req)
	if t.observe != nil {
		t.observe(endpoint, outcomeOf(resp, err))
	}
	if err == nil {
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
			t.clock.Store(&reading{engine: date, ours: time.Now()})
		}
	}
	if err != nil {
		return nil, err
	}
	switch endpoint {
	case EndpointLogs: // its reader takes no more than a line
	case EndpointEvents:
		resp.Body = &eventsBody{ReadCloser: resp.Body}
	default:
		resp.Body = &boundedBody{ReadCloser: resp.Body, left: maxAnswer}
	}
	return resp, nil
}

func outcomeOf(resp *http.Response, err error) Outcome {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return OutcomeCanceled
	case errors.As(err, &timeout) && timeout.Timeout():
		return OutcomeTimeout
	case err != nil:
		return OutcomeUnreachable
	case resp.StatusCode < http.StatusBadRequest:
		return OutcomeOK
	}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		return OutcomeDenied
	case http.StatusNotFound:
		return OutcomeNotFound
	case http.StatusConflict:
		return OutcomeConflict
	case http.StatusNotImplemented:
		return OutcomeNotImplemented
	}
	if resp.StatusCode < http.StatusInternalServerError {
		return OutcomeRejected
	}
	return OutcomeFailed
}

// boundedBody fails a read beyond a number of bytes.
type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the engine's answer is longer than %d bytes", maxAnswer)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// eventsBody fails a read inside of an event that is longer than maxEvent. The client decodes
// an event once it has read all of it, however long that is.
type eventsBody struct {
	io.ReadCloser
	size            int // bytes since the last event
	depth           int // of the JSON, 0 between two events
	quoted, escaped bool
}

func (b *eventsBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	for _, c := range p[:n] {
		b.size++
		switch {
		case b.escaped:
			b.escaped = false
		case b.quoted:
			b.escaped, b.quoted = c == '\\', c != '"'
		case c == '"':
			b.quoted = true
		case c == '{', c == '[':
			b.depth++
		case c == '}', c == ']':
			if b.depth--; b.depth == 0 {
				b.size = 0
			}
		}
	}
	if b.size > maxEvent {
		return 0, fmt.Errorf("the engine has sent an event that is longer than %d bytes", maxEvent)
	}
	return n, err
}
