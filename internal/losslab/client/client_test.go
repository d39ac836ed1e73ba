// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

func TestQuantiles(t *testing.T) {
	var h histogram
	assert.Empty(t, h.quantiles())
	for ms := 1; ms <= 1000; ms++ {
		h.add(time.Duration(ms) * time.Millisecond)
	}
	for _, q := range h.quantiles() {
		want := max(1, q.Share*1000)
		assert.InEpsilon(t, want, float64(q.Age)/float64(time.Millisecond), 0.06, "share %v", q.Share)
	}
	assert.Equal(t, time.Second, h.quantiles()[len(shares)-1].Age, "the greatest is exact")
	h.add(-time.Hour) // a clock that was set
	assert.Equal(t, time.Second, h.max)
}

func TestGrowth(t *testing.T) {
	var steady, leaking, requests history
	for second := range 120 {
		at := time.Duration(second) * time.Second
		poll := float64(second % 5 * 20)
		steady.add(at, 50+poll)
		leaking.add(at, 50+poll+float64(second/30*15))
		requests.add(at, float64(second/5*50))
	}
	assert.Zero(t, steady.growth(floor), "polls come and go")
	assert.Equal(t, 30.0, leaking.growth(floor))
	assert.Equal(t, 600.0, requests.growth(median))
	assert.Zero(t, new(history).growth(floor))
}

// faultyReader delivers a log with faults and leaves a goroutine behind.
type faultyReader struct {
	sink  *sink
	lines loggen.Options
	leave chan struct{}
}

func (r *faultyReader) start() error {
	stamp := time.Now().Add(-time.Second)
	for _, seq := range []uint64{1, 2, 2, 5, 6} {
		line := r.lines.Line(seq)
		r.sink.line(line.Body, line.Stderr, stamp)
	}
	r.sink.line([]byte("what nobody wrote"), false, stamp)
	go func() { <-r.leave }()
	return nil
}
func (*faultyReader) stop(context.Context) error { return nil }
func (*faultyReader) counts() counts             { return counts{requests: 7, gaps: 1} }

func TestMeasure(t *testing.T) {
	source := Source{Lines: loggen.Options{Source: "faulty", StderrShare: 0.5}}
	r := &faultyReader{sink: newSink([]Source{source}), lines: source.Lines, leave: make(chan struct{})}
	defer close(r.leave)
	finishes := make(chan Finish, 1)
	finishes <- Finish{Written: map[string]uint64{"faulty": 8}, Quiet: time.Millisecond}
	var reported []Message
	result, err := measure(r, r.sink, finishes, func(m Message) { reported = append(reported, m) })
	require.NoError(t, err)
	assert.Equal(t, []Message{{Ready: true}, {Drained: true}}, reported)
	assert.EqualValues(t, 4, result.Delivered)
	assert.EqualValues(t, 4, result.Lost, "3, 4, 7 and 8")
	assert.EqualValues(t, 2, result.LostRuns)
	assert.EqualValues(t, 1, result.Repeated)
	assert.EqualValues(t, 1, result.Damaged)
	assert.Equal(t, 1, result.Goroutines.Left)
	assert.EqualValues(t, 7, result.Requests)
	assert.EqualValues(t, 1, result.Gaps)
	assert.GreaterOrEqual(t, result.Latency[0].Age, time.Second)
}

