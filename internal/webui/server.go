// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package webui

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Answer answers a request with a status code and a value as JSON, which no browser may keep.
func Answer(w http.ResponseWriter, code int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(append(body, '\n'))
}

// drainTimeout bounds the wait for requests in flight when a component shuts down.
const drainTimeout = time.Second

// Close ends a server, and waits a moment for requests in flight. One that has to be cut off is
// no error.
func Close(ctx context.Context, server *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		return server.Close()
	}
	return nil
}
