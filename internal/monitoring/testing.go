// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"os"
	"os/exec"
	"testing"
)

// Tool returns the path of prometheus or promtool. Where it is missing the test is skipped, or
// fails with DOCKERLOGS_REQUIRE_PROMETHEUS=1.
func Tool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		message := "no " + name + " in PATH; Debian's package prometheus has it: " + err.Error()
		if os.Getenv("DOCKERLOGS_REQUIRE_PROMETHEUS") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	return path
}
