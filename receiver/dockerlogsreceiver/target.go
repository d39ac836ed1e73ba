// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/batch"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// target is what a container is: what the engine's last inspection of it said.
type target struct {
	r          *dockerLogs
	id         string
	details    engine.Container // without what is not needed after the inspection
	origin     *batch.Origin
	strategy   strategy.Name // "" before the first inspection
	inspectDue bool          // before the next read
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
	case !t.r.selected(details.Summary):
		return endExcluded, nil
	}
	t.choose(details.Summary)
	t.origin = batch.OriginOf(t.r.attributes(), *t.r.info.Load(), details)
	details.Labels, details.Env = nil, nil // kept in the origin as far as they are wanted
	details.Mounts, details.UpperDir = nil, ""
	t.details = details
	t.inspectDue = false
	return endNone, nil
}

// choose finds the strategy that a container is to be read with.
func (t *target) choose(s engine.Summary) {
	chosen, err := t.r.selector.StrategyFor(s)
	if err != nil && t.strategy == "" {
		t.logger().Warn("a label of this container names no strategy, the configured one is used",
			zap.String("strategy", string(chosen)), zap.Error(err))
	}
	t.strategy = chosen
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
	if t.strategy == "" && t.r.selected(s) && (t.r.info.Load().LogsFirst() || t.r.dataRoot() != "") {
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
		t.origin = batch.OriginOf(t.r.attributes(), *t.r.info.Load(), run)
	}
	t.details.Running, t.details.StartedAt, t.details.FinishedAt = run.Running, run.StartedAt, run.FinishedAt
	t.inspectDue = true
	return end != endExcluded
}
