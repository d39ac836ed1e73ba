// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// TestLogThatEndsAtOnce has a running container whose log is answered with 200 and ends at
// once, for an hour. After each such end a capture waits, up to 30 s and more or less by a
// half, and then asks for the log three times at most: for what is new, whether that is
// all, and to follow. A poll that finds nothing is nothing unusual.
func TestLogThatEndsAtOnce(t *testing.T) {
	const hour = int(time.Hour / time.Second)
	for name, faults := range map[string]func(*enginetest.Container){
		"nothing in it":   func(c *enginetest.Container) { c.Raw([]byte{}) },
		"what is known":   func(c *enginetest.Container) { c.SetFaults(enginetest.Faults{CutAfter: 600, CutCleanly: true}) },
		"half of a frame": func(c *enginetest.Container) { c.Raw([]byte{1, 0, 0, 0, 0, 0, 0, 90, '2'}) },
	} {
		for _, strategy := range allStrategies {
			t.Run(fmt.Sprintf("%s/%s", name, strategy), func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					f.cfg.Strategy = strategy
					c := f.container("web")
					f.start()
					write(c, 1, 20)
					f.pass(time.Minute)
					faults(c)
					c.CutFollows()
					logs := f.requests(enginetest.KindLogs)
					f.pass(time.Hour)
					most := 3 * (hour/30 + 50)
					polls := strategy == StrategyPolling || strategy == StrategyHybrid
					if polls && name == "nothing in it" {
						most = hour/int(f.cfg.Hybrid.Interval/time.Second) + 50
					} else {
						assert.Greater(t, f.metric("reopens"), int64(hour/60), "it is told")
					}
					assert.LessOrEqual(t, f.requests(enginetest.KindLogs)-logs, most, "requests for the log")
					assert.EqualValues(t, 1, f.metric("captures", "state=waiting"))
					c.Raw(nil)
					c.SetFaults(enginetest.Faults{})
					write(c, 21, 30)
					f.expectLines(1, 30)
					assert.Zero(t, f.metric("gaps"))
				})
			})
		}
	}
}
