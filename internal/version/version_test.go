// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package version

import (
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAsked(t *testing.T) {
	for line, want := range map[string]bool{
		"otelcol-dockerlogs":                    false,
		"otelcol-dockerlogs --version":          true,
		"otelcol-dockerlogs -v":                 true,
		"otelcol-dockerlogs --config=-v":        false,
		"otelcol-dockerlogs validate --version": false,
	} {
		assert.Equal(t, want, asked(strings.Fields(line)), line)
	}
}

func TestWrite(t *testing.T) {
	var b strings.Builder
	write(&b)
	assert.Regexp(t, `^otelcol-dockerlogs version unknown\ncommit unknown\n`+runtime.Version(), b.String())
}
