// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package webuitest looks at pages as a person would, with chromium without a window.
package webuitest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Browser returns the path of chromium. It skips the test where there is none, and fails
// it if DOCKERLOGS_REQUIRE_BROWSER=1.
func Browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("DOCKERLOGS_REQUIRE_BROWSER") == "1" {
		t.Fatal("no chromium on the PATH, and DOCKERLOGS_REQUIRE_BROWSER=1")
	}
	t.Skip("no chromium on the PATH; apt-get install chromium")
	return ""
}

func browse(t *testing.T, url string, args ...string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, Browser(t), append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		"--user-data-dir=" + t.TempDir(), "--timeout=10000", "--virtual-time-budget=4000", "--window-size=1240,1500",
	}, append(args, url)...)...)
	out, err := cmd.Output()
	require.NoError(t, err)
	return string(out)
}

// DOM returns the page at url as it is after some seconds, without its scripts: what is
// shown, not what could be.
func DOM(t *testing.T, url string) string {
	dom, _, _ := strings.Cut(browse(t, url, "--dump-dom"), "<script>")
	return dom
}

// Pictures leaves pictures of the page at url, light, dark and narrow, in the directory
// that DOCKERLOGS_SCREENSHOTS names, if it does.
func Pictures(t *testing.T, url, name string) {
	dir := os.Getenv("DOCKERLOGS_SCREENSHOTS")
	if dir == "" {
		return
	}
	file := func(suffix string) string { return "--screenshot=" + filepath.Join(dir, name+suffix+".png") }
	browse(t, url, file(""))
	browse(t, url, file("-dark"), "--force-dark-mode", "--blink-settings=preferredColorScheme=0")
	browse(t, url, file("-narrow"), "--window-size=520,2400")
}
