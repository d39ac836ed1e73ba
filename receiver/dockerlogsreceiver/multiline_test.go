// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/multiline"
)

// tracer writes stack traces, and keeps the books of what their records must be.
type tracer struct {
	*trial
	random *rand.Rand
	want   map[string]string // by the first line
	n      int
}

func newTracer(tr *trial, seed uint64) *tracer {
	return &tracer{trial: tr, random: rand.New(rand.NewPCG(seed, 0)), want: make(map[string]string)}
}

// trace returns the lines of a new trace.
func (tr *tracer) trace() []string {
	tr.n++
	lines := []string{fmt.Sprintf("com.acme.shop.Failure: number %d", tr.n)}
	for i := range tr.random.IntN(12) {
		lines = append(lines, fmt.Sprintf("\tat com.acme.shop.Class%d.method(Class%d.java:%d)", i, i, tr.n))
	}
	tr.want[lines[0]] = strings.Join(lines, "\n")
	return lines
}

// write writes a trace to each stream, line by line in turns. meanwhile is called somewhere in
// the middle, if it is not nil.
func (tr *tracer) write(c *enginetest.Container, meanwhile func()) {
	streams := map[enginetest.Stream][]string{stdout: tr.trace(), stderr: tr.trace()}
	total := len(streams[stdout]) + len(streams[stderr])
	at := tr.random.IntN(total)
	for i := range total {
		if i == at && meanwhile != nil {
			meanwhile()
		}
		stream := stdout
		if len(streams[stdout]) == 0 || (len(streams[stderr]) > 0 && tr.random.IntN(2) == 0) {
			stream = stderr
		}
		c.Write(stream, streams[stream][0]+"\n")
		streams[stream] = streams[stream][1:]
		tr.pass(time.Duration(tr.random.IntN(20)) * time.Millisecond)
	}
}

// whole checks that each trace that was written has come whole, and once, but for records
// that come again with their uids.
func (tr *tracer) whole(records []logstest.Record) {
	tr.t.Helper()
	got, uids := make(map[string]string), make(map[string]string)
	for _, rec := range records {
		first, _, _ := strings.Cut(rec.Body, "\n")
		if uid, again := uids[first]; again {
			require.Equal(tr.t, uid, rec.UID, "%s came twice", first)
		}
		require.Equal(tr.t, tr.want[first], rec.Body, "a trace of %v", rec.Time)
		got[first], uids[first] = rec.Body, rec.UID
	}
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(tr.want)), func(first string) bool { return got[first] != "" })
	require.Empty(tr.t, missing)
}

// TestTracesAreWhole: whatever happens to the container, the engine and the collector while a
// trace is written, it is one record.
func TestTracesAreWhole(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			eachWay(t, func(tr *trial, m *memory) {
				tr.cfg.Multiline.Preset = "java"
				tr.cfg.Multiline.ForceFlushPeriod = 2 * time.Second // some of what happens takes time
				pipeline := &mortal{Logs: tr.sink}
				tr.renew(pipeline)
				web := tr.container("web")
				tr.start()
				tr.pass(time.Second)
				traces := newTracer(tr, seed)
				var records []logstest.Record
				kill := func() {
					next := m.copy()
					records = append(records, tr.kill(m, pipeline)...)
					m = next
					tr.use(m)
					pipeline = &mortal{Logs: tr.sink}
					tr.renew(pipeline)
					require.NoError(tr.t, tr.r.Start(tr.t.Context(), tr.host))
					synctest.Wait()
				}
				happenings := []func(){
					nil, nil, nil, web.CutFollows, kill,
					func() { tr.sink.Slow(300 * time.Millisecond) },
					func() { tr.sink.Slow(0) },
					func() { web.Rotate(200) },
					func() { tr.engine.Down(); tr.engine.Up() },
				}
				for range 60 {
					traces.write(web, happenings[traces.random.IntN(len(happenings))])
					tr.pass(time.Duration(traces.random.IntN(3000)) * time.Millisecond)
				}
				tr.sink.Slow(0)
				tr.pass(2 * time.Minute)
				traces.whole(append(records, tr.sink.All()...))
				assert.Zero(tr.t, tr.metric("gaps"))
			})
		})
	}
}

// TestRunEndsATrace: what a container writes when it has been started again goes on with
// nothing that it wrote before.
func TestRunEndsATrace(t *testing.T) {
	eachWay(t, func(tr *trial, _ *memory) {
		if strings.Contains(tr.t.Name(), "podman") {
			tr.t.Skip("its stamps have whole seconds, which two runs may share")
		}
		tr.cfg.Multiline.Preset = "java"
		web := tr.container("web")
		tr.start()
		tr.pass(time.Second)
		want := []string{"a.B: 1\n\tat a", "\tat b", "a.B: 2\n\tat c", "end"}
		web.Write(stdout, "a.B: 1\n\tat a\n")
		tr.pass(10 * time.Millisecond)
		web.Restart()
		tr.pass(50 * time.Millisecond)
		web.Write(stdout, "\tat b\n")
		tr.pass(time.Second)
		web.Write(stdout, "a.B: 2\n\tat c\n")
		web.Exit(1)
		tr.expect(want[:3]...)
		web.Start()
		web.Write(stdout, "end\n")
		tr.expect(want...)
	})
}

