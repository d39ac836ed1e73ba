// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package dockerd

import (
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// No signal: there is no private engine to send one to.
const (
	sigPause  = syscall.Signal(0)
	sigResume = syscall.Signal(0)
)

var errNotLinux = errors.New("private engines need Linux: set DOCKER_HOST to use an engine that runs elsewhere")

type keeper struct {
	storageDriver string
	pid1          int
}

func startKeeper(context.Context, string, string, string) (*keeper, error) { return nil, errNotLinux }

func (*keeper) close() error { return nil }

func (*keeper) start(*exec.Cmd) error { return errNotLinux }

func (*keeper) onItsNetwork(func() error) error { return errNotLinux }

func stopped(int) (bool, error) { return false, errNotLinux }
