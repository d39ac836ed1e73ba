// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// TestRealRotation follows a container whose log rotates every second or so.
// Engine 20.10 repeats records at a rotation; each line must arrive once.
func TestRealRotation(t *testing.T) {
	e := realEngine(t)
	r := startReal(t, e.Host(), nil)
	o := loggen.Options{Source: "rotated", Lines: 60_000, Rate: 5_000}
	spec := rotating
	report := reported(t, &spec)
	r.expect(o)
	c := runLoggen(t, e, o, spec)
	r.drained(t, c)
	r.stop()
	repeats := r.metric("duplicates_suppressed", "reason=repeat")
	tally := r.lines.Tallies()[o.Source]
	t.Logf("%d lines, %d lost, %d repeated; suppressed: %d sent twice by the engine, %d read again; %d reopens, %d gaps, %d deliveries",
		tally.Seen, tally.Lost, tally.Repeated, repeats, r.metric("duplicates_suppressed", "reason=overlap"),
		r.metric("reopens"), r.metric("gaps"), r.deliveries)
	if !report().KeptRate {
		t.Skip("the machine is too slow: the lines came in bursts, at which the engine loses some itself")
	}
	assert.Zero(t, tally.Repeated)
	r.exact(t)
}

// measuring skips what takes long and proves nothing: run it with
// DOCKERLOGS_MEASURE=1 go test -run Measure -v ./receiver/dockerlogsreceiver
func measuring(t testing.TB) {
	t.Helper()
	if os.Getenv("DOCKERLOGS_MEASURE") != "1" {
		t.Skip("measures the engine or the machine: set DOCKERLOGS_MEASURE=1")
	}
}

// TestMeasureRepeats finds out how far back the records reach that the engine sends
// again on one follow: position remembers that much.
func TestMeasureRepeats(t *testing.T) {
	measuring(t)
	e := realEngine(t)
	for _, rate := range []float64{5_000, 20_000} {
		o := loggen.Options{Source: fmt.Sprintf("rotated-%.0f", rate), Lines: uint64(12 * rate), Rate: rate}
		c, err := e.Create(t.Context(), loggenSpec(o, rotating))
		require.NoError(t, err)
		client, err := engine.New(engine.Config{Endpoint: e.Host(), Timeout: 10 * time.Second})
		require.NoError(t, err)
		defer client.Close()
		require.NoError(t, client.Connect(context.Background()))
		require.NoError(t, c.Start(t.Context()))
		body, err := client.Logs(t.Context(), c.ID, engine.LogsQuery{Follow: true})
		require.NoError(t, err)

		at := make(map[mark]int) // where each record was seen first
		var newest int64
		n, repeats, records, runs, fresh := 0, 0, 0, 0, true
		var reach time.Duration
		reader := stream.NewReader(readBuffer)
		reader.Reset(body, false, 1<<20)
		for ; ; n++ {
			record, err := reader.Next()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			m := markOf(record)
			first, again := at[m]
			if again {
				repeats++
				records = max(records, n-first)
				reach = max(reach, time.Duration(newest-m.time))
				if fresh {
					runs++
				}
			} else {
				at[m] = n
				newest = max(newest, m.time)
			}
			fresh = !again
		}
		require.NoError(t, body.Close())
		t.Logf("%v lines/s: %d records, %d of %d lines lost, %d repeats in %d runs, reaching back at most %d records, %v",
			rate, n, int(o.Lines)-len(at), o.Lines, repeats, runs, records, reach)
	}
}
