// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

const (
	measuredLines = 1_000_000
	envMeasured   = "DOCKERLOGS_MEASURED_ENDPOINT" // makes TestMeasureChild the process that is measured
	envProfile    = "DOCKERLOGS_MEASURED_PROFILE"  // a file for its CPU profile
)

// TestMeasureThroughput reads a log of a million lines through the receiver, with a
// pipeline that drops them, and with curl, by turns. The receiver must be nearly as
// fast, and take half as much processor time again at most.
//
//	DOCKERLOGS_MEASURE=1 go test -run MeasureThroughput -v ./internal/realtest
func TestMeasureThroughput(t *testing.T) {
	measuring(t)
	e := logstest.Engine(t)
	// It goes on running: the receiver passes over containers that do not when it starts.
	c := runLoggen(t, e, loggen.Options{Source: "million", Lines: measuredLines, UntilSignal: true}, jsonFile)
	url := "http://docker/v1.41/containers/" + c.ID + "/logs?stdout=1&stderr=1&timestamps=1&tail=all"
	logstest.Eventually(t, "the log is written", func() bool {
		checker := readHeld(t, e, c)
		return checker.Tallies()["million"].Seen == measuredLines
	})
	self, err := os.Executable()
	require.NoError(t, err)
	ways := []struct {
		name    string
		command func() *exec.Cmd
	}{
		{"curl", func() *exec.Cmd {
			return exec.Command("curl", "-s", "-S", "-o", "/dev/null", "--unix-socket", e.Socket(), url)
		}},
		{"receiver", func() *exec.Cmd {
			cmd := exec.Command(self, "-test.run=^TestMeasureChild$")
			cmd.Env = append(os.Environ(), envMeasured+"="+e.Host())
			return cmd
		}},
	}
	rounds := 4
	if os.Getenv("DOCKERLOGS_ROUNDS") != "" {
		rounds = 2
	}
	var took, cpu [2]time.Duration
	for range rounds {
		for i, way := range ways {
			before, err := e.CPU()
			require.NoError(t, err)
			began, cmd := time.Now(), way.command()
			output, err := cmd.CombinedOutput()
			elapsed := time.Since(began)
			require.NoError(t, err, "%s", output)
			batches, _, _ := strings.Cut(string(output), "\n")
			after, err := e.CPU()
			require.NoError(t, err)
			used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			t.Logf("%-8s %7.0f lines/s in %v, CPU %v (user %v, system %v; max RSS %d MiB), engine's CPU %v; %s", way.name,
				measuredLines/elapsed.Seconds(), elapsed.Round(time.Millisecond), used, cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime(),
				cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10, after-before, batches)
			took[i] += elapsed
			cpu[i] += used
		}
	}
	speed, effort := took[0].Seconds()/took[1].Seconds(), cpu[1].Seconds()/cpu[0].Seconds()
	t.Logf("receiver to curl: %.2f of the lines/s (at least 0.95), %.2f of the CPU (at most 1.5)", speed, effort)
	assert.GreaterOrEqual(t, speed, 0.95)
	assert.LessOrEqual(t, effort, 1.5)
}

// TestMeasureChild is the process that TestMeasureThroughput measures.
func TestMeasureChild(t *testing.T) {
	endpoint := os.Getenv(envMeasured)
	if endpoint == "" {
		t.Skip("started by TestMeasureThroughput")
	}
	if path := os.Getenv(envProfile); path != "" {
		file, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, pprof.StartCPUProfile(file))
		defer pprof.StopCPUProfile()
	}
	var records, batches atomic.Int64
	done := make(chan struct{})
	drop, err := consumer.NewLogs(func(_ context.Context, data plog.Logs) error {
		batches.Add(1)
		if records.Add(int64(data.LogRecordCount())) == measuredLines {
			close(done)
		}
		return nil
	})
	require.NoError(t, err)
	r := startWith(t, endpoint, func(cfg *dockerlogsreceiver.Config) { cfg.StartAt = dockerlogsreceiver.StartAtBeginning }, drop)
	select {
	case <-done:
	case <-time.After(2 * logstest.Patience):
		t.Error("the log has not been read")
	}
	r.stop()
	fmt.Printf("%d records in %d batches\n", records.Load(), batches.Load())
}
