// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package losslab

import "os/exec"

func detach(*exec.Cmd) {}
