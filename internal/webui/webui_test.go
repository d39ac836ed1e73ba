// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package webui

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
)

func TestPageAllowsWhatIsInIt(t *testing.T) {
	w := httptest.NewRecorder()
	Page("<!-- style --><style>a{}</style><!-- script --><script>b()</script>").ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	policy := w.Header().Get("Content-Security-Policy")
	// printf 'a{}' | openssl dgst -sha256 -binary | base64
	assert.Regexp(t, `style-src 'sha256-[^']+' 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk=';`, policy)
	// printf 'b()' | openssl dgst -sha256 -binary | base64
	assert.Regexp(t, `script-src 'sha256-[^']+' 'sha256-cf242PFc/kb7xD0Qzhsmd9vvRkc\+cWFmbi\+k\+YvtdKc=';`, policy)
	assert.Contains(t, w.Body.String(), style)
	assert.Contains(t, w.Body.String(), script)
}

func TestPageWithoutAPlaceForTheScript(t *testing.T) {
	assert.PanicsWithValue(t, "webui: a page needs the comment <!-- script --> once", func() { Page("<!-- style -->") })
}

func TestAddress(t *testing.T) {
	plain, secure := configoptional.None[configtls.ServerConfig](), configoptional.Some(configtls.ServerConfig{})
	for _, tt := range []struct {
		tls      configoptional.Optional[configtls.ServerConfig]
		endpoint string
		listens  string
		want     string
	}{
		{plain, "0.0.0.0:13134", "0.0.0.0", ":13134"},
		{plain, ":13134", "::", ":13134"},
		{plain, "localhost:13134", "127.0.0.1", "http://localhost:13134/"},
		{plain, "[fd00::1]:0", "fd00::1", "http://[fd00::1]:13134/"},
		{secure, ":13134", "::", "https://:13134/"},
		{secure, "node-1:13134", "10.0.0.5", "https://node-1:13134/"},
	} {
		server := &confighttp.ServerConfig{TLS: tt.tls}
		server.NetAddr.Endpoint = tt.endpoint
		assert.Equal(t, tt.want, Address(server, &net.TCPAddr{IP: net.ParseIP(tt.listens), Port: 13134}))
	}
	assert.Empty(t, Address(&confighttp.ServerConfig{}, nil), "nothing listens")
}
