// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
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

// clerk is a reader that delivers a log with faults and leaves a goroutine behind.
type clerk struct {
	sink  *sink
	lines loggen.Options
	leave chan struct{}
}

func (c *clerk) start() error {
	stamp := time.Now().Add(-time.Second)
	for _, seq := range []uint64{1, 2, 2, 5, 6} {
		line := c.lines.Line(seq)
		c.sink.line(line.Body, line.Stderr, stamp)
	}
	c.sink.line([]byte("what nobody wrote"), false, stamp)
	go func() { <-c.leave }()
	return nil
}
func (*clerk) stop(context.Context) error { return nil }
func (*clerk) counts() counts             { return counts{requests: 7, gaps: 1} }

func TestMeasure(t *testing.T) {
	source := Source{Lines: loggen.Options{Source: "clerk", StderrShare: 0.5}}
	c := &clerk{sink: newSink([]Source{source}), lines: source.Lines, leave: make(chan struct{})}
	defer close(c.leave)
	finishes := make(chan Finish, 1)
	finishes <- Finish{Written: map[string]uint64{"clerk": 8}, Quiet: time.Millisecond}
	ready := false
	result, err := measure(c, c.sink, finishes, func(m Message) { ready = ready || m.Ready != nil })
	require.NoError(t, err)
	assert.True(t, ready)
	assert.EqualValues(t, 4, result.Delivered)
	assert.EqualValues(t, 4, result.Lost, "3, 4, 7 and 8")
	assert.EqualValues(t, 2, result.LostRuns)
	assert.EqualValues(t, 1, result.Repeated)
	assert.EqualValues(t, 1, result.Damaged)
	assert.Equal(t, 1, result.Left)
	assert.EqualValues(t, 7, result.Requests)
	assert.EqualValues(t, 1, result.Gaps)
	assert.GreaterOrEqual(t, result.Latency[0].Age, time.Second)
}
