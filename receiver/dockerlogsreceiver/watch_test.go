// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"path/filepath"
	"testing"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
)

// TestFileThatIsGoneIsNoReasonNotToWatch: a file may be removed before it is watched, as that
// of a container with --rm. The others are watched all the same.
func TestFileThatIsGoneIsNoReasonNotToWatch(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	w := newFileWatcher(zap.New(core), fsnotify.NewWatcher)
	defer w.close()
	w.watch("gone", source.FileEnd{Path: filepath.Join(t.TempDir(), "gone")})
	assert.Zero(t, logs.Len())
	assert.False(t, w.failed)
}
