// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"
)

// dataFormat is what the Collector's own telemetry calls the source.
const dataFormat = "docker"

// deliver hands a batch to the pipeline and returns once the pipeline has taken
// it, or never will. An error means that neither has happened, because ctx
// ended; the batch is then still to be delivered. stopping, closed, asks for one
// last attempt without waiting.
func (r *dockerLogs) deliver(ctx context.Context, stopping <-chan struct{}, b *batch) error {
	r.lag.begin(b)
	defer r.lag.end(b)
	texts := b.texts()
	opCtx := r.obs.StartLogsOp(ctx)
	err := r.offer(opCtx, stopping, func(ctx context.Context) error {
		err := r.next.ConsumeLogs(ctx, b.logs(texts, r.set.BuildInfo.Version))
		if err != nil && !consumererror.IsPermanent(err) {
			r.tel.DockerLogsRefusedRecords.Add(ctx, int64(len(b.records)))
		}
		return err
	})
	r.obs.EndLogsOp(opCtx, dataFormat, len(b.records), err)
	var dropped *droppedError
	if errors.As(err, &dropped) {
		r.countDropped(ctx, dropped.reason, len(b.records))
		r.warnDropped.Do(func() {
			r.set.Logger.Error("the pipeline refused records for good, they are dropped; later ones are only counted, in otelcol_docker_logs_dropped_records",
				zap.Int("records", len(b.records)), zap.String("reason", dropped.reason), zap.Error(dropped.cause))
		})
		err = nil
	} else if err == nil {
		r.tel.DockerLogsCaptureLatency.Record(ctx, time.Since(time.Unix(0, b.records[0].time)).Seconds())
	}
	if err == nil {
		r.countBatch(ctx, b)
	}
	return err
}

// droppedError tells that a batch will not be offered again.
type droppedError struct {
	reason string // of the metric
	cause  error
}

func (e *droppedError) Error() string { return fmt.Sprintf("dropped (%s): %v", e.reason, e.cause) }
func (e *droppedError) Unwrap() error { return e.cause }

// offer calls consume until it succeeds, waiting between the attempts.
func (r *dockerLogs) offer(ctx context.Context, stopping <-chan struct{}, consume func(context.Context) error) error {
	retry := &r.cfg.RetryOnFailure
	wait := backoff.ExponentialBackOff{
		InitialInterval:     retry.InitialInterval,
		RandomizationFactor: retry.RandomizationFactor,
		Multiplier:          retry.Multiplier,
		MaxInterval:         retry.MaxInterval,
	}
	wait.Reset()
	began := time.Now()
	for last := false; ; {
		err := consume(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil || last:
			return err
		case consumererror.IsPermanent(err):
			return &droppedError{"permanent", err}
		}
		pause := wait.NextBackOff()
		if !retry.Enabled || (retry.MaxElapsedTime > 0 && time.Since(began)+pause > retry.MaxElapsedTime) {
			return &droppedError{"retries_exhausted", err}
		}
		r.set.Logger.Debug("the pipeline refused a batch, which is held", zap.Duration("for", pause), zap.Error(err))
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-stopping:
			last = true
		case <-ctx.Done():
		}
		timer.Stop()
	}
}
