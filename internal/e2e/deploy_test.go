// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var deploy = filepath.Join(root, "deploy")

// needTool skips the test where a program is missing. Where the variable is 1, it fails.
func needTool(t testing.TB, program, debian, variable string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		message := "no " + program + " in PATH; Debian's package " + debian + " has it: " + err.Error()
		if os.Getenv(variable) == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
}

// TestDeployedConfig has the binary check what compose.yaml, the unit of systemd and the agents of a fleet run. The
// gateways' takes a secret, and is checked where it is run.
func TestDeployedConfig(t *testing.T) {
	for _, file := range []string{"collector.yaml", "systemd/config.yaml", "swarm/agent.yaml"} {
		cmd := exec.Command(binary(t), "validate", "--config="+filepath.Join(deploy, file))
		cmd.Env = append(os.Environ(), "GATEWAY=http://gateway:4318")
		output, err := cmd.CombinedOutput()
		assert.NoError(t, err, "%s: %s", file, output)
	}
}

// TestSystemdUnit has systemd read the unit, with the path of the binary that there is.
func TestSystemdUnit(t *testing.T) {
	needTool(t, "systemd-analyze", "systemd", "DOCKERLOGS_REQUIRE_SYSTEMD")
	const name = "otelcol-dockerlogs.service"
	text, err := os.ReadFile(filepath.Join(deploy, "systemd", name))
	require.NoError(t, err)
	installed := strings.Replace(string(text), "ExecStart=/usr/local/bin/otelcol-dockerlogs ", "ExecStart="+binary(t)+" ", 1)
	require.NotEqual(t, string(text), installed)
	unit := writeFile(t, name, installed)
	for _, dropIn := range []string{"", "files.conf"} { // one after the other, as they are installed
		if dropIn != "" {
			dir := unit + ".d"
			require.NoError(t, os.Mkdir(dir, 0o755))
			text, err := os.ReadFile(filepath.Join(deploy, "systemd", name+".d", dropIn))
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, dropIn), text, 0o600))
		}
		output, err := exec.Command("systemd-analyze", "verify", unit).CombinedOutput()
		require.NoError(t, err, "%s", output)
		assert.Empty(t, string(output), "nothing is ignored")
		output, err = exec.Command("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit).CombinedOutput()
		assert.NoError(t, err, "%s", output)
		t.Logf("%s %s", regexp.MustCompile(`Overall exposure.*`).Find(output), dropIn)
		ambient := regexp.MustCompile(`(?m)^✗ AmbientCapabilities=`).Match(output)
		assert.Equal(t, dropIn != "", ambient, "only the drop-in gives a capability\n%s", output)
	}
}