// TestManyContainersInOneCall: data may be of many containers, and a line that comes under a
// container that did not write it is damaged and lost.
func TestManyContainersInOneCall(t *testing.T) {
	sources := []Source{
		{ID: "id-a", Lines: loggen.Options{Source: "a", StderrShare: 0.5}},
		{ID: "id-b", Lines: loggen.Options{Source: "b", StderrShare: 0.5}},
	}
	s := newSink(sources)
	data := plog.NewLogs()
	add := func(id string, lines loggen.Options, seqs ...uint64) {
		from := data.ResourceLogs().AppendEmpty()
		from.Resource().Attributes().PutStr("container.id", id)
		records := from.ScopeLogs().AppendEmpty().LogRecords()
		for _, seq := range seqs {
			line, record := lines.Line(seq), records.AppendEmpty()
			record.Body().SetStr(string(line.Body))
			record.Attributes().PutStr("log.iostream", map[bool]string{false: "stdout", true: "stderr"}[line.Stderr])
		}
	}
	add("id-a", sources[0].Lines, 1, 2)
	add("id-b", sources[1].Lines, 1, 2, 3)
	add("id-a", sources[0].Lines, 3)
	add("id-a", sources[1].Lines, 4) // b wrote it
	add("id-c", sources[1].Lines, 5) // nobody has this id
	require.NoError(t, s.ConsumeLogs(t.Context(), data))
	assert.EqualValues(t, 6, s.delivered.Load(), "recorded when the call returns")

	s.expect(map[string]uint64{"a": 3, "b": 5})
	var result Result
	s.count(&result)
	assert.EqualValues(t, 6, result.Delivered)
	assert.EqualValues(t, 2, result.Lost)
	assert.EqualValues(t, 2, result.Damaged)
	assert.Zero(t, result.Repeated)
}

// TestConfigure: a job may set any option of the receiver, but not what makes the cell.
func TestConfigure(t *testing.T) {
	configured := func(more map[string]any) (*dockerlogsreceiver.Config, error) {
		cfg := dockerlogsreceiver.NewFactory().CreateDefaultConfig().(*dockerlogsreceiver.Config)
		err := configure(cfg, Job{
			Endpoint: "tcp://engine:2375", Strategy: "polling", Lifetime: 3 * time.Second, MaxStreams: 7, Receiver: more,
			Sources: []Source{{Lines: loggen.Options{Source: "a"}}, {Lines: loggen.Options{Source: "b"}}},
		})
		return cfg, err
	}
	cfg, err := configured(nil)
	require.NoError(t, err)
	assert.Equal(t, 3*time.Second, cfg.ShortLived.Lifetime)
	assert.Equal(t, 7, cfg.Adaptive.MaxStreams)
	assert.Len(t, cfg.Include, 2)

	var more map[string]any // as it comes through the pipe
	require.NoError(t, json.Unmarshal([]byte(`{"polling":{"interval":"7s"},"adaptive":{"max_streams":2},"strategy":"hybrid"}`), &more))
	cfg, err = configured(more)
	require.NoError(t, err)
	assert.Equal(t, 7*time.Second, cfg.Polling.Interval)
	assert.Equal(t, 2, cfg.Adaptive.MaxStreams)
	assert.EqualValues(t, "polling", cfg.Strategy)

	_, err = configured(map[string]any{"polling": map[string]any{"intervall": "7s"}})
	assert.ErrorContains(t, err, "intervall")
	_, err = configured(map[string]any{"adaptive": map[string]any{"max_streams": -1}})
	assert.ErrorContains(t, err, "max_streams")
}

// TestFileLog: the lines of the engine's file come without the end that the operator leaves.
func TestFileLog(t *testing.T) {
	source := Source{ID: "id-a", Lines: loggen.Options{Source: "a", StderrShare: 0.5}}
	dir := t.TempDir()
	path := filepath.Join(dir, "containers", source.ID, source.ID+"-json.log")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	var file bytes.Buffer
	for seq := range uint64(10) {
		line := source.Lines.Line(seq + 1)
		stream := map[bool]string{false: "stdout", true: "stderr"}[line.Stderr]
		require.NoError(t, json.NewEncoder(&file).Encode(map[string]string{
			"log": string(line.Body) + "\n", "stream": stream, "time": time.Now().UTC().Format(time.RFC3339Nano),
		}))
	}
	require.NoError(t, os.WriteFile(path, file.Bytes(), 0o600))
	s := newSink([]Source{source})
	_, err := newReader(Job{Strategy: FileLog, Sources: []Source{source}}, s)
	require.Error(t, err, "it does not know where")
	r, err := newReader(Job{Strategy: FileLog, DataRoot: dir, Sources: []Source{source}}, s)
	require.NoError(t, err)
	require.NoError(t, r.start())
	s.expect(map[string]uint64{"a": 10})
	s.drain(time.Minute)
	require.NoError(t, r.stop(t.Context()))
	var result Result
	s.count(&result)
	assert.EqualValues(t, 10, result.Delivered)
	assert.Zero(t, result.Lost+result.Repeated+result.Damaged)
}
