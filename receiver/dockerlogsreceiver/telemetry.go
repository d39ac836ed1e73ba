// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Attributes of the metrics that are counted for every batch or record, made once.
var (
	byStream = [stream.Stderr]metric.MeasurementOption{
		with(attribute.String("stream", stream.Stdout.String())),
		with(attribute.String("stream", stream.Stderr.String())),
	}
	overlapping = with(attribute.String("reason", "overlap"))
	repeated    = with(attribute.String("reason", "repeat"))
)

func with(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

// countNone begins the counters of what mostly never happens at 0, for each reason that
// there is. Else the first time would be the counter's first value, of which no backend
// can tell that it has grown.
func (r *dockerLogs) countNone() {
	ctx := context.Background()
	reasons := func(counter metric.Int64Counter, list ...string) {
		for _, reason := range list {
			counter.Add(ctx, 0, with(attribute.String("reason", reason)))
		}
	}
	reasons(r.tel.DockerLogsDroppedRecords, "permanent", "retries_exhausted")
	reasons(r.tel.DockerLogsDuplicatesSuppressed, "overlap", "repeat")
	reasons(r.tel.DockerLogsGaps, "rotated", "unreadable", "unreadable_record", "removed")
	reasons(r.tel.DockerLogsReopens,
		"expired", "recalled", "dead", "behind", "stalled_pipeline", "ended", "engine_error", "failed", "cut")
	for reason, to := range map[string]string{"budget": "polling", "cuts": "polling", "pressure": "polling", "recovered": "streaming"} {
		r.tel.DockerLogsStrategyChanges.Add(ctx, 0, with(attribute.String("to", to), attribute.String("reason", reason)))
	}
	for _, stream := range byStream {
		r.tel.DockerLogsBytes.Add(ctx, 0, stream)
		r.tel.DockerLogsRecords.Add(ctx, 0, stream)
	}
	r.tel.DockerLogsBufferedBytes.Add(ctx, 0)
	r.tel.DockerLogsRefusedRecords.Add(ctx, 0)
	r.tel.DockerLogsTruncatedLines.Add(ctx, 0)
}

// observe registers the metrics that are asked for. They bear the receiver's id, for of
// two receivers without it only one would be seen.
func (r *dockerLogs) observe() error {
	id := with(attribute.String("receiver", r.set.ID.String()))
	return errors.Join(
		r.tel.RegisterDockerLogsEngineUpCallback(func(_ context.Context, o metric.Int64Observer) error {
			var up int64
			if r.engineUp.Load() {
				up = 1
			}
			o.Observe(up, id)
			return nil
		}),
		r.tel.RegisterDockerLogsLagCallback(func(_ context.Context, o metric.Float64Observer) error {
			o.Observe(r.lag.seconds(), id)
			return nil
		}),
	)
}

// countBatch counts a batch that has left us.
func (r *dockerLogs) countBatch(ctx context.Context, b *batch) {
	for i, n := range b.counts {
		if n > 0 {
			r.tel.DockerLogsRecords.Add(ctx, int64(n), byStream[i])
			r.tel.DockerLogsBytes.Add(ctx, int64(b.bytes[i]), byStream[i])
		}
	}
	if b.cut > 0 {
		r.tel.DockerLogsTruncatedLines.Add(ctx, int64(b.cut))
	}
}

func (r *dockerLogs) countDropped(ctx context.Context, reason string, n int) {
	r.tel.DockerLogsDroppedRecords.Add(ctx, int64(n), with(attribute.String("reason", reason)))
}

func (r *dockerLogs) countCapture(strategy Strategy, state captureState, n int64) {
	if state != stateNone && strategy != "" {
		r.tel.DockerLogsCaptures.Add(context.Background(), n,
			with(attribute.String("strategy", string(strategy)), attribute.String("state", string(state))))
	}
}

// countChange counts a change of adaptive.
func (r *dockerLogs) countChange(to, reason string) {
	r.tel.DockerLogsStrategyChanges.Add(context.Background(), 1,
		with(attribute.String("to", to), attribute.String("reason", reason)))
}

// countBuffered counts what hybrid buffers hold more, or less, than before.
func (r *dockerLogs) countBuffered(bytes int) {
	r.tel.DockerLogsBufferedBytes.Add(context.Background(), int64(bytes))
}

func (r *dockerLogs) countReopen(reason string) {
	r.tel.DockerLogsReopens.Add(context.Background(), 1, with(attribute.String("reason", reason)))
}

func (r *dockerLogs) countGap(reason string) {
	r.tel.DockerLogsGaps.Add(context.Background(), 1, with(attribute.String("reason", reason)))
}

func (r *dockerLogs) countRequest(endpoint engine.Endpoint, outcome engine.Outcome) {
	r.tel.DockerLogsEngineRequests.Add(context.Background(), 1,
		with(attribute.String("endpoint", string(endpoint)), attribute.String("outcome", string(outcome))))
}

// lag knows the batches that are on offer to the pipeline.
type lag struct {
	mu      sync.Mutex
	offered map[*batch]int64 // to the time of the oldest record
}

func (l *lag) begin(b *batch) {
	oldest := b.records[0].time
	for _, r := range b.records {
		oldest = min(oldest, r.time)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.offered == nil {
		l.offered = make(map[*batch]int64)
	}
	l.offered[b] = oldest
}

func (l *lag) end(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.offered, b)
}

// seconds gives the age of the oldest record on offer.
func (l *lag) seconds() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var most time.Duration
	for _, oldest := range l.offered {
		most = max(most, time.Since(time.Unix(0, oldest)))
	}
	return most.Seconds()
}
