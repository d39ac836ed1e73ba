// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// TestBinary starts what users start.
func TestBinary(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "loggen")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	t.Run("two pipes", func(t *testing.T) { testTwoPipes(t, binary) })
	t.Run("signals", func(t *testing.T) { testSignals(t, exec.Command(binary), t.TempDir()) })
	t.Run("lingers until a signal", func(t *testing.T) { testLingers(t, binary) })
	t.Run("waits for a file", func(t *testing.T) { testWaitsForFile(t, binary) })
	t.Run("misuse", func(t *testing.T) { testMisuse(t, binary) })
	t.Run("pid 1 from scratch", func(t *testing.T) { testFromScratch(t, binary) })
}

// process is a running loggen whose streams feed a checker.
type process struct {
	*exec.Cmd
	checker loggen.Checker
	readers sync.WaitGroup
	first   chan struct{} // closed with the first line
}

func start(t *testing.T, cmd *exec.Cmd, args ...string) *process {
	t.Helper()
	p := &process{Cmd: cmd, first: make(chan struct{})}
	p.Args = append(p.Args, args...)
	stdout, err := p.StdoutPipe()
	require.NoError(t, err)
	stderr, err := p.StderrPipe()
	require.NoError(t, err)
	if err := p.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("not permitted here: %v", err)
	} else {
		require.NoError(t, err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	once := sync.OnceFunc(func() { close(p.first) })
	read := func(from io.Reader, stderr bool) {
		lines := bufio.NewReaderSize(from, 64<<10)
		for {
			line, err := lines.ReadBytes('\n')
			if err == nil {
				line = line[:len(line)-1]
			} else if len(line) == 0 {
				return
			}
			p.checker.Add(line, stderr)
			once()
		}
	}
	p.readers.Go(func() { read(stdout, false) })
	p.readers.Go(func() { read(stderr, true) })
	return p
}

// wait is the exit status, once everything is read.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	p.readers.Wait()
	var status *exec.ExitError
	if err := p.Wait(); err != nil {
		require.ErrorAs(t, err, &status)
	}
	return p.ProcessState.ExitCode()
}

func readReport(t *testing.T, path string) loggen.Report {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var report loggen.Report
	require.NoError(t, json.Unmarshal(text, &report))
	return report
}

func testWaitsForFile(t *testing.T, binary string) {
	o := loggen.Options{Source: "web", Lines: 10}
	file := filepath.Join(t.TempDir(), "start")
	args := append(o.Args(), "--start-file="+file)
	told := start(t, exec.Command(binary), args...)
	require.NoError(t, told.Process.Signal(syscall.SIGTERM))
	told.wait(t)
	assert.Empty(t, told.checker.Tallies(), "ended before there was a file")

	p := start(t, exec.Command(binary), args...)
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	p.checker.Expect(o)
	assert.Zero(t, p.wait(t))
	assert.NoError(t, p.checker.Err())
}

func testTwoPipes(t *testing.T, binary string) {
	o := loggen.Options{
		Source: "web", Lines: 10_000, StderrShare: 0.3, Payload: loggen.Binary, BlankEvery: 10, PartialEvery: 1000, CRLF: true,
		Sizes:          loggen.Sizes{{Min: 80, Max: 400, Weight: 99}, {Min: 50_000}},
		NoFinalNewline: true, ExitCode: 42,
	}
	report := filepath.Join(t.TempDir(), "report.json")
	p := start(t, exec.Command(binary), append(o.Args(), "--report="+report)...)
	p.checker.Expect(o)
	assert.Equal(t, 42, p.wait(t))
	require.NoError(t, p.checker.Err())
	assert.Equal(t, o.Blanks(o.Lines), p.checker.Blank())
	r := readReport(t, report)
	assert.Equal(t, o.Lines, r.Lines)
	assert.Equal(t, p.checker.Blank(), r.Blank)
	assert.True(t, r.KeptRate)
}

// testSignals stops cmd, once at a rate and once while it writes flat out. Dir is where it finds its report's directory.
func testSignals(t *testing.T, cmd *exec.Cmd, dir string) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		for _, rate := range []float64{0, 500} {
			o := loggen.Options{Source: "web", Rate: rate, StderrShare: 0.5, ExitCode: 7}
			report := filepath.Join(dir, "report.json")
			named := report
			again := exec.Command(cmd.Path)
			if again.SysProcAttr = cmd.SysProcAttr; cmd.SysProcAttr != nil {
				named = "/report.json" // in the new root
			}
			p := start(t, again, append(o.Args(), "--report="+named)...)
			<-p.first
			require.NoError(t, p.Process.Signal(signal))
			require.Equal(t, 7, p.wait(t))
			o.Lines = readReport(t, report).Lines
			assert.NotZero(t, o.Lines)
			p.checker.Expect(o)
			require.NoError(t, p.checker.Err(), "the last line must be whole, and the report must count it")
			assert.Equal(t, o.Lines, p.checker.Tallies()["web"].Last)
		}
	}
}

func testLingers(t *testing.T, binary string) {
	o := loggen.Options{Source: "web", Lines: 1, UntilSignal: true, ExitCode: 3}
	p := start(t, exec.Command(binary), o.Args()...)
	<-p.first
	exited := make(chan int, 1)
	go func() { exited <- p.wait(t) }()
	select {
	case <-exited:
		t.Fatal("did not stay")
	case <-time.After(50 * time.Millisecond): // a process that is gone too early would show, a slow one does no harm
	}
	require.NoError(t, p.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 3, <-exited)
}

func testMisuse(t *testing.T, binary string) {
	// In this process too. It also links the generator into the test, without which go test would take a result from its cache after
	// a change that only the built binary can show.
	code, err := run(t.Context(), []string{"--size=5"})
	assert.Equal(t, misuse, code)
	require.ErrorContains(t, err, "size: ")

	for _, test := range []struct {
		args   []string
		status int
		says   string
	}{
		{[]string{"--help"}, 0, "-stderr-share"},
		{[]string{"--rate=-1"}, 2, "loggen: rate: -1 must be"},
		{[]string{"--nonsense"}, 2, "not defined: -nonsense"},
		{[]string{"100"}, 2, `loggen: "100" is no flag`},
		{[]string{"--lines=1", "--report=/nowhere/at/all"}, 1, "loggen: write report: "},
		{[]string{"--lines=1", "--summary", "--source=web"}, 0, `{"source":"web","lines":1,`},
	} {
		out, err := exec.Command(binary, test.args...).CombinedOutput()
		var status *exec.ExitError
		if errors.As(err, &status) {
			assert.Equal(t, test.status, status.ExitCode())
		} else {
			require.NoError(t, err)
			assert.Zero(t, test.status)
		}
		assert.Contains(t, string(out), test.says)
	}
}
