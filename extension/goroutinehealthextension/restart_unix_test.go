// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package goroutinehealthextension

import (
	"os/signal"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSignalDoesNotEndTheProcess sends it where nothing listens for it, as while a
// Collector starts. Without the channel it would end this test's.
func TestSignalDoesNotEndTheProcess(t *testing.T) {
	defer signal.Stop(hangups)
	require.NoError(t, restartPipelines())
	select {
	case <-hangups:
	case <-time.After(10 * time.Second):
		t.Fatal("the signal has not come")
	}
}
