// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

func TestWithoutQuotes(t *testing.T) {
	resource := pcommon.NewResource()
	resource.Attributes().PutStr("team", "the blue team")
	b := New(MaxRecords, MaxBytes)
	b.Origin = &Origin{ID: "a", Name: "web", Resource: resource}
	for _, body := range []string{"login of bob with password hunter2-hunter2", "short", strings.Repeat("busy ", 100)} {
		b.Add(stream.Record{Kind: stream.Stdout, Body: []byte(body)}, UID{})
	}
	for text, want := range map[string]string{
		"":                                        "",
		"busy":                                    "busy",
		"data refused due to high memory usage":   "data refused due to high memory usage",
		"not accepted: hunter2-hunter2":           "not accepted:…",
		`400: {"line": "password hunter2-hunt"}`:  `400: {"line": "…"}`,
		"login of bob with password hunter2":      "…",
		"for the blue team: no":                   "for …: no",
		"for the blue tea, and the blue team, no": "for …, and …, no",
		"xxxxx busy busy busy xxxxx":              "xxxxx…xxxxx",
	} {
		assert.Equal(t, want, WithoutQuotes(text, []*Batch{b}), text)
	}
}
