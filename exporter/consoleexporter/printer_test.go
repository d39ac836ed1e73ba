// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/exporter/consoleexporter/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/goldentest"
)

var noon = time.Date(2026, time.May, 4, 12, 0, 0, 0, time.UTC)

// add adds a record of a resource with one attribute; without stream it has none.
func add(logs plog.Logs, key, name, stream, body string) plog.LogRecord {
	from := logs.ResourceLogs().AppendEmpty()
	if key != "" {
		from.Resource().Attributes().PutStr(key, name)
	}
	record := from.ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	record.SetTimestamp(pcommon.NewTimestampFromTime(noon.Add(time.Duration(logs.ResourceLogs().Len()) * 1234567 * time.Microsecond)))
	record.Body().SetStr(body)
	if stream != "" {
		record.Attributes().PutStr("log.iostream", stream)
	}
	return record
}

// records are of every kind, one of each.
func records() plog.Logs {
	logs := plog.NewLogs()
	add(logs, "container.name", "db", "stdout", "ready")
	add(logs, "container.name", "shop-java-1", "stderr", "java.lang.IllegalStateException: no stock\n\tat shop.Order.take(Order.java:7)\n\nCaused by: none")
	add(logs, "container.name", strings.Repeat("long-", 8), "stdout", "a name that is longer than the column\ngoes on below")
	add(logs, "container.name", "db", "stdout", "padded from now on")
	add(logs, "service.name", "billing", "", "not of a container")
	add(logs, "", "", "", "of nobody")
	add(logs, "container.name", "db", "stdout", "written by a terminal\r\nthat has\tcolumns\r")
	add(logs, "container.name", "db", "stdout", "\x1b[2J\x1b]0;title\a\u009b31m\u202e hidden \x00\x7f")
	add(logs, "container.name", "d\x1bb", "stdout", "größer 日本 🙂")
	add(logs, "container.name", "db", "stdout", "").Body().SetEmptyBytes().FromRaw([]byte("not UTF-8: \xff\x9b2J"))
	add(logs, "container.name", "db", "stdout", "").Body().SetEmptyMap().PutStr("message", "of a map\x1b")
	add(logs, "container.name", "db", "", "container died with exit code 1").SetEventName("die")
	add(logs, "container.name", "db", "", "").SetEventName("oom")
	observed := add(logs, "container.name", "db", "stdout", "observed")
	observed.SetObservedTimestamp(observed.Timestamp())
	observed.SetTimestamp(0)
	add(logs, "container.name", "db", "stdout", "at no time").SetTimestamp(0)
	return logs
}

// started returns a printer that ends with the test.
func started(t *testing.T, out io.Writer, colours bool) *printer {
	t.Helper()
	p := newPrinter(out, colours)
	require.NoError(t, p.out.start(t.Context(), nil))
	t.Cleanup(func() { assert.NoError(t, p.out.shutdown(context.Background())) })
	return p
}

func TestGolden(t *testing.T) {
	for name, colours := range map[string]bool{"plain.golden": false, "colours.golden": true} {
		var out bytes.Buffer
		p := started(t, &out, colours)
		p.location = time.FixedZone("", 2*60*60)
		require.NoError(t, p.print(t.Context(), records()))
		goldentest.Equal(t, filepath.Join("testdata", name), out.String())
	}
}

// TestNothingDrivesTheTerminal prints every byte, and every character that may be a control,
// as name and as body.
func TestNothingDrivesTheTerminal(t *testing.T) {
	logs := plog.NewLogs()
	for r := range rune(0x2100) {
		add(logs, "container.name", "n"+string(r), "stdout", string(r))
		add(logs, "service.name", "n"+string([]byte{byte(r)}), "stderr", "").Body().SetEmptyBytes().FromRaw([]byte{byte(r)})
	}
	var out bytes.Buffer
	require.NoError(t, started(t, &out, false).print(t.Context(), logs))
	for _, r := range out.String() {
		if r != '\n' && r != '\t' {
			require.NotContains(t, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", string(r))
			require.False(t, r < ' ' || 0x7f <= r && r < 0xa0 || r == '\ufffd', "%U", r)
		}
	}
}

// writes counts them and their bytes, and fails with err.
type writes struct {
	count, bytes, largest int
	err                   error
}

func (w *writes) Write(p []byte) (int, error) {
	w.count++
	w.bytes += len(p)
	w.largest = max(w.largest, len(p))
	return len(p), w.err
}

func TestOneWrite(t *testing.T) {
	var w writes
	require.NoError(t, started(t, &w, false).print(t.Context(), records()))
	assert.Equal(t, 1, w.count)
}

// TestLargeRecord has lines that are not indented by their long name, and more of them than
// are written at once.
func TestLargeRecord(t *testing.T) {
	const lines = 100_000
	logs := plog.NewLogs()
	add(logs, "service.name", strings.Repeat("n", 16<<10), "", strings.Repeat("\n", lines-1))
	var w writes
	require.NoError(t, started(t, &w, false).print(t.Context(), logs))
	const line = len(timeLayout) + len(" ") + maxWidth + len(" | \n")
	assert.Equal(t, lines*line+maxName-maxWidth+len("…")-1, w.bytes)
	assert.Less(t, w.largest, maxText+line)

	w = writes{err: io.ErrShortWrite}
	require.ErrorIs(t, started(t, &w, false).print(t.Context(), logs), io.ErrShortWrite)
	assert.Equal(t, 1, w.count, "none after one that fails")
}

func TestErrorIsNotPermanent(t *testing.T) {
	for _, err := range []error{io.ErrShortWrite, syscall.EPIPE, syscall.ENOSPC} {
		got := started(t, &writes{err: err}, false).print(t.Context(), records())
		require.ErrorIs(t, got, err)
		assert.False(t, consumererror.IsPermanent(got))
	}
}

// TestStdout prints over the factory, with each setting.
func TestStdout(t *testing.T) {
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	for color, want := range map[Color]bool{ColorAuto: false, ColorAlways: true, ColorNever: false} {
		file, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
		require.NoError(t, err)
		os.Stdout = file
		cfg := createDefaultConfig().(*Config)
		cfg.Color = color
		logs, err := NewFactory().CreateLogs(t.Context(), exportertest.NewNopSettings(metadata.Type), cfg)
		require.NoError(t, err)
		require.NoError(t, logs.Start(t.Context(), nil))
		require.NoError(t, logs.ConsumeLogs(t.Context(), records()))
		require.NoError(t, logs.Shutdown(t.Context()))
		require.NoError(t, file.Close())
		text, err := os.ReadFile(file.Name())
		require.NoError(t, err)
		assert.Contains(t, string(text), "padded from now on\n")
		assert.Equal(t, want, bytes.Contains(text, []byte(reset)), color)
	}
}
