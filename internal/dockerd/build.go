// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sync"
)

// builds has one entry per package that this process has built: its result is shared.
var builds sync.Map // import path -> func() (string, error)

// Build makes a static binary of a package of this module, once per process, and gives its path. It stays in the user's
// cache, one file per package, where the next process replaces it.
func Build(importPath string) (string, error) {
	once, _ := builds.LoadOrStore(importPath, sync.OnceValues(func() (string, error) { return build(importPath) }))
	return once.(func() (string, error))()
}

func build(importPath string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "otelcol-dockerlogs")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the cache for binaries: %w", err)
	}
	sum := sha256.Sum256([]byte(importPath))
	file := filepath.Join(dir, fmt.Sprintf("%s-%x", path.Base(importPath), sum[:4]))
	// Other processes build the same at the same time: each has a file of its own until it is complete.
	unfinished := fmt.Sprintf("%s.%d", file, os.Getpid())
	defer os.Remove(unfinished)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", unfinished, importPath)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", importPath, err, output)
	}
	if err := os.Rename(unfinished, file); err != nil {
		return "", fmt.Errorf("keep the binary: %w", err)
	}
	return file, nil
}
