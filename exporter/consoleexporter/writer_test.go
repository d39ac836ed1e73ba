// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/dockerlogs/otelcol-dockerlogs/exporter/consoleexporter/internal/metadata"
)

func one(body string) plog.Logs {
	logs := plog.NewLogs()
	add(logs, "container.name", "db", "stdout", body)
	return logs
}

// TestNobodyReads has what waits for stdout, for the goroutine and for its turn give up, and
// nothing lost or out of order once somebody reads.
func TestNobodyReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, out := io.Pipe()
		p := newPrinter(out, false)
		require.NoError(t, p.out.start(t.Context(), nil))
		giveUp := func(body string, after time.Duration) {
			ctx, cancel := context.WithTimeout(t.Context(), after)
			defer cancel()
			began := time.Now()
			err := p.print(ctx, one(body))
			assert.ErrorIs(t, err, context.DeadlineExceeded)
			assert.False(t, consumererror.IsPermanent(err))
			assert.Equal(t, after, time.Since(began))
		}
		giveUp("first", time.Second)
		giveUp("not taken by the goroutine", time.Second)

		var waiting sync.WaitGroup
		waiting.Go(func() { assert.NoError(t, p.print(t.Context(), one("second"))) })
		synctest.Wait()
		giveUp("without a turn", time.Second)

		var text []byte
		waiting.Go(func() { text, _ = io.ReadAll(reader) })
		synctest.Wait()
		require.NoError(t, p.print(t.Context(), one("third")))
		require.NoError(t, p.out.shutdown(t.Context()))
		require.ErrorIs(t, p.print(t.Context(), one("late")), errStopped)
		require.NoError(t, out.Close())
		waiting.Wait()
		var bodies []string
		for line := range strings.Lines(string(text)) {
			_, body, _ := strings.Cut(line, " | ")
			bodies = append(bodies, body)
		}
		assert.Equal(t, []string{"first\n", "second\n", "third\n"}, bodies)
	})
}

// TestShutdownWaits has a shutdown end in time, and not before what can be written is.
func TestShutdownWaits(t *testing.T) {
	for _, tt := range []struct {
		timeout, readAfter, want time.Duration
		err                      error
	}{
		{want: shutdownGrace, err: errNotRead},
		{timeout: time.Second, want: time.Second, err: errNotRead},
		{timeout: time.Minute, want: time.Minute, err: errNotRead},
		{readAfter: time.Second, want: time.Second},
		{timeout: time.Minute, readAfter: 10 * time.Second, want: 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			reader, out := io.Pipe()
			defer reader.Close() // the goroutine ends
			p := newPrinter(out, false)
			require.NoError(t, p.out.start(t.Context(), nil))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.Error(t, p.print(ctx, one("nobody waits for it")))
			ctx = t.Context()
			if tt.timeout > 0 {
				ctx, cancel = context.WithTimeout(ctx, tt.timeout)
				defer cancel()
			}
			if tt.readAfter > 0 {
				time.AfterFunc(tt.readAfter, func() { _, _ = io.ReadAll(reader) })
			}
			began := time.Now()
			assert.ErrorIs(t, p.out.shutdown(ctx), tt.err)
			assert.Equal(t, tt.want, time.Since(began))
		})
	}
}

// TestConcurrentBatches has each batch whole, where several are printed at a time.
func TestConcurrentBatches(t *testing.T) {
	var out bytes.Buffer
	p := newPrinter(&out, false)
	require.NoError(t, p.out.start(t.Context(), nil))
	var printing sync.WaitGroup
	for i := range 8 {
		printing.Go(func() {
			for range 50 {
				assert.NoError(t, p.print(t.Context(), one(fmt.Sprintf("%d\n%d", i, i))))
			}
		})
	}
	printing.Wait()
	require.NoError(t, p.out.shutdown(t.Context()))
	assert.Equal(t, 8*50*2, strings.Count(out.String(), "\n"))
	for i := range 8 {
		assert.Equal(t, 50, strings.Count(out.String(), fmt.Sprintf(" | %d\n%*s| %d\n", i, len(timeLayout)+len(" db "), "", i)))
	}
}

// TestUnreadStdout shuts the exporter down while nobody reads a pipe, which says so and does not fail.
func TestUnreadStdout(t *testing.T) {
	reader, out, err := os.Pipe()
	require.NoError(t, err)
	defer out.Close()
	stdout := os.Stdout
	os.Stdout = out
	defer func() { os.Stdout = stdout }()
	core, said := observer.New(zap.WarnLevel)
	set := exportertest.NewNopSettings(metadata.Type)
	set.Logger = zap.New(core)
	logs, err := NewFactory().CreateLogs(t.Context(), set, createDefaultConfig())
	require.NoError(t, err)
	require.NoError(t, logs.Start(t.Context(), nil))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, logs.ConsumeLogs(ctx, one(strings.Repeat("more than a pipe holds", 1<<16))), context.DeadlineExceeded)
	require.NoError(t, logs.Shutdown(ctx))
	assert.Len(t, said.FilterMessage(errNotRead.Error()).All(), 1)
	require.NoError(t, reader.Close()) // which ends the Write
}
