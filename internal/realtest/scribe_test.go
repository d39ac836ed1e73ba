// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const scribeImage = "scribe:test"

// importScribe makes the image of scribes.
func importScribe(t testing.TB, e *dockerd.Engine) {
	t.Helper()
	files := map[string]string{"/scribe": dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/internal/realtest/testdata/scribe")}
	require.NoError(t, e.Import(t.Context(), scribeImage, files, dockerd.ImageOptions{Entrypoint: []string{"/scribe", "/shared/pipe"}}))
}

// scribe is a container that writes numbered lines when the test says so, and nothing in
// between: its log can be damaged meanwhile.
type scribe struct {
	*dockerd.Container
	t       testing.TB
	options loggen.Options // of the lines
	path    string         // of the named pipe
	pipe    *os.File       // while it runs
	log     string         // the newest file of its log
}

func newScribe(t testing.TB, e *dockerd.Engine, name string, spec dockerd.ContainerSpec) *scribe {
	t.Helper()
	dir := t.TempDir()
	s := &scribe{t: t, options: loggen.Options{Source: name}, path: filepath.Join(dir, "pipe")}
	require.NoError(t, s.options.Sizes.Set("120"))
	require.NoError(t, syscall.Mkfifo(s.path, 0o600))
	spec.Name, spec.Image, spec.Binds = name, scribeImage, []string{dir + ":/shared"}
	var err error
	s.Container, err = e.Create(t.Context(), spec)
	require.NoError(t, err)
	s.begin()
	s.log, err = s.LogPath(t.Context())
	require.NoError(t, err)
	return s
}

// begin starts the container, for the first time or again.
func (s *scribe) begin() {
	s.t.Helper()
	var err error
	// For reading too: else this would wait for the container.
	s.pipe, err = os.OpenFile(s.path, os.O_RDWR, 0)
	require.NoError(s.t, err)
	require.NoError(s.t, s.Start(s.t.Context()))
}

// end lets the container end.
func (s *scribe) end() {
	s.t.Helper()
	require.NoError(s.t, s.pipe.Close())
	_, err := s.Wait(s.t.Context())
	require.NoError(s.t, err)
}

// write has the next n lines written.
func (s *scribe) write(n int) {
	s.t.Helper()
	var text []byte
	for range n {
		s.options.Lines++
		text, _ = s.options.AppendLine(text, s.options.Lines)
		text = append(text, '\n')
	}
	_, err := s.pipe.Write(text)
	require.NoError(s.t, err)
}

// logged waits until the engine has written so many lines to the newest file of the log.
func (s *scribe) logged(n int) {
	s.t.Helper()
	logstest.Eventually(s.t, fmt.Sprintf("%d lines in the file of %s", n, s.Name), func() bool { return s.lines() >= n })
}

// lines counts the line ends in the newest file of the log.
func (s *scribe) lines() int {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	require.NoError(s.t, err)
	return bytes.Count(text, []byte("\n"))
}
