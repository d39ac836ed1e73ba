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
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
)

// measuredReader is a way of reading that is measured: a binary and a receiver in it.
type measuredReader struct {
	name     string
	group    string // oursGroup, baseGroup, fileLog or noReader
	binary   string
	strategy string // of docker_logs
	preset   string // of its multiline; "" is none
}

const (
	oursGroup = "ours"
	baseGroup = "base"
	fileLog   = "file_log"
	noReader  = "none" // what it costs the daemon to write the log
)

// measuredReaders returns the readers that the environment asks for, none and file_log
// included. Strategies that the binary to compare with does not know are left out.
func measuredReaders(t testing.TB) []measuredReader {
	t.Helper()
	names := strings.Split(fromEnv("DOCKERLOGS_STRATEGIES", "short_lived,streaming,polling,hybrid,adaptive,file"), ",")
	readers := []measuredReader{{name: noReader, group: noReader}, {name: fileLog, group: fileLog, binary: binary(t)}}
	for _, name := range names {
		strategy, preset, _ := strings.Cut(name, "/")
		readers = append(readers, measuredReader{name: name, group: oursGroup, binary: binary(t), strategy: strategy, preset: preset})
	}
	base := os.Getenv("DOCKERLOGS_COLLECTOR_BASE")
	for _, strategy := range names {
		if base == "" {
			break
		}
		config := writeFile(t, "base.yaml", fmt.Sprintf("receivers: {docker_logs: {strategy: %s}}\nexporters: {nop: }\n"+
			"service: {pipelines: {logs: {receivers: [docker_logs], exporters: [nop]}}}\n", strategy))
		if output, err := exec.Command(base, "validate", "--config="+config).CombinedOutput(); err != nil {
			t.Logf("%s does not know %s: %s", base, strategy, bytes.TrimSpace(output))
			continue
		}
		readers = append(readers, measuredReader{name: "base " + strategy, group: baseGroup, binary: base, strategy: strategy})
	}
	return readers
}

func fromEnv(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

const measureConfig = `
extensions:
  file_storage: {directory: %s}
receivers:
  docker_logs:
    endpoint: %s
    strategy: %s
    multiline: {preset: %q}
    start_at: beginning
    storage: file_storage
  file_log:
    include: [%s/containers/*/*-json.log]
    start_at: beginning
    storage: file_storage
    operators: [{type: container, format: docker, add_metadata_from_filepath: false}]
exporters:
  nop:
  otlp_http: {endpoint: %q, sending_queue: {enabled: %s}, compression: %s}
service:
  extensions: [file_storage]
  telemetry:
    metrics: %s
  pipelines:
    logs: {receivers: [%s], exporters: [%s]}
`

// startInto starts the reader with otlp_http to a sink.
func (r measuredReader) startInto(t testing.TB, e *dockerd.Engine, sink string) *collector {
	t.Helper()
	return r.start(t, e, sink, "{level: none}", "otlp_http")
}

// startIntoNothing starts the reader with the nop exporter, and returns where its metrics
// are.
func (r measuredReader) startIntoNothing(t testing.TB, e *dockerd.Engine) (c *collector, metrics string) {
	t.Helper()
	metrics = freeAddress(t)
	host, port, err := net.SplitHostPort(metrics)
	require.NoError(t, err)
	pull := fmt.Sprintf("{readers: [{pull: {exporter: {prometheus: {host: %s, port: %s}}}}]}", host, port)
	return r.start(t, e, "http://127.0.0.1", pull, "nop"), metrics
}

func (r measuredReader) start(t testing.TB, e *dockerd.Engine, sink, telemetry, exporter string) *collector {
	t.Helper()
	receiver, strategy := "docker_logs", r.strategy
	if r.group == fileLog {
		receiver, strategy = fileLog, "polling" // which is valid, and not in the pipeline
	}
	queue, compression := fromEnv("DOCKERLOGS_SENDING_QUEUE", "true"), fromEnv("DOCKERLOGS_COMPRESSION", "gzip")
	config := fmt.Sprintf(measureConfig, t.TempDir(), e.Host(), strategy, r.preset, e.DataRoot(), sink, queue, compression, telemetry, receiver, exporter)
	return launch(t, exec.Command(r.binary, "--config="+writeFile(t, "measure.yaml", config)))
}

// cpuOf returns the processor time, user and system, that a process has used.
func cpuOf(t testing.TB, pid int) time.Duration {
	t.Helper()
	fields := statOf(t, pid)
	var ticks int64
	for _, i := range []int{14 - 3, 15 - 3} { // utime and stime, as counted in proc(5)
		n, err := strconv.ParseInt(fields[i], 10, 64)
		require.NoError(t, err)
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100) // USER_HZ
}

// statOf returns the fields of /proc/<pid>/stat from the third on. The second is the
// command in brackets, which may contain anything.
func statOf(t testing.TB, pid int) []string {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(t, err)
	return strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
}

// daemonOf returns the processes of the engine whose processor time is measured: dockerd
// and its child, containerd. The shims are nobody's children by then.
func daemonOf(t testing.TB, e *dockerd.Engine) []int {
	t.Helper()
	comms, err := filepath.Glob("/proc/[0-9]*/comm")
	require.NoError(t, err)
	for _, comm := range comms {
		name, err := os.ReadFile(comm)
		if err != nil || string(name) != "containerd\n" { // the error is that the process has ended
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(comm)))
		require.NoError(t, err)
		if parent := statOf(t, pid)[4-3]; parent == strconv.Itoa(e.Pid()) {
			return []int{e.Pid(), pid}
		}
	}
	require.Fail(t, "the daemon has no containerd")
	return nil
}

func cpuOfAll(t testing.TB, pids []int) (total time.Duration) {
	t.Helper()
	for _, pid := range pids {
		total += cpuOf(t, pid)
	}
	return total
}

// idleTime returns how long the machine's processors, all of them together, have had
// nothing to do since it started.
func idleTime(t testing.TB) time.Duration {
	t.Helper()
	stat, err := os.ReadFile("/proc/stat")
	require.NoError(t, err)
	var cpu string
	var user, nice, system, idle, iowait int64
	_, err = fmt.Sscan(string(stat), &cpu, &user, &nice, &system, &idle, &iowait)
	require.NoError(t, err)
	return time.Duration(idle+iowait) * (time.Second / 100) // USER_HZ
}

// residentOf returns the memory of a process in RAM, and the most that it ever had there,
// in MiB.
func residentOf(t testing.TB, pid int) (now, peak float64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kib, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 64)
		switch name {
		case "VmRSS":
			now = kib / 1024
		case "VmHWM":
			peak = kib / 1024
		}
	}
	return now, peak
}
