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
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/multiline"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Attributes of the metrics that are counted for every batch or record, made once.
var (
	byStream = [stream.Stderr]metric.MeasurementOption{
		with(attribute.String("stream", stream.Stdout.String())),
		with(attribute.String("stream", stream.Stderr.String())),
	}
	overlap  = with(attribute.String("reason", "overlap"))
	repeated = with(attribute.String("reason", "repeat"))
)

func with(attributes ...attribute.KeyValue) metric.MeasurementOption {
	return metric.WithAttributeSet(attribute.NewSet(attributes...))
}

// Why records were dropped, and lines may be missing, as metrics name it.
const (
	reasonPermanent        = "permanent"
	reasonRetriesExhausted = "retries_exhausted"

	gapRemoved    = source.Gap("removed")
	gapUnreadable = source.Gap("unreadable")
)

// What to do about a gap.
const (
	remedyRotated    = "raise max-size and max-file of the container's log driver"
	remedyRecord     = "see the engine's own log"
	remedyRemoved    = "read it with the strategy streaming, or do not start it with --rm"
	remedyFiles      = "mount the engine's data root, such as /var/lib/docker, read-only, name it in file::root if its path is another one here, and let the Collector read it"
	remedyLabels     = "name the labels that are wanted in container_labels_to_resource_attributes, or with narrower globs"
	remedyRateLimit  = "raise records_per_second or burst of its rate_limit, or let on_excess be delay"
	remedySelf       = "exclude the Collector's container by its name, and set include_self: true"
	remedyUnreadable = "use the log driver local, json-file or journald, or enable dual logging"
)

// initCounters begins the counters of rare things at 0, for each reason that there is.
// Else the first time would be the counter's first value, which no backend can take for
// growth.
func (r *dockerLogs) initCounters() {
	ctx := context.Background()
	for counter, reasons := range map[metric.Int64Counter][]string{
		r.tel.DockerLogsDroppedRecords:       {reasonPermanent, reasonRetriesExhausted},
		r.tel.DockerLogsDuplicatesSuppressed: {"overlap", "repeat"},
		r.tel.DockerLogsGaps: {
			string(source.GapRotated), string(gapUnreadable), string(source.GapUnreadableRecord), string(gapRemoved),
		},
	} {
		for _, reason := range reasons {
			counter.Add(ctx, 0, with(attribute.String("reason", reason)))
		}
	}
	for end, react := range reactions {
		if react.reopen {
			r.tel.DockerLogsReopens.Add(ctx, 0, with(attribute.String("reason", string(end))))
		}
	}
	for _, reason := range []string{strategy.FallbackBudget, strategy.FallbackBusy, strategy.FallbackCuts, strategy.FallbackPressure} {
		r.countChange("polling", reason, 0)
	}
	r.countChange("streaming", strategy.Recovered, 0)
	r.countChange("api", strategy.FallbackFile, 0)
	r.countChange("file", strategy.FileFound, 0)
	for _, stream := range byStream {
		r.tel.DockerLogsBytes.Add(ctx, 0, stream)
		r.tel.DockerLogsRecords.Add(ctx, 0, stream)
	}
	r.tel.DockerLogsBufferedBytes.Add(ctx, 0)
	for _, action := range engine.ToldActions {
		r.countEvent(action, 0)
	}
	r.tel.DockerLogsDroppedEvents.Add(ctx, 0)
	r.tel.DockerLogsRateLimitedRecords.Add(ctx, 0)
	r.tel.DockerLogsRefusedRecords.Add(ctx, 0)
	r.tel.DockerLogsTruncatedLines.Add(ctx, 0)
	r.tel.DockerLogsBoundedBackfills.Add(ctx, 0)
}

// observe registers the metrics that are asked for. They bear the receiver's id, since of
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
			o.Observe(max(0, r.outbox.lag(time.Now()).Seconds()), id)
			return nil
		}),
	)
}

// countBatch counts a batch that has left us.
func (r *dockerLogs) countBatch(b *batch.Batch) {
	ctx := context.Background()
	for i, n := range b.Records {
		if n > 0 {
			r.tel.DockerLogsRecords.Add(ctx, int64(n), byStream[i])
			r.tel.DockerLogsBytes.Add(ctx, int64(b.Bytes[i]), byStream[i])
		}
	}
	if b.Cut > 0 {
		r.tel.DockerLogsTruncatedLines.Add(ctx, int64(b.Cut))
	}
}

func (r *dockerLogs) countSuppressed(overlapping, repeats int) {
	if overlapping > 0 {
		r.tel.DockerLogsDuplicatesSuppressed.Add(context.Background(), int64(overlapping), overlap)
	}
	if repeats > 0 {
		r.tel.DockerLogsDuplicatesSuppressed.Add(context.Background(), int64(repeats), repeated)
	}
}

func (r *dockerLogs) countDropped(reason string, n int) {
	r.tel.DockerLogsDroppedRecords.Add(context.Background(), int64(n), with(attribute.String("reason", reason)))
}

// captureAttributes keeps the attributes by counted: a busy container's state changes with
// each read, and a set of attributes is dear to make.
var captureAttributes sync.Map

