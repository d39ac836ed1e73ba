// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/client"
)

// startTimeout is generous: a start takes a fifth of a second, but tests share the machine.
const startTimeout = time.Minute

// Require gives the test an engine that is closed when the test ends: a private one if we are root and have a dockerd,
// else the one that DOCKER_HOST names. Where there is none the test is skipped; with DOCKERLOGS_REQUIRE_ENGINE=1, it
// fails. An engine that is wanted in a version that has not been brought fails only the test of those who require it in
// DOCKERLOGS_REQUIRE_ENGINES, "20.10 28.5" for example. opts, one at most, are for the private engine.
func Require(t testing.TB, opts ...Options) *Engine {
	t.Helper()
	var private Options
	if len(opts) > 0 {
		private = opts[0]
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	e, err := obtain(ctx, private)
	if err != nil {
		must := os.Getenv("DOCKERLOGS_REQUIRE_ENGINE") == "1"
		if version := private.version(); version != "" {
			// One that root has brought is expected to start.
			must = required(version) || os.Geteuid() == 0 && !errors.Is(err, errNotBrought)
		}
		skip(t, must, fmt.Errorf("no Docker engine (run as root with dockerd in PATH or in DOCKERLOGS_DOCKERD, or set DOCKER_HOST): %w", err))
	}
	t.Cleanup(func() {
		if t.Failed() && e.Private() {
			t.Logf("the last lines of the daemon's log:\n%s", e.LogTail(logTailLines))
		}
		if err := e.Close(); err != nil {
			t.Errorf("close the engine: %v", err)
		}
	})
	return e
}

// RequireRootfs is [Rootfs] for a test that needs it, and is skipped without, as by [Require]. In
// DOCKERLOGS_REQUIRE_ENGINES a Podman is named "podman-5".
func RequireRootfs(t testing.TB, name string) string {
	t.Helper()
	rootfs, err := Rootfs(name)
	if err != nil {
		skip(t, required(strings.TrimPrefix(name, "docker-")), err)
	}
	return rootfs
}

// required tells whether an engine is.
func required(name string) bool {
	return slices.Contains(strings.Fields(os.Getenv("DOCKERLOGS_REQUIRE_ENGINES")), name)
}

// skip ends a test for want of something.
func skip(t testing.TB, must bool, why error) {
	t.Helper()
	if must {
		t.Fatal(why)
	}
	t.Skip(why)
}

func obtain(ctx context.Context, private Options) (*Engine, error) {
	err := errors.New("only root can start a private one")
	if os.Geteuid() == 0 {
		var e *Engine
		if e, err = Start(ctx, private); err == nil {
			return e, nil
		}
	}
	host := os.Getenv(client.EnvOverrideHost)
	if host == "" || private.version() != "" { // who wants a version is not served with any
		return nil, err
	}
	e, connectErr := Connect(ctx, host)
	if connectErr != nil {
		return nil, errors.Join(err, connectErr)
	}
	return e, nil
}

// Binary builds a package of this module for an image, see [Build].
func Binary(t testing.TB, importPath string) string {
	t.Helper()
	file, err := Build(importPath)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
