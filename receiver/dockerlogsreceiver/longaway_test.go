// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// A container that a changed configuration selects is one that appeared later, where there
// is a storage: it is read from its first line, once.
func TestSelectedAnewWithStorage(t *testing.T) {
	eachStrategy(t, func(tr *trial, _ *memory) {
		tr.cfg.Exclude = []Match{{Name: "out"}}
		out := tr.container("out")
		tr.begin()
		tr.write(out, stdout, 10_000)
		tr.pass(5 * time.Minute)
		assert.Zero(tr.t, tr.sink.Count("out"))
		tr.halt()
		tr.cfg.Exclude = nil
		tr.start()
		tr.complete()
		tr.halt()
		tr.write(out, stdout, 3)
		tr.start()
		tr.conclude()
	})
}

// Without a storage it is one that was there before us.
func TestSelectedAnewWithoutStorage(t *testing.T) {
	for startAt, wanted := range map[StartAt]bool{StartAtEnd: false, StartAtBeginning: true} {
		t.Run(string(startAt), func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				f.cfg.StartAt, f.cfg.Exclude = startAt, []Match{{Name: "out"}}
				out := f.container("out")
				f.start()
				write(out, 1, 10_000)
				f.pass(5 * time.Minute)
				assert.Empty(t, f.sink.Bodies())
				f.halt()
				f.cfg.Exclude = nil
				f.start()
				write(out, 10_001, 10_003)
				if wanted {
					f.expectLines(1, 10_003)
				} else {
					f.expectLines(10_001, 10_003)
				}
			})
		})
	}
}

// The position of a container that does not run is kept for as long as the container: three
// days, in which the collector is restarted twice, once for longer than the position of a
// removed one is kept.
func TestStoppedForDays(t *testing.T) {
	for name, live := range map[string]func(*trial, *enginetest.Container){
		"stopped and started": func(*trial, *enginetest.Container) {},
		"runs for a moment while the collector is away": func(tr *trial, c *enginetest.Container) {
			c.Start()
			tr.write(c, stdout, 5)
			c.Exit(0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachStrategy(t, func(tr *trial, _ *memory) {
				c := tr.begin()
				tr.write(c, stdout, 500)
				c.Stop(0)
				tr.pass(time.Hour)
				for _, away := range []time.Duration{2 * keepRemoved, keepRemoved - 3*time.Hour} {
					tr.halt()
					live(tr, c)
					tr.pass(away)
					tr.start()
					tr.pass(time.Hour)
				}
				tr.complete()
				c.Start()
				tr.conclude()
			})
		})
	}
}
