// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealBackfill begins at a first start with the last 500 of 2,000 lines, and with all of
// the 300 that a container wrote which has ended.
func TestRealBackfill(t *testing.T) {
	const lines, most, few = 2_000, 500, 300
	e := logstest.Engine(t)
	ended := runLoggen(t, e, loggen.Options{Source: "backfill-ended", Lines: few}, jsonFile)
	_, err := ended.Wait(t.Context())
	require.NoError(t, err)
	writeLogs(t, e, "backfill-", 1, lines)
	made := time.Now()
	logstest.Eventually(t, "the second in which they were made is well over, else they are new", func() bool {
		return time.Now().Unix() > made.Unix()+1
	})
	bodies := func(source string, from, to uint64) (list []string) {
		o := loggen.Options{Source: source, Lines: to}
		for n := from; n <= to; n++ {
			list = append(list, string(o.Line(n).Body))
		}
		return list
	}
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) {
			sink := &logstest.Sink{}
			r := startWith(t, e.Host(), func(cfg *dockerlogsreceiver.Config) {
				using(strategy)(cfg)
				cfg.Include = []dockerlogsreceiver.Match{{Name: "backfill-*"}}
				cfg.Backfill = dockerlogsreceiver.BackfillConfig{MaxAge: time.Hour, MaxRecords: most}
			}, sink)
			logstest.Eventually(t, "the last line of each", func() bool {
				running, old := sink.Of("backfill-0"), sink.Of("backfill-ended")
				return len(running) >= most && len(old) >= few
			})
			logstest.Eventually(t, "all is delivered", func() bool { return r.metric("buffered_bytes") == 0 })
			r.stop()
			for source, want := range map[string][]string{
				"backfill-0": bodies("backfill-0", lines-most+1, lines), "backfill-ended": bodies("backfill-ended", 1, few),
			} {
				got := sink.Of(source)
				assert.True(t, slices.Equal(want, got), "%d lines of %s from %.20q, want %d", len(got), source, append(got, "")[0], len(want))
			}
			assert.EqualValues(t, 1, r.metric("bounded_backfills"))
			assert.Zero(t, r.metric("gaps"))
		})
	}
}

// TestRealPodmanBackfill is TestRealBackfill with Podman, whose stamps are of whole seconds, or
// of what it reads at a time: lines that share the first one's time are read with it.
func TestRealPodmanBackfill(t *testing.T) {
	const lines, most, few, rate = 300, 100, 30, 50
	p := startPodman(t)
	old := loggen.Options{Source: "ended", Lines: few}
	p.start("ended", "/loggen", old.Args()...)
	p.run("wait", "ended")
	written := &logstest.Sink{}
	before := startWith(t, p.host, using(dockerlogsreceiver.StrategyPolling), written)
	o := loggen.Options{Source: "backfill", Lines: lines, Rate: rate, UntilSignal: true}
	p.start("backfill", "/loggen", o.Args()...)
	written.Await(t, "backfill", lines)
	before.stop()
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) {
			sink := &logstest.Sink{}
			r := startWith(t, p.host, func(cfg *dockerlogsreceiver.Config) {
				using(strategy)(cfg)
				cfg.Backfill.MaxRecords = most
			}, sink)
			logstest.Eventually(t, "the last line of each", func() bool {
				return len(sink.Of("backfill")) >= most && len(sink.Of("ended")) >= few
			})
			r.stop()
			got := sink.Of("backfill")
			assert.Less(t, len(got), most+2*rate, "lines of no more than the second of the first")
			assert.Equal(t, string(o.Line(lines).Body), got[len(got)-1])
			assert.Equal(t, string(o.Line(uint64(lines-len(got)+1)).Body), got[0])
			assert.Len(t, sink.Of("ended"), few)
			assert.EqualValues(t, 1, r.metric("bounded_backfills"))
		})
	}
	p.run("stop", "backfill")
}
