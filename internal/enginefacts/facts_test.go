// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
)

const root = "../.."

// TestEngine measures, on the engine at hand, the facts that take only seconds. Where docs/engine-facts.json has that
// version it must say the same.
func TestEngine(t *testing.T) {
	e := dockerd.Require(t, EngineOptions(""))
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	var quick []Fact
	for _, f := range Facts {
		if !f.Slow {
			quick = append(quick, f)
		}
	}
	measured, err := Measure(t.Context(), e, quick, func(_ Engine, f Fact, figures fmt.Stringer) { t.Logf("%s: %s", f.ID, figures) })
	require.NoError(t, err)
	documented := recorded(t).Find(measured.Version)
	for _, f := range quick {
		if f.Exact && documented != nil {
			assert.JSONEq(t, string(documented.Facts[f.ID].Figures), string(measured.Facts[f.ID].Figures), "%s: measure it anew, see docs/engines.md", f.ID)
		}
	}
	receiverHolds(t, measured)
}

// TestReceiverHolds: what is documented of each engine is what the receiver takes for granted.
func TestReceiverHolds(t *testing.T) {
	for _, e := range recorded(t).Engines {
		t.Run(e.Short(), func(t *testing.T) {
			for _, f := range Facts {
				assert.NotEmpty(t, f.words(t, e), f.ID)
			}
			receiverHolds(t, e)
		})
	}
}

// receiverHolds asserts what the receiver takes for granted of every engine, as far as it was measured.
func receiverHolds(t *testing.T, e Engine) {
	t.Helper()
	tail := read[tailFigures](t, e, "tail")
	assert.Equal(t, 3, tail.ThreeSinceSixth, "tail comes before since")
	assert.Equal(t, 5, tail.NineSinceSixth, "tail comes before since")
	for _, c := range read[chunkFigures](t, e, "chunks") {
		assert.True(t, c.OneStamp, "%s: the chunks of a line have one time stamp", c.Driver)
		assert.Equal(t, 1, c.TailOne, "%s: tail counts chunks", c.Driver)
		for _, size := range c.Sizes[:len(c.Sizes)-1] {
			assert.GreaterOrEqual(t, size, 16<<10, "%s: a smaller chunk is the last of its line", c.Driver)
		}
	}
	for _, tty := range read[ttyFigures](t, e, "tty") {
		for i, at := range tty.Stamps {
			assert.Zero(t, (at-i*tty.Width)%4096, "%s: a time stamp stands behind a multiple of 4,096 bytes of text", tty.Driver)
		}
	}
	for _, form := range read[stampFigures](t, e, "stamps").Drivers {
		assert.Contains(t, []int{len("2026-11-23T09:37:33.123456789Z"), len("2026-11-23T09:37:33.123456789+02:00")}, form.Width, form.Driver)
	}
	assert.Less(t, read[orderFigures](t, e, "order").Furthest.Seconds(), 1.0, "the streams overtake one another by less than a second")
	follows := read[followFigures](t, e, "follows")
	assert.LessOrEqual(t, max(follows.LeftGoroutines, follows.LeftFiles), follows.Opened/50, "a follow that is cancelled leaves nothing")
}

func recorded(t *testing.T) *Results {
	t.Helper()
	r, err := ReadFile(filepath.Join(root, FiguresPath))
	require.NoError(t, err)
	return r
}

func (f Fact) words(t *testing.T, e Engine) string {
	t.Helper()
	figures, err := f.decode(e.Facts[f.ID].Figures)
	require.NoError(t, err, "%s on %s", f.ID, e.Version)
	return figures.String()
}

// read returns the figures of a fact.
func read[T any](t *testing.T, e Engine, id string) T {
	t.Helper()
	facts, err := Find([]string{id})
	require.NoError(t, err)
	figures, err := facts[0].decode(e.Facts[id].Figures)
	require.NoError(t, err, "%s on %s", id, e.Version)
	return figures.(any).(T)
}
