// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pipeline"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
)

func TestConsumeContract(t *testing.T) {
	e := enginetest.New()
	cfg := createDefaultConfig().(*Config)
	cfg.Endpoint = e.Listen(t)
	cfg.RetryOnFailure.InitialInterval = time.Millisecond
	cfg.RetryOnFailure.MaxInterval = 10 * time.Millisecond
	receivertest.CheckConsumeContract(receivertest.CheckConsumeContractParams{
		T: t, Signal: pipeline.SignalLogs, Config: cfg, GenerateCount: 500,
		Factory: receiver.NewFactory(metadata.Type, createDefaultConfig,
			receiver.WithLogs(func(ctx context.Context, set receiver.Settings, cfg component.Config, next consumer.Logs) (receiver.Logs, error) {
				return NewFactory().CreateLogs(ctx, set, cfg, idLifter{next})
			}, metadata.LogsStability)),
		Generator: &generator{t: t, engine: e},
	})
}

// generator writes ids to the log of a container, a new one for each scenario.
type generator struct {
	t      *testing.T
	engine *enginetest.Engine
	log    *enginetest.Container
	n      atomic.Int64
}

func (g *generator) Start() {
	if err := g.engine.WaitSubscribers(g.t.Context(), 1); err != nil {
		g.t.Error(err)
	}
	g.log = g.engine.Add(enginetest.ContainerSpec{Running: true})
}

func (g *generator) Stop() { g.log.Remove() }

func (g *generator) Generate() []receivertest.UniqueIDAttrVal {
	id := fmt.Sprint("id ", g.n.Add(1))
	g.log.Write(stdout, id+"\n")
	return []receivertest.UniqueIDAttrVal{receivertest.UniqueIDAttrVal(id)}
}

// idLifter puts the body of each record where the checker looks for its id.
type idLifter struct{ consumer.Logs }

func (l idLifter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: true}
}

func (l idLifter) ConsumeLogs(ctx context.Context, data plog.Logs) error {
	for _, from := range data.ResourceLogs().All() {
		for _, scope := range from.ScopeLogs().All() {
			for _, rec := range scope.LogRecords().All() {
				rec.Attributes().PutStr(receivertest.UniqueIDAttrName, rec.Body().Str())
			}
		}
	}
	return l.Logs.ConsumeLogs(ctx, data)
}
