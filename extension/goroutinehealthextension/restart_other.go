// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package goroutinehealthextension

import "errors"

const canRestart = false

func restartPipelines() error { return errors.ErrUnsupported }
