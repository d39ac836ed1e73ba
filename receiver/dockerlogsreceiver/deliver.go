// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
)

// dataFormat is what the Collector's own telemetry calls the source.
const dataFormat = "docker"

// deliver hands batches to the pipeline, those of a container side by side, and returns
// once it has taken them, or never will. It returns the batches that are done with; the
// others are not, because the receiver has stopped.
func (r *dockerLogs) deliver(group []*batch.Batch) (done []*batch.Batch) {
	err := r.offer(group)
	var dropped *droppedError
	switch {
	case err == nil:
		return group
	case !errors.As(err, &dropped):
		return nil
	case isDivided(group, err):
		// Only the records of the container that it is for are dropped.
		n := half(group)
		return append(r.deliver(group[:n:n]), r.deliver(group[n:])...)
	}
	n := 0
	for _, b := range group {
		n += b.Len()
		r.countBatch(b)
		r.board.Find(b.Origin.ID).Dropped(b.Len())
	}
	r.countDropped(dropped.reason, n)
	r.warnDropped.Do(func() {
		r.set.Logger.Error("the pipeline refused records for good, they are dropped; later ones are only counted, in otelcol_docker_logs_dropped_records",
			zap.Int("records", n), zap.String("container.name", group[0].Origin.Name), zap.String("reason", dropped.reason), zap.Error(dropped.cause))
	})
	return group
}

// isDivided reports whether a group is offered again by halves after an error.
func isDivided(group []*batch.Batch, err error) bool {
	var dropped *droppedError
	return errors.As(err, &dropped) && dropped.reason == reasonPermanent && severalContainers(group)
}

func severalContainers(group []*batch.Batch) bool {
	return group[0].Origin.ID != group[len(group)-1].Origin.ID
}

// half returns where to divide a group of several containers, between two of them.
func half(group []*batch.Batch) int {
	for i := range group {
		// From the middle, to both ends.
		for _, n := range [2]int{len(group)/2 - i, len(group)/2 + i} {
			if n > 0 && n < len(group) && group[n-1].Origin.ID != group[n].Origin.ID {
				return n
			}
		}
	}
	return len(group) // not reached: there are several
}

// offer calls the pipeline, and again while it refuses the records for now. The error is a
// *droppedError where they will not be offered again.
func (r *dockerLogs) offer(group []*batch.Batch) error {
	if err := r.delivering.Err(); err != nil {
		return err
	}
	records, oldest := 0, group[0].Oldest
	for _, b := range group {
		records += b.Len()
		oldest = min(oldest, b.Oldest)
	}
	ctx := r.obs.StartLogsOp(r.delivering)
	err := r.retry(ctx, func() error {
		err := r.next.ConsumeLogs(ctx, batch.Logs(group, r.set.BuildInfo.Version))
		if err == nil || isPermanent(err) {
			r.board.Accepted()
			return err
		}
		r.tel.DockerLogsRefusedRecords.Add(ctx, int64(records))
		if r.board != nil {
			r.board.Refused(batch.WithoutQuotes(status.Bounded(err.Error()), group))
		}
		return err
	})
	if isDivided(group, err) {
		records = 0 // each is counted with the half that it is in
	}
	r.obs.EndLogsOp(ctx, dataFormat, records, err)
	if err != nil {
		return err
	}
	for _, b := range group {
		r.countBatch(b)
	}
	// The engine's clock may be ahead.
	r.tel.DockerLogsCaptureLatency.Record(ctx, max(0, time.Since(time.Unix(0, oldest)).Seconds()))
	return nil
}

// droppedError is that of records that will not be offered again.
type droppedError struct {
	reason string // of the metric
	cause  error
}

func (e *droppedError) Error() string { return fmt.Sprintf("dropped (%s): %v", e.reason, e.cause) }
func (e *droppedError) Unwrap() error { return e.cause }

var permanentError = reflect.TypeOf(consumererror.NewPermanent(nil))

// isPermanent reports whether the pipeline never accepts what it has refused with an error.
// Behind a fan-out the error is that of several components, and consumererror.IsPermanent is
// content with one: what another accepts later would be given up.
func isPermanent(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if reflect.TypeOf(err) == permanentError {
			return true
		}
		if several, ok := err.(interface{ Unwrap() []error }); ok {
			return !slices.ContainsFunc(several.Unwrap(), func(part error) bool { return !isPermanent(part) })
		}
	}
	return false
}

// retry calls consume until it succeeds, waiting between the attempts. Once the receiver
// stops there is one more attempt, without waiting.
func (r *dockerLogs) retry(ctx context.Context, consume func() error) error {
	cfg := &r.cfg.RetryOnFailure
	wait := backoff.ExponentialBackOff{
		InitialInterval:     cfg.InitialInterval,
		RandomizationFactor: cfg.RandomizationFactor,
		Multiplier:          cfg.Multiplier,
		MaxInterval:         cfg.MaxInterval,
	}
	wait.Reset()
	began := time.Now()
	for last := r.reading.Err() != nil; ; {
		err := consume()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		case isPermanent(err):
			return &droppedError{reasonPermanent, err}
		case last:
			return err
		}
		pause := wait.NextBackOff()
		if !cfg.Enabled || (cfg.MaxElapsedTime > 0 && time.Since(began)+pause > cfg.MaxElapsedTime) {
			return &droppedError{reasonRetriesExhausted, err}
		}
		r.set.Logger.Debug("the pipeline refused records, which are held", zap.Duration("next_attempt_in", pause), zap.Error(err))
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-r.reading.Done():
			last = true
		case <-ctx.Done():
		}
		timer.Stop()
	}
}
