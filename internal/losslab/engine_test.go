// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/naive"
)

// These tests hold what docs/loss-analysis.md says about the engine itself.

// write runs a container that writes lines and stays.
func write(t *testing.T, e *dockerd.Engine, o loggen.Options) *dockerd.Container {
	require.NoError(t, importGenerator(t.Context(), e))
	o.UntilSignal = true
	c, err := e.Run(t.Context(), dockerd.ContainerSpec{Name: o.Source, Image: image, Cmd: o.Args(), LogDriver: "json-file"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.Remove(context.Background(), true)) })
	return c
}

// TestReadsCanBeInterrupted: a read of a silent container returns when its request is
// cancelled, and when its body is closed, and leaves no goroutine behind.
func TestReadsCanBeInterrupted(t *testing.T) {
	const reads = 30
	e := dockerd.Require(t)
	c := write(t, e, loggen.Options{Source: "losslab-silent", Lines: 1})
	api, err := client.NewClientWithOpts(client.WithHost(e.Host()), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	before := runtime.NumGoroutine()
	for name, end := range map[string]func(cancel func(), bodies []io.Closer){
		"cancelled": func(cancel func(), _ []io.Closer) { cancel() },
		"closed": func(_ func(), bodies []io.Closer) {
			for _, body := range bodies {
				_ = body.Close()
			}
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var bodies []io.Closer
		var waiting sync.WaitGroup
		for range reads {
			body, err := api.ContainerLogs(ctx, c.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
			require.NoError(t, err)
			defer func() { _ = body.Close() }()
			bodies = append(bodies, body)
			_, err = io.ReadFull(body, make([]byte, 1)) // of its only line
			require.NoError(t, err)
			waiting.Go(func() { _, _ = io.Copy(io.Discard, body) })
		}
		returned := make(chan struct{})
		began := time.Now()
		end(cancel, bodies)
		go func() { waiting.Wait(); close(returned) }()
		select {
		case <-returned:
			t.Logf("%s: %d reads had returned after %v", name, reads, time.Since(began))
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: a read still blocks", name)
		}
	}
	require.NoError(t, api.Close())
	assert.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, // Eventually has one
		10*time.Second, 10*time.Millisecond, "goroutines are left")
}

// TestEngineKeepsWhatIsNotRead: whoever reads a log when everything has been written has all
// of it, and so has a follow that was open and was not read meanwhile. There is no buffer of
// some KB beyond which the engine drops lines.
func TestEngineKeepsWhatIsNotRead(t *testing.T) {
	e := dockerd.Require(t)
	o := loggen.Options{Source: "losslab-unread", Lines: 100_000, Rate: 20_000, StartDelay: time.Second}
	c := write(t, e, o)
	last := o.Line(o.Lines).Body
	logs := func(options container.LogsOptions) *naive.Frames {
		options.ShowStdout, options.ShowStderr, options.Timestamps = true, true, true
		body, err := e.Client().ContainerLogs(t.Context(), c.ID, options)
		require.NoError(t, err)
		t.Cleanup(func() { _ = body.Close() })
		return naive.NewFrames(body)
	}
	unread, read := logs(container.LogsOptions{Follow: true}), logs(container.LogsOptions{Follow: true})
	complete := func(name string, frames *naive.Frames) {
		var checker loggen.Checker
		checker.Expect(o)
		for {
			line, err := frames.Next()
			require.NoError(t, err, name)
			checker.Add(line.Body, line.Stderr)
			if bytes.Equal(line.Body, last) {
				break
			}
		}
		assert.NoError(t, checker.Err(), name)
	}
	complete("follow", read) // which takes until everything is written
	complete("stalled follow", unread)
	complete("late read", logs(container.LogsOptions{}))
}