// TestTraceThatIsPending: a trace leaves force_flush_period after its last line, and where the
// receiver stops: at once without a storage; with one it is left to the next process.
func TestTraceThatIsPending(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Multiline.LineStartPattern = `^\d`
		web := f.container("web")
		f.start()
		f.pass(time.Second)
		web.Write(stdout, "1\na\n")
		f.pass(499 * time.Millisecond)
		assert.Empty(t, f.sink.Bodies())
		web.Write(stdout, "b\n")
		f.pass(499 * time.Millisecond)
		assert.Empty(t, f.sink.Bodies())
		f.pass(2 * time.Millisecond)
		f.expect("1\na\nb")
		web.Write(stdout, "2\nc\n")
		f.settle()
		f.stop()
		f.expect("1\na\nb", "2\nc")
	})
	inBubble(t, func(f *fixture) {
		f.cfg.Multiline.LineStartPattern = `^\d`
		m := f.stored()
		web := f.container("web")
		f.start()
		f.pass(time.Second)
		web.Write(stdout, "1\na\n")
		f.settle()
		f.halt()
		assert.Empty(t, f.sink.Bodies())
		web.Write(stdout, "b\n")
		f.start()
		f.expect("1\na\nb")
		assert.NotNil(t, m)
	})
}

// TestMultilineByLabelAndOverride: a container's label wins over an override, that over the
// top level.
func TestMultilineByLabelAndOverride(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Multiline.Preset = "java"
		f.cfg.Overrides = []Override{{Match: Match{Name: "*-db"}, Multiline: &multiline.Config{Preset: multiline.None}}}
		labels := map[string]string{multiline.LabelLineEnd: ";$"}
		own := f.engine.Add(enginetest.ContainerSpec{Name: "own-db", Running: true, Labels: labels})
		off := f.container("off-db")
		web := f.container("web")
		bad := f.engine.Add(enginetest.ContainerSpec{Name: "bad", Running: true, Labels: map[string]string{multiline.LabelLineStart: "("}})
		f.start()
		f.pass(time.Second)
		for _, c := range []*enginetest.Container{own, off, web, bad} {
			c.Write(stdout, "a.B: c\n\tat d;\nend\n")
		}
		f.pass(time.Minute)
		assert.Equal(t, []string{"a.B: c\n\tat d;", "end"}, f.sink.Of("own-db"))
		assert.Equal(t, []string{"a.B: c", "\tat d;", "end"}, f.sink.Of("off-db"))
		assert.Equal(t, []string{"a.B: c\n\tat d;", "end"}, f.sink.Of("web"))
		assert.Equal(t, []string{"a.B: c\n\tat d;", "end"}, f.sink.Of("bad"))
		require.Len(t, f.messages(), 1)
		assert.Contains(t, f.messages()[0], "label")
	})
}

// TestTracesEndAtAGap: what is read behind lines that are missing does not go on with what was
// read before them.
func TestTracesEndAtAGap(t *testing.T) {
	for _, strategy := range []Strategy{StrategyStreaming, StrategyPolling} {
		t.Run(string(strategy), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.Strategy = strategy
				f.cfg.Multiline.Preset = "java"
				f.cfg.Multiline.ForceFlushPeriod = time.Minute
				web := f.container("web")
				f.start()
				f.pass(time.Second)
				web.Write(stdout, "com.acme.Failure: 1\n\tat com.acme.A.a(A.java:1)\n")
				f.pass(time.Second) // it is read, and may go on
				f.engine.Down()
				web.Write(stdout, "\tat com.acme.B.b(B.java:2)\ncom.acme.Failure: 2\n\tat com.acme.C.c(C.java:3)\n")
				web.Rotate(1)
				f.engine.Up()
				f.eventually("a gap", func() bool { return f.metric("gaps") == 1 })
				f.pass(2 * time.Minute)
				f.expect("com.acme.Failure: 1\n\tat com.acme.A.a(A.java:1)", "\tat com.acme.C.c(C.java:3)")
			})
		})
	}
}

// A capture that takes long to join a line does not hold up the goroutine that delivers the
// records of all containers.
func TestOutboxDoesNotWaitForACapture(t *testing.T) {
	j := &joined{held: true}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := time.Now()
	assert.Equal(t, now.Add(releaseAgain), j.releaseHeld(now))
	assert.True(t, j.held, "the outbox asks again")
}
