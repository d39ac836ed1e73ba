// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// TestLateGeneratorIsInvalid: what was measured while the containers could not keep their rate is no measurement.
func TestLateGeneratorIsInvalid(t *testing.T) {
	for lag, valid := range map[time.Duration]bool{0: true, maxLag: true, maxLag + 1: false} {
		c := Cell{Generator: Generator{MaxLag: lag}}
		c.take(&client.Result{}, map[string]uint64{"a": 1, "b": 2})
		assert.Equal(t, valid, c.Invalid == "", "%v: %q", lag, c.Invalid)
		assert.EqualValues(t, 3, c.Written)
	}
	var c Cell
	c.take(&client.Result{Error: "stuck"}, nil)
	assert.Contains(t, c.Invalid, "stuck")
}

func TestKeepsWhatNeedsNoRepeat(t *testing.T) {
	calm := Cell{Strategy: "polling", Profile: "low", Elapsed: time.Second, CPU: CPU{Others: time.Second / 2}}
	busy, wrong := calm, calm
	busy.CPU.Others++
	wrong.Invalid = "late"
	for _, c := range []struct {
		cell Cell
		kept bool
	}{{calm, true}, {busy, false}, {wrong, false}} {
		l := &laboratory{Options: Options{Keep: &Lab{Cells: []Cell{c.cell}}}}
		assert.Equal(t, c.kept, l.keep([]string{"polling"}, Profiles[0]) != nil)
		assert.Nil(t, l.keep([]string{"hybrid"}, Profiles[0]))
	}
}

func TestGrowth(t *testing.T) {
	var steady, leaking, requests course
	for second := range 120 {
		at := time.Duration(second) * time.Second
		poll := float64(second % 5 * 20)
		steady.add(at, 50+poll)
		leaking.add(at, 50+poll+float64(second/30*15))
		requests.add(at, float64(second/5*50))
	}
	assert.Zero(t, steady.growth(floor), "who polls comes and goes")
	assert.Equal(t, 30.0, leaking.growth(floor))
	assert.Equal(t, 600.0, requests.growth(median))
	assert.Zero(t, new(course).growth(floor))
}

func TestProfiles(t *testing.T) {
	const length = 20 * time.Second
	for _, p := range Profiles {
		n := max(p.Containers, 1)
		if p.Containers == 0 {
			n = 20
		}
		silent := 0
		for i := range n {
			o := p.options("cell", i, n, 1, length)
			require.NoError(t, o.Validate(), p.Name)
			if o.Lines == 1 {
				silent++
			}
		}
		assert.Equal(t, p.Name == "fleet", silent > 0, p.Name)
	}
	high := Profiles[2]
	least, most := high.options("cell", 0, 4, 1, length), high.options("cell", 3, 4, 1, length)
	assert.EqualValues(t, 100*20+2*5000, least.Lines)
	assert.EqualValues(t, 1000*20+2*5000, most.Lines)
}

func TestSaveAndLoad(t *testing.T) {
	lab := &Lab{
		Began: time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC), Options: Settings{Duration: time.Second},
		Cells:  []Cell{{Strategy: "polling", Profile: "low", Written: 7, Latency: []Quantile{{Share: 0.5, Age: time.Second}, {Share: 1, Age: time.Minute}}}},
		Claims: &Claims{Overrun: []Cell{{Strategy: "hybrid", Gaps: 4}}},
	}
	path := filepath.Join(t.TempDir(), "lab.json")
	require.NoError(t, lab.Save(path))
	loaded, err := Load(path)
	require.NoError(t, err)
	assert.Equal(t, lab, loaded)
	c := loaded.Find("polling", "low")
	require.NotNil(t, c)
	assert.Equal(t, time.Second, c.Age(0.5))
	assert.Equal(t, time.Minute, c.Age(0.99))
	assert.Nil(t, loaded.Find("polling", "high"))
}
