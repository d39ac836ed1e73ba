// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

const (
	root     = "../.."
	patience = logstest.Patience
)

// distribution gives the path of the binary.
var distribution = sync.OnceValues(func() (string, error) {
	if path := os.Getenv("DOCKERLOGS_COLLECTOR"); path != "" {
		return path, nil
	}
	if output, err := exec.Command("make", "-C", root, "build").CombinedOutput(); err != nil {
		return "", fmt.Errorf("make build: %w\n%s", err, output)
	}
	return filepath.Abs(filepath.Join(root, "dist/otelcol-dockerlogs"))
})

func binary(t testing.TB) string {
	t.Helper()
	path, err := distribution()
	require.NoError(t, err)
	return path
}

// collector is a running process of the distribution.
type collector struct {
	cmd    *exec.Cmd
	output output
	ended  chan error
}

// start runs the distribution. It is killed when the test ends, if it still runs.
func start(t testing.TB, config string, env ...string) *collector {
	t.Helper()
	cmd := exec.Command(binary(t), "--config="+config)
	cmd.Env = append(os.Environ(), env...)
	return launch(t, cmd)
}

// launch runs a collector, and returns when it is ready.
func launch(t testing.TB, cmd *exec.Cmd) *collector {
	t.Helper()
	c := &collector{cmd: cmd, ended: make(chan error, 1)}
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, c.cmd.Start())
	go func() { c.ended <- c.cmd.Wait() }()
	t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			_ = c.cmd.Process.Kill()
			<-c.ended
		}
		if t.Failed() {
			t.Logf("%v said:\n%s", c.cmd.Args, c.output.tail())
		}
	})
	c.says(t, "Everything is ready")
	return c
}

// spawn starts a program that a test needs beside a collector. It is killed when the test ends.
func spawn(t testing.TB, cmd *exec.Cmd, output *output) {
	t.Helper()
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%v said:\n%s", cmd.Args, output.tail())
		}
	})
}

// terminate asks the process to end, which it must do by itself, successfully.
func (c *collector) terminate(t testing.TB) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case err := <-c.ended:
		require.NoError(t, err)
	case <-time.After(patience):
		t.Fatalf("the collector still runs %v after SIGTERM", patience)
	}
	assert.Contains(t, c.output.String(), "Shutdown complete")
}

// says waits until the process has printed text.
func (c *collector) says(t testing.TB, text string) {
	t.Helper()
	require.Eventually(t, func() bool { return bytes.Contains(c.output.bytes(), []byte(text)) },
		patience, 20*time.Millisecond, "the collector does not say %q", text)
}

// output is what a process has printed.
type output struct {
	mu   sync.Mutex
	text []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, p...)
	return len(p), nil
}

func (o *output) bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.text)
}

func (o *output) String() string { return string(o.bytes()) }

func (o *output) tail() []byte {
	text := o.bytes()
	return text[max(0, len(text)-8<<10):]
}

// freeAddress is one that nobody listens on.
func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// writeFile makes a file in a new directory.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// eachRecord calls f for every record in the file of a file exporter. A line that is
// being written is left for the next time.
func eachRecord(t testing.TB, path string, f func(resource pcommon.Map, record plog.LogRecord)) {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return
	}
	require.NoError(t, err)
	var decoder plog.JSONUnmarshaler
	for {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		if !whole {
			return
		}
		text = rest
		data, err := decoder.UnmarshalLogs(line)
		require.NoError(t, err)
		for resource, record := range logstest.Records(data) {
			f(resource, record)
		}
	}
}

func countRecords(t testing.TB, path string) (n int) {
	eachRecord(t, path, func(pcommon.Map, plog.LogRecord) { n++ })
	return n
}