func (r *dockerLogs) countCapture(c counted, n int64) {
	if c.state == stateNone || c.strategy == "" {
		return
	}
	attributes, ok := captureAttributes.Load(c)
	if !ok {
		from := "api"
		if c.file {
			from = "file"
		}
		attributes, _ = captureAttributes.LoadOrStore(c, with(attribute.String("strategy", string(c.strategy)),
			attribute.String("state", string(c.state)), attribute.String("source", from)))
	}
	r.tel.DockerLogsCaptures.Add(context.Background(), n, attributes.(metric.MeasurementOption))
}

// countEvent counts events that became records.
func (r *dockerLogs) countEvent(action engine.Action, n int64) {
	r.tel.DockerLogsEvents.Add(context.Background(), n, with(attribute.String("action", string(action))))
}

// countRateLimited counts records that were dropped since their container exceeded its limit.
func (r *dockerLogs) countRateLimited(n int) {
	if n > 0 {
		r.tel.DockerLogsRateLimitedRecords.Add(context.Background(), int64(n))
	}
}

func (r *dockerLogs) countChange(to, reason string, n int64) {
	r.tel.DockerLogsStrategyChanges.Add(context.Background(), n,
		with(attribute.String("to", to), attribute.String("reason", reason)))
}

func (r *dockerLogs) countBuffered(bytes int) {
	r.tel.DockerLogsBufferedBytes.Add(context.Background(), int64(bytes))
}

func (r *dockerLogs) countGap(gap source.Gap) {
	r.tel.DockerLogsGaps.Add(context.Background(), 1, with(attribute.String("reason", string(gap))))
}

func (r *dockerLogs) countRequest(endpoint engine.Endpoint, outcome engine.Outcome) {
	r.tel.DockerLogsEngineRequests.Add(context.Background(), 1,
		with(attribute.String("endpoint", string(endpoint)), attribute.String("outcome", string(outcome))))
	r.board.Requested()
}

// Gap implements source.Output. What has been read before does not go on behind it.
func (c *capture) Gap(gap source.Gap) {
	if c.joined != nil {
		c.joined.with((*multiline.Joiner).EndAll)
	}
	message, remedy := "lines of this container may be missing: the engine has rotated away all that had been read before", remedyRotated
	if gap == source.GapUnreadableRecord {
		message, remedy = "a record of this container's log cannot be read by the engine, it is passed over with what may be lost around it", remedyRecord
	}
	c.tellGap(gap, message, remedy, zap.String("driver", c.target.details.Driver))
}

// tellGap counts, shows and logs that lines may be missing; details are for the log.
func (c *capture) tellGap(gap source.Gap, message, remedy string, details ...zap.Field) {
	c.r.countGap(gap)
	c.link.status.Gap(string(gap), message, remedy)
	c.target.logger().Warn(message, append(details, zap.String("remedy", remedy))...)
}

// report counts and logs what a read did.
func (c *capture) report(result source.Result) {
	if result.LeftOut {
		c.r.tel.DockerLogsBoundedBackfills.Add(context.Background(), 1)
		c.target.logger().Info("this container is seen for the first time, and its older lines are left out as backfill says",
			zap.Duration("max_age", c.r.cfg.Backfill.MaxAge), zap.Int("max_records", c.r.cfg.Backfill.MaxRecords))
	}
	if reactions[result.End].reopen {
		c.reopens(result.End, result.Err)
	}
}

// reopens counts that the log has to be opened again.
func (c *capture) reopens(end source.End, err error) {
	c.r.tel.DockerLogsReopens.Add(context.Background(), 1, with(attribute.String("reason", string(end))))
	c.link.status.Reopened(cutTexts[end])
	c.target.logger().Debug("opening the log again", zap.String("reason", string(end)), zap.Error(err))
}

// way is how a container is read, as the metric strategy_changes names it, and why.
type way struct{ to, reason string }

// noteWay counts that the container is to be read in another way than before. A strategy
// begins in the best of its ways, which is not counted.
func (c *capture) noteWay(plan strategy.Plan) {
	if plan.File && plan.Fallback != "" {
		return // whether its files can be read is to be found out
	}
	now := way{"polling", plan.Fallback}
	switch {
	case plan.File:
		now = way{"file", strategy.FileFound}
	case c.planner.name == StrategyFile, plan.Fallback == "" && (c.way.to == "file" || c.way.to == "api"):
		now = way{"api", strategy.FallbackFile}
	case plan.Fallback == "":
		now = way{"streaming", strategy.Recovered}
	}
	best := now.to == "file" || now.to == "streaming"
	if now != c.way && (c.way != way{} || !best) {
		c.r.countChange(now.to, now.reason, 1)
		c.showWay(now)
		c.target.logger().Debug("this container is read in another way now", zap.String("to", now.to), zap.String("reason", now.reason))
	}
	c.way = now
}

// filesUnread logs that the engine's files are not read, once a receiver.
func (c *capture) filesUnread(err error) {
	c.target.logger().Debug("the files of this container's log are not read", zap.Error(err))
	if c.planner.name != StrategyFile || errors.Is(err, source.ErrNotProven) {
		return // it has other ways that are as good, or nothing has been written yet
	}
	c.r.warnFiles.Do(func() {
		c.target.logger().Warn("a container's log files are not read, nor may others' be; such containers are read over the engine's API, and their files are tried again from time to time",
			zap.String("fallback", string(c.r.cfg.File.Fallback)), zap.Error(err), zap.String("remedy", remedyFiles))
	})
}
