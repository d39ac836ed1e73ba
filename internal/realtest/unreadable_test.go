// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealUnreadable has a container without a log beside one that is captured
// meanwhile.
func TestRealUnreadable(t *testing.T) {
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	type watched struct {
		*receiver
		strategy dockerlogsreceiver.Strategy
		proxy    *recorder
	}
	var rows []watched
	for _, strategy := range strategies {
		proxy := newRecorder(t, e.Socket())
		r := start(t, proxy.host, func(cfg *dockerlogsreceiver.Config) {
			cfg.Strategy = strategy
			cfg.ShortLived.Lifetime = time.Second
			cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: minInterval, MaxInterval: minInterval}
			cfg.Hybrid.Interval = minInterval
		})
		rows = append(rows, watched{r, strategy, proxy})
	}
	unreadable := runLoggen(t, e, loggen.Options{Source: "unreadable", Rate: 100, UntilSignal: true}, dockerd.ContainerSpec{LogDriver: "none"})
	for _, r := range rows {
		logstest.Eventually(t, "the container is given up", func() bool { return r.metric("captures", "state=unreadable") == 1 })
	}
	// As long as this one takes, the other is left alone.
	o := loggen.Options{Source: "captured", Lines: 400, Rate: 100}
	for _, r := range rows {
		r.expect(o)
	}
	runLoggen(t, e, o, jsonFile)
	for _, r := range rows {
		r.Await(t, "captured", 400)
	}
	for _, r := range rows {
		r.stop()
		r.exact(t)
		assert.Equal(t, 400, r.Count(""), "%s: records", r.strategy)
		assert.EqualValues(t, 1, r.metric("gaps", "reason=unreadable"), "%s: gaps", r.strategy)
		about := r.warnings.FilterMessageSnippet("the log of this container cannot be read")
		if assert.Equal(t, 1, about.Len(), "%s: warnings", r.strategy) {
			warning := about.All()[0].ContextMap()
			assert.Equal(t, "unreadable", warning["container.name"], "%s", r.strategy)
			assert.Equal(t, "none", warning["driver"], "%s", r.strategy)
		}
		assert.LessOrEqual(t, r.proxy.logs(unreadable.ID), 3, "%s: times that the logs were asked for", r.strategy)
	}
}
