// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"os"
	"os/exec"
	"testing"
)

// Tool gives the path of prometheus or promtool. Where it is missing the test is skipped; with
// DOCKERLOGS_REQUIRE_PROMETHEUS=1, it fails.
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
