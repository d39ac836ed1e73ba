// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDumpsAreBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dumps")
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.DumpDirectory, cfg.MaxDumps = dir, 3 })
		h.start(t)
		for range 5 {
			h.fake.set(func() { h.fake.above[readLoop] = 2500 })
			pass(5 * time.Minute)
			h.fake.set(func() { h.fake.above[readLoop] = 0 })
			pass(30 * time.Minute)
		}
		if !assert.Equal(t, 5, h.logs.FilterMessage("wrote a dump of goroutines").Len()) {
			t.Log(h.logs.All())
		}
		require.NoError(t, h.Shutdown(t.Context()))
		dumps, err := h.listDumps()
		require.NoError(t, err)
		require.Len(t, dumps, 3)
		assert.True(t, dumps[0].At.After(dumps[1].At), "the last one first")
		assert.Positive(t, dumps[0].Size)
		assert.Equal(t, dumps, h.status(time.Now()).Dumps)
	})
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 6)
	report, err := os.ReadFile(files[1])
	require.NoError(t, err)
	assert.Contains(t, string(report), "critical: 2,540 goroutines above what the captures need (critical from 2,000 on), 2,500 of them in docker_logs, created by net/http.(*Transport).dialConn\n")
	assert.Contains(t, string(report), "      2500      +2500  docker_logs                    net/http.(*persistConn).readLoop, created by net/http.(*Transport).dialConn\n")
	info, err := os.Stat(files[0])
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	raw, err := os.ReadFile(files[0])
	require.NoError(t, err)
	assert.Equal(t, "\x1f\x8b", string(raw[:2]), "gzip, as go tool pprof takes it")
}

func TestDumpLeavesOtherFilesAlone(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "goroutines-of-mine.txt")
	require.NoError(t, os.WriteFile(other, nil, 0o600))
	h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.DumpDirectory, cfg.MaxDumps = dir, 1 })
	for range 3 {
		h.dump(&snapshot{})
		time.Sleep(2 * time.Millisecond)
	}
	require.FileExists(t, other)
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.Len(t, files, 3)
}

func TestDumpThatCannotBeWrittenWarns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	h := newHealth(t, new(processHistory), func(cfg *Config) { cfg.DumpDirectory = file })
	h.dump(&snapshot{})
	require.Equal(t, 1, h.logs.FilterMessage("cannot write a dump of goroutines").Len())
}
