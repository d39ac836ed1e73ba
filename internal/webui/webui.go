// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package webui is what the pages of the components share: their look, their script, and
// how they are served.
package webui

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

//go:embed style.css
var style string

//go:embed base.js
var script string

// Where a page wants the two, on lines of their own.
const (
	styleMark  = "<!-- style -->"
	scriptMark = "<!-- script -->"
)

var inline = regexp.MustCompile(`(?s)<(style|script)>(.*?)</(?:style|script)>`)

// Page returns a handler that serves html, with the shared style and script in place of
// the comments <!-- style --> and <!-- script -->. The browser runs and applies what is in
// the page, nothing else, and lets it speak to its own server alone. Page panics where a
// comment is missing.
func Page(html string) http.Handler {
	for mark, part := range map[string]string{styleMark: "<style>\n" + style + "</style>", scriptMark: "<script>\n" + script + "</script>"} {
		if strings.Count(html, mark) != 1 {
			panic("webui: a page needs the comment " + mark + " once")
		}
		html = strings.Replace(html, mark, part, 1)
	}
	sources := map[string]string{}
	for _, m := range inline.FindAllStringSubmatch(html, -1) {
		sum := sha256.Sum256([]byte(m[2]))
		sources[m[1]] += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	policy := fmt.Sprintf("default-src 'none'; connect-src 'self'; img-src data:; script-src%s; style-src%s; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		sources["script"], sources["style"])
	body := []byte(html)
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		header := w.Header()
		header.Set("Content-Type", "text/html; charset=utf-8")
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-cache")
		_, _ = w.Write(body)
	})
}
