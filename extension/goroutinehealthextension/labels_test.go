// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
)

// TestContainersAreShownByName starts goroutines of two containers after the extension,
// as receivers do, one of them without a label for its name. The real runtime counts them.
func TestContainersAreShownByName(t *testing.T) {
	named, unnamed := strings.Repeat("4f1c", 16), strings.Repeat("9a0b", 16)
	h := newHealth(t, new(processHistory), func(cfg *Config) {
		local(cfg)
		cfg.CensusInterval = time.Hour
		cfg.DumpDirectory = t.TempDir()
	})
	h.src = newRuntimeSource()
	h.start(t)
	require.Eventually(t, func() bool { return h.latest.Load().census != nil }, 30*time.Second, time.Millisecond)

	l := &leaky{release: make(chan struct{})}
	defer l.running.Wait()
	defer close(l.release)
	capture := func(goroutines int, labels ...string) {
		labels = append(labels, census.LabelComponent, "docker_logs", census.LabelRole, "capture")
		pprof.Do(t.Context(), pprof.Labels(labels...), func(context.Context) {
			for range goroutines {
				l.open()
			}
		})
	}
	capture(5, census.LabelContainerID, named, census.LabelContainerName, "web-1")
	capture(4, census.LabelContainerID, unnamed)

	var shown struct {
		Containers struct {
			Total  int
			Listed []map[string]any
		}
	}
	require.Eventually(t, func() bool {
		_, _, body := get(t, "http://"+h.addr.String()+"/api/v1/status")
		require.NoError(t, json.Unmarshal(body, &shown))
		return shown.Containers.Total == 2
	}, 30*time.Second, 10*time.Millisecond, "the census is taken again")
	assert.Equal(t, []map[string]any{
		{"id": named, "name": "web-1", "component": "docker_logs", "goroutines": 5.0, "needed": 3.0},
		{"id": unnamed, "component": "docker_logs", "goroutines": 4.0, "needed": 3.0},
	}, shown.Containers.Listed)

	h.dump(h.latest.Load())
	files, err := filepath.Glob(filepath.Join(h.cfg.DumpDirectory, "*"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	report, err := os.ReadFile(files[1])
	require.NoError(t, err)
	assert.Contains(t, string(report), "\n         2          5  4f1c4f1c4f1c  web-1\n         1          4  9a0b9a0b9a0b\n")
	profile, err := os.Open(files[0])
	require.NoError(t, err)
	defer profile.Close()
	unzip, err := gzip.NewReader(profile)
	require.NoError(t, err)
	raw, err := io.ReadAll(unzip)
	require.NoError(t, err)
	assert.Contains(t, string(raw), "web-1")
	assert.Contains(t, string(raw), unnamed)
	require.NoError(t, h.Shutdown(t.Context()))
}
