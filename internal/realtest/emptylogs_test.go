// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
)

// holdLogs opens the log files of an engine's containers as they come. emptyLogs closes them
// and returns how many hold nothing, which is to be asked once the containers have ended.
//
// Engine 28.5 on a busy machine writes nothing of some containers that are removed as soon as
// they end: no reader of its logs can have what was never in them.
func holdLogs(t testing.TB, e *dockerd.Engine) (emptyLogs func() int) {
	if !e.Private() {
		return func() int { return 0 }
	}
	ctx, cancel := context.WithCancel(t.Context())
	empty := make(chan int, 1)
	go func() { // until emptyLogs is called, or the test ends
		held := map[string]*os.File{}
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				openNew(t, e, held)
			case <-ctx.Done():
				n := 0
				for _, file := range held {
					if info, err := file.Stat(); assert.NoError(t, err) && info.Size() == 0 {
						n++
					}
					_ = file.Close() // opened for reading only
				}
				empty <- n
				return
			}
		}
	}()
	return func() int {
		cancel()
		return <-empty
	}
}

// openNew opens the log files that are not held yet.
func openNew(t testing.TB, e *dockerd.Engine, held map[string]*os.File) {
	for _, pattern := range []string{"*-json.log", "local-logs/container.log"} {
		paths, err := filepath.Glob(filepath.Join(e.DataRoot(), "containers/*", pattern))
		assert.NoError(t, err)
		for _, path := range paths {
			if held[path] != nil {
				continue
			}
			if file, err := os.Open(path); err == nil { // else it is gone
				held[path] = file
			}
		}
	}
}
