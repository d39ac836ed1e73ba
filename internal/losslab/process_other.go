// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package losslab // import "github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"

import "os/exec"

func detach(*exec.Cmd) {}
