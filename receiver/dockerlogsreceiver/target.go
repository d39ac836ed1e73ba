// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// target is what a container is: what the engine's last inspection of it said.
type target struct {
	r          *dockerLogs
	id         string
	status     *status.Record   // as the link's
	details    engine.Container // without what is not needed after the inspection
	origin     *batch.Origin
	chosen     selector.Choice // its strategy is "" before the first inspection
	inspectDue bool            // before the next read
}

// logger is made when it is needed: a logger of its own is a good part of what an idle
// container takes.
func (t *target) logger() *zap.Logger {
	return t.r.set.Logger.With(zap.String("container.id", t.id), zap.String("container.name", t.details.Name))
}

// inspect asks the engine what the container is now. The end is endRemoved or endExcluded
// where it is not to be captured any more.
func (t *target) inspect(ctx context.Context) (ending, error) {
	details, err := t.r.engine.Inspect(ctx, t.id)
	switch {
	case engine.IsNotFound(err):
		return endRemoved, nil
	case err != nil:
		return endNone, err
	}
	t.status.Inspected(details.Name, details.Image, details.Driver)
	if !t.r.selected(details.Summary) {
		t.r.showLeftOut(t.status, details.Summary)
		return endExcluded, nil
	}
	t.choose(details.Summary)
	t.describe(details)
	details.Labels, details.Env = nil, nil // kept in the origin as far as they are wanted
	details.Mounts, details.UpperDir = nil, ""
	t.details = details
	t.inspectDue = false
	return endNone, nil
}

// describe makes the origin of the container's records.
func (t *target) describe(c engine.Container) {
	origin, leftOut := batch.OriginOf(t.r.wanted, *t.r.info.Load(), c)
	t.origin = origin
	if leftOut == 0 {
		return
	}
	t.r.warnLabels.Do(func() {
		t.logger().Warn("labels of this container are too many or too large to be resource attributes and are left out, so may be those of others",
			zap.Int("labels", leftOut), zap.Int("most_labels", batch.MaxLabels), zap.Int("most_bytes_of_one", batch.MaxLabelSize),
			zap.Int("most_bytes_of_all", batch.MaxLabelsSize), zap.String("remedy", remedyLabels))
	})
}

// choose finds how a container is to be captured.
func (t *target) choose(s engine.Summary) {
	chosen, err := t.r.selector.For(s)
	if err != nil && t.chosen.Strategy == "" {
		t.logger().Warn("a label of this container is not understood, what is configured is used in its place", zap.Error(err))
	}
	t.chosen = chosen
}

// files returns what is known of the engine's files of the container's log.
func (t *target) files() strategy.Files {
	files := &t.r.source.Files
	switch {
	case t.r.dataRoot() == "":
		return strategy.FilesNone
	case !files.Seen():
		return strategy.FilesUnseen
	case source.KeepsOneFile(&t.details):
		return strategy.FilesVanish
	default:
		return strategy.FilesKept
	}
}

// started tells of a container that has just been started what its event says. It may be gone
// before it can be inspected.
func (t *target) started(s engine.Summary) {
	if t.chosen.Strategy == "" && t.r.selected(s) && (t.r.info.Load().LogsFirst() || t.r.dataRoot() != "") {
		t.details = engine.Container{Summary: s, Unseen: true}
		t.details.Running = true
	}
}

// refresh inspects the container in the middle of a read, for records that should bear its
// new name, or for the first. What is being read is still the run that began before. It
// reports false when the container is not selected any more.
func (t *target) refresh(ctx context.Context) (selected bool) {
	run := t.details
	end, _ := t.inspect(ctx) // an engine that does not answer, or has removed it, ends the read too
	if t.origin == nil {
		t.describe(run)
	}
	t.details.Running, t.details.StartedAt, t.details.FinishedAt = run.Running, run.StartedAt, run.FinishedAt
	t.inspectDue = true
	return end != endExcluded
}
