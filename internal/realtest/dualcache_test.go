// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
)

// TestRealDualLogging has containers whose drivers send lines to where nobody listens: what
// arrives is from the log that the engine keeps beside them.
func TestRealDualLogging(t *testing.T) {
	drivers := []dockerd.ContainerSpec{
		{Name: "fluentd", LogDriver: "fluentd", LogOpts: map[string]string{"fluentd-address": "127.0.0.1:1", "fluentd-async": "true"}},
		{Name: "syslog", LogDriver: "syslog", LogOpts: map[string]string{"syslog-address": "udp://127.0.0.1:1"}},
	}
	e := logstest.Engine(t)
	for _, strategy := range strategies {
		t.Run(string(strategy), func(t *testing.T) {
			r := start(t, e.Host(), usingFor(strategy))
			var all []*dockerd.Container
			for _, driver := range drivers {
				// Else the engine drops what does not fit into a ring of 1 MB.
				opts := map[string]string{"mode": "blocking"}
				maps.Copy(opts, driver.LogOpts)
				o := loggen.Options{
					Source: driver.Name + "-" + string(strategy), Lines: 3_000, Rate: 1_000, StderrShare: 0.3,
					Payload: loggen.Binary, PartialEvery: 100,
				}
				if driver.Name == "fluentd" {
					require.NoError(t, o.Sizes.Set("120:95,20000:4,70000:1"))
					r.expect(o)
				}
				all = append(all, runLoggen(t, e, o, dockerd.ContainerSpec{LogDriver: driver.LogDriver, LogOpts: opts}))
			}
			r.drained(t, all...)
			r.stop()
			fluentd, syslog := all[0], all[1]
			tallies := r.lines.Tallies()
			assert.NoError(t, tallies[fluentd.Name].Err(), fluentd.Name)
			// What the network refuses to the driver is not in the engine's log either: it has holes.
			held := readHeld(t, e, syslog).Tallies()[syslog.Name]
			assert.Equal(t, held, tallies[syslog.Name], syslog.Name)
			t.Logf("%s: the engine holds %d of 3000 lines", syslog.Name, held.Seen)
			assert.Zero(t, r.SameUID(), "records that share a log.record.uid")
			assert.Zero(t, r.metric("gaps"))
		})
	}
}
