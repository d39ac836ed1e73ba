// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// TestMeasureLive compares readers, each a collector of its own, on the same load:
//
//	DOCKERLOGS_MEASURE=1 go test -run TestMeasureLive -v -timeout 60m ./internal/e2e
//
// It measures every strategy, file_log with the container operator on the engine's files,
// and the daemon with no reader. These variables change that:
//
//	DOCKERLOGS_LIVE            loads, default 10x500,10x50: containers x lines a second.
//	                           1000x10/100: of 1,000 containers 100 write. backlog:1000000:
//	                           how long a log of that many lines takes, see measureBacklog.
//	DOCKERLOGS_SECONDS         how long the containers write, default 20
//	DOCKERLOGS_ROUNDS          how often everything is measured, default 1; tables have medians
//	DOCKERLOGS_STRATEGIES      of docker_logs, separated by commas; file/java has multiline: {preset: java} too
//	DOCKERLOGS_COLLECTOR       the binary, default what make build makes
//	DOCKERLOGS_COLLECTOR_BASE  another binary, to compare with
//	DOCKERLOGS_SIDE_BY_SIDE=1  all readers at once, on the same containers; the daemon's
//	                           processor time is then that for all of them together
//	DOCKERLOGS_SENDING_QUEUE   of otlp_http: true, its default, or false
//	DOCKERLOGS_COMPRESSION     of otlp_http: gzip, its default, zstd, or none, to see the readers alone
//	DOCKERLOGS_SINK_DELAY      before each answer of the sink, such as 1ms
//	DOCKERLOGS_OUT             a file for all figures of all rounds, as JSON
func TestMeasureLive(t *testing.T) {
	if os.Getenv("DOCKERLOGS_MEASURE") != "1" {
		t.Skip("measures the machine, for minutes: set DOCKERLOGS_MEASURE=1")
	}
	readers := measuredReaders(t)
	var results measured
	for name := range strings.SplitSeq(fromEnv("DOCKERLOGS_LIVE", "10x500,10x50"), ",") {
		t.Run(name, func(t *testing.T) {
			e := logstest.Engine(t)
			if !e.Private() {
				t.Skip("file_log needs the files of a private engine")
			}
			if lines, ok := strings.CutPrefix(name, "backlog:"); ok {
				results.Backlog = append(results.Backlog, measureBacklog(t, e, uint64(number(t, lines)), readers)...)
			} else {
				results.Live = append(results.Live, measureLive(t, e, name, readers)...)
			}
			results.save(t)
		})
	}
}

func measureLive(t *testing.T, e *dockerd.Engine, name string, readers []measuredReader) (rows []liveRow) {
	l := newLiveLoad(t, e, name)
	groups := slices.Collect(slices.Chunk(readers, 1))
	if sideBySide() {
		groups = [][]measuredReader{readers[:1], readers[1:]} // none is the first
	}
	for round := range rounds(t) {
		for _, group := range groups {
			for _, row := range l.measure(t, group) {
				row.Load, row.Round = name, round
				rows = append(rows, row)
				t.Logf("%+v", row)
			}
		}
		slices.Reverse(groups) // so that a machine that becomes slower favors nobody
	}
	t.Logf("%s for %v, %d round(s)\n%s", name, l.duration, rounds(t), liveTable(rows))
	return rows
}

var loadPattern = regexp.MustCompile(`^(\d+)x([\d.]+)(?:/(\d+))?$`)

// newLiveLoad reads a load's name, and starts its silent containers. They have written one
// line each and serve all readers.
func newLiveLoad(t *testing.T, e *dockerd.Engine, name string) *liveLoad {
	t.Helper()
	match := loadPattern.FindStringSubmatch(name)
	require.NotNil(t, match, "load %q is not containers x lines a second, with /writing behind it or not", name)
	l := &liveLoad{engine: e, daemon: daemonOf(t, e), rate: number(t, match[2])}
	var err error
	l.duration, err = time.ParseDuration(fromEnv("DOCKERLOGS_SECONDS", "20") + "s")
	require.NoError(t, err)
	l.delay, err = time.ParseDuration(fromEnv("DOCKERLOGS_SINK_DELAY", "0s"))
	require.NoError(t, err)
	l.writing = int(number(t, match[1]))
	silent := 0
	if match[3] != "" {
		containers := l.writing
		l.writing = int(number(t, match[3]))
		silent = containers - l.writing
	}
	for i := range silent {
		l.silent = append(l.silent, loggen.Options{Source: fmt.Sprint("silent-", i), Lines: 1, UntilSignal: true})
	}
	_, err = e.RunMany(t.Context(), silent, func(i int) dockerd.ContainerSpec {
		return logstest.Loggen(l.silent[i], dockerd.ContainerSpec{})
	})
	require.NoError(t, err)
	return l
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return n
}

func sideBySide() bool { return os.Getenv("DOCKERLOGS_SIDE_BY_SIDE") == "1" }

func rounds(t testing.TB) int {
	t.Helper()
	return int(number(t, fromEnv("DOCKERLOGS_ROUNDS", "1")))
}

// assertExact fails the test if docker_logs, as it is built now, has not delivered every
// line once. What others lose or repeat is only reported.
func assertExact(t *testing.T, group string, row liveRow) {
	t.Helper()
	if group == oursGroup {
		assert.Equal(t, row.Lines, row.Received, "%s: lines received", row.Reader)
		assert.Zero(t, row.Lost, "%s: lines lost", row.Reader)
		assert.Zero(t, row.Repeated, "%s: lines repeated", row.Reader)
		assert.Zero(t, row.Damaged, "%s: lines damaged", row.Reader)
	}
}
