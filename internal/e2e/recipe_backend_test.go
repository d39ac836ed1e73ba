// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// backend is what recipes send OTLP/HTTP to. It keeps a record before it accepts the request that brought it.
type backend struct {
	server *httptest.Server

	mu      sync.Mutex
	records []record
	failure error // what was not as it should be
}

func startBackend(t testing.TB) *backend {
	t.Helper()
	b := &backend{}
	mux := http.NewServeMux()
	mux.Handle("POST /v1/logs", b.serve(b.otlp))
	mux.Handle("POST /otlp/v1/logs", b.serve(b.otlp)) // as Loki has it
	mux.Handle("/", b.serve(func(http.ResponseWriter, *http.Request) error { return errors.New("no such path") }))
	b.server = httptest.NewServer(mux)
	t.Cleanup(b.server.Close)
	return b
}

func (b *backend) serve(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			b.fail(fmt.Errorf("%s %s: %w", r.Method, r.URL, err))
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	})
}

// keep adds records, each of all that has arrived with it.
func (b *backend) keep(records ...record) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.records = append(b.records, records...)
}

// fail notes what was not as it should be.
func (b *backend) fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failure = errors.Join(b.failure, err)
}

// arrived returns the records so far.
func (b *backend) arrived() ([]record, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]record(nil), b.records...), b.failure
}

func (b *backend) otlp(w http.ResponseWriter, r *http.Request) error {
	data, err := decode(r)
	if err != nil {
		return err
	}
	for _, record := range recordsIn(data) {
		if tenant := r.Header.Get("X-Scope-OrgID"); tenant != "" {
			record["tenant"] = tenant
		}
		b.keep(record)
	}
	accept(w)
	return nil
}

// recordsIn returns all that there is to say of each record.
func recordsIn(data plog.Logs) (records []record) {
	for resource, from := range logstest.Records(data) {
		r := record{"body": from.Body().AsString(), "resource": resource.AsRaw(), "attributes": from.Attributes().AsRaw()}
		if from.SeverityNumber() != plog.SeverityNumberUnspecified {
			r["severity"] = strings.ToUpper(from.SeverityNumber().String())
		}
		if id := from.TraceID(); !id.IsEmpty() {
			r["trace_id"] = id.String()
		}
		if id := from.SpanID(); id != (pcommon.SpanID{}) {
			r["span_id"] = id.String()
		}
		records = append(records, r)
	}
	return records
}

// shown is a record as a recipe shows it: JSON, without what all have, and of the resource only what the recipe is about.
func (r record) shown(t testing.TB, resource map[string]bool) string {
	t.Helper()
	r = maps.Clone(r)
	for kind, leaveOut := range map[string]func(key string, _ any) bool{
		"attributes": func(key string, _ any) bool { return key == "log.iostream" || key == "log.record.uid" },
		"resource":   func(key string, _ any) bool { return !resource[key] },
	} {
		of := maps.Clone(r[kind].(map[string]any))
		maps.DeleteFunc(of, leaveOut)
		r[kind] = of
		if len(of) == 0 {
			delete(r, kind)
		}
	}
	text, err := json.Marshal(r)
	require.NoError(t, err)
	return string(text)
}
