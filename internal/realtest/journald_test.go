// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"cmp"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

var journal = dockerd.ContainerSpec{LogDriver: "journald"}

// journalChunk is how many bytes of a line the engine makes an entry of the journal.
const journalChunk = 16 << 10

// journalEngine returns an engine that has a journal, which takes one that make engines brings.
func journalEngine(t *testing.T) *dockerd.Engine {
	t.Helper()
	version := cmp.Or(os.Getenv("DOCKERLOGS_ENGINE"), "28.5")
	if _, err := dockerd.Rootfs("docker-" + version); err != nil {
		t.Skipf("no engine that could have a journal of its own: %v", err)
	}
	return logstest.Engine(t, dockerd.Options{Version: version, Journald: true})
}

// TestRealJournald captures containers that log to a journal: every line arrives once, byte
// for byte, and a long one in several records.
func TestRealJournald(t *testing.T) {
	e := journalEngine(t)
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) {
			r := start(t, e.Host(), usingFor(strategy))
			named := func(o loggen.Options) loggen.Options {
				o.Source += "-" + string(strategy)
				return o
			}
			var all []*dockerd.Container
			for _, o := range []loggen.Options{
				{Source: "paced", Lines: 2_000, Rate: 1_000, StderrShare: 0.3},
				{Source: "at-once", Lines: 5_000, StderrShare: 0.3},
				{Source: "binary", Lines: 1_000, Payload: loggen.Binary, Sizes: between(80, 2_000)},
				{Source: "no-final-newline", Lines: 100, NoFinalNewline: true},
			} {
				o = named(o)
				r.expect(o)
				all = append(all, runLoggen(t, e, o, journal))
			}
			terminal := named(loggen.Options{Source: "tty", Lines: 500, Rate: 1_000})
			r.expect(terminal)
			all = append(all, runLoggen(t, e, terminal, dockerd.ContainerSpec{LogDriver: "journald", TTY: true}))
			long := named(loggen.Options{Source: "long", Lines: 100, Sizes: between(40_000, 40_000), StderrShare: 0.5})
			r.keep(long.Source)
			all = append(all, runLoggen(t, e, long, journal))
			r.drained(t, all...)
			r.stop()
			r.exact(t)
			assert.Zero(t, r.metric("gaps"))

			var want [2][]string // by stream
			for n := uint64(1); n <= long.Lines; n++ {
				line := long.Line(n)
				i := 0
				if line.Stderr {
					i = 1
				}
				for body := string(line.Body); body != ""; {
					chunk := body[:min(len(body), journalChunk)]
					want[i] = append(want[i], chunk)
					body = body[len(chunk):]
				}
			}
			stdout, stderr := r.keptOf(long.Source)
			assert.Equal(t, sizesOf(want[0]), sizesOf(stdout), "records of long lines on stdout")
			assert.Equal(t, sizesOf(want[1]), sizesOf(stderr), "records of long lines on stderr")
			assert.True(t, strings.Join(want[0], "") == strings.Join(stdout, ""), "stdout of the long lines")
			assert.True(t, strings.Join(want[1], "") == strings.Join(stderr, ""), "stderr of the long lines")
		})
	}
}

func sizesOf(texts []string) (sizes []int) {
	for _, text := range texts {
		sizes = append(sizes, len(text))
	}
	return sizes
}

// TestRealJournaldTimes has equal lines: the journal's times, in microseconds, tell them apart.
func TestRealJournaldTimes(t *testing.T) {
	e := journalEngine(t)
	sink := &logstest.Sink{}
	r := startWith(t, e.Host(), using("streaming"), sink)
	c := runLoggen(t, e, loggen.Options{Source: "blank", Lines: 2_000, BlankEvery: 1}, journal)
	r.drained(t, c)
	r.stop()
	times := make(map[time.Time]int)
	blank := 0
	for _, record := range sink.All() {
		require.Zero(t, record.Time.Nanosecond()%1_000, "a time in microseconds")
		times[record.Time]++
		if record.Body == "" {
			blank++
		}
	}
	// Engine 20.10 does not keep blank lines in a journal.
	held := readHeld(t, e, c)
	assert.EqualValues(t, 2_000, held.Tallies()["blank"].Seen)
	assert.EqualValues(t, held.Blank(), blank)
	assert.Equal(t, 2_000+blank, sink.Count("blank"))
	t.Logf("the engine holds %d of 2000 blank lines", held.Blank())
	t.Logf("%d records have %d different times; %d repeats suppressed", sink.Count(""), len(times), r.metric("duplicates_suppressed", "reason=repeat"))
}

// TestRealJournaldFollow has a follow end with its container, and what is removed at its end
// read to it.
func TestRealJournaldFollow(t *testing.T) {
	e := journalEngine(t)
	r := start(t, e.Host(), using("streaming"))
	for _, spec := range []dockerd.ContainerSpec{{LogDriver: "journald"}, {LogDriver: "journald", AutoRemove: true}} {
		o := loggen.Options{Source: "stays", Lines: 500, StderrShare: 0.5, UntilSignal: true}
		if spec.AutoRemove {
			o.Source = "goes"
		}
		r.expect(o)
		c := runLoggen(t, e, o, spec)
		r.Await(t, o.Source, 500)
		r.following(t, 1)
		require.NoError(t, c.Stop(t.Context(), 10*time.Second))
		began := time.Now()
		r.drained(t, c)
		t.Logf("%s: done %v after the end of the container", o.Source, time.Since(began).Round(time.Millisecond))
	}
	r.stop()
	r.exact(t)
	assert.Zero(t, r.metric("gaps"))
}
