// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/docker/docker/client"
)

// startTimeout is generous: a start takes a fifth of a second, but tests share the machine.
const startTimeout = time.Minute

// Require gives the test an engine that is closed when the test ends: a private one if we are root and have a dockerd,
// else the one that DOCKER_HOST names. Where there is none the test is skipped; with DOCKERLOGS_REQUIRE_ENGINE=1, it
// fails. opts, one at most, are for the private engine.
func Require(t testing.TB, opts ...Options) *Engine {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	e, err := obtain(ctx, opts)
	if err != nil {
		message := fmt.Sprintf("no Docker engine (run as root with dockerd in PATH or in DOCKERLOGS_DOCKERD, or set DOCKER_HOST): %v", err)
		if os.Getenv("DOCKERLOGS_REQUIRE_ENGINE") == "1" {
			t.Fatal(message)
		}
		t.Skip(message)
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

func obtain(ctx context.Context, opts []Options) (*Engine, error) {
	var private Options
	if len(opts) > 0 {
		private = opts[0]
	}
	err := errors.New("only root can start a private one")
	if os.Geteuid() == 0 {
		var e *Engine
		if e, err = Start(ctx, private); err == nil {
			return e, nil
		}
	}
	host := os.Getenv(client.EnvOverrideHost)
	if host == "" {
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
