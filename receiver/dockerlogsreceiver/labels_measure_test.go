// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"go.opentelemetry.io/collector/consumer/consumertest"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// TestMeasureLabels: what 1,000 containers take that have 30 labels each, without and with
// these as attributes. What the engine of the test keeps of the requests is in both figures.
//
//	DOCKERLOGS_MEASURE=1 go test -run TestMeasureLabels -v ./receiver/dockerlogsreceiver
func TestMeasureLabels(t *testing.T) {
	if os.Getenv("DOCKERLOGS_MEASURE") != "1" {
		t.Skip("proves nothing: set DOCKERLOGS_MEASURE=1")
	}
	const containers, labels = 1000, 30
	for _, wanted := range []map[string]string{nil, {"com.acme.*": ""}} {
		t.Run(fmt.Sprint(wanted), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.renew(consumertest.NewNop())
				f.cfg.StartAt, f.cfg.Strategy, f.cfg.ContainerLabels = StartAtBeginning, StrategyPolling, wanted
				for range containers {
					of := make(map[string]string)
					for i := range labels {
						of[fmt.Sprintf("com.acme.label-%02d", i)] = fmt.Sprintf("the value of label %02d", i)
					}
					write(f.engine.Add(enginetest.ContainerSpec{Running: true, Labels: of}), 1, 1)
				}
				memory := func() uint64 {
					runtime.GC()
					runtime.GC()
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					return m.HeapAlloc
				}
				before := memory()
				f.start()
				f.eventually("a line of each", func() bool { return f.metric("records") == containers })
				f.pass(time.Second)
				t.Logf("%.1f KiB a container", float64(memory()-before)/containers/1024)
			})
		})
	}
}
