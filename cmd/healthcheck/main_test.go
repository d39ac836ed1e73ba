// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheck(t *testing.T) {
	code := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte(`{"verdict":"critical"}` + "\n"))
	}))
	require.NoError(t, check(server.URL))
	code = http.StatusServiceUnavailable
	require.EqualError(t, check(server.URL), `503 Service Unavailable: {"verdict":"critical"}`)
	server.Close()
	require.Error(t, check(server.URL), "nobody answers")
}
