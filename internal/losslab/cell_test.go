// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// TestLateGeneratorIsInvalid: what was measured while the containers could not keep their rate
// is no measurement.
func TestLateGeneratorIsInvalid(t *testing.T) {
	for lag, valid := range map[time.Duration]bool{0: true, maxLag: true, maxLag + 1: false} {
		c := Cell{Generator: Generator{MaxLag: lag}}
		assert.Equal(t, valid, c.fault(Profile{}) == "", "%v: %q", lag, c.fault(Profile{}))
		assert.Empty(t, c.fault(Profile{Overrun: true}))
	}
	c := Cell{Result: client.Result{Error: "stuck"}}
	assert.Contains(t, c.fault(Profile{Overrun: true}), "stuck")
}

func TestDisturbed(t *testing.T) {
	calm := Cell{Load: Load{Window: 2 * time.Second, Others: time.Second}}
	busy := calm
	busy.Load.Others++
	assert.False(t, calm.Disturbed())
	assert.True(t, busy.Disturbed())
	assert.False(t, new(Cell).Disturbed(), "not measured")
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
		assert.Equal(t, strings.HasPrefix(p.Name, "fleet"), silent > 0, p.Name)
	}
	high := Profiles[2]
	least, most := high.options("cell", 0, 4, 1, length), high.options("cell", 3, 4, 1, length)
	assert.EqualValues(t, 100*20+2*5000, least.Lines)
	assert.EqualValues(t, 1000*20+2*5000, most.Lines)
}

// TestGroups: what is measured together is one group, and a profile may be for some readers.
func TestGroups(t *testing.T) {
	profiles, err := FindProfiles([]string{"low", "fleet-long", "overrun"})
	require.NoError(t, err)
	o := Options{Profiles: profiles, Strategies: []string{"streaming", "polling", "none"}}
	var got []string
	for _, g := range o.groups() {
		got = append(got, g.profile.Name+": "+strings.Join(g.strategies, " "))
	}
	assert.Equal(t, []string{"low: streaming", "low: polling", "low: none", "fleet-long: streaming polling", "overrun: polling"}, got)
	_, err = FindProfiles([]string{"low", "idle"})
	assert.ErrorContains(t, err, `profiles: "idle"`)
}

func TestSaveAndRead(t *testing.T) {
	lab := &Lab{
		Began: time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC),
		Options: Settings{
			Duration: time.Second, Receiver: map[string]any{"batch": map[string]any{"flush_timeout": "0s"}},
		},
		Cells: []Cell{{
			Strategy: "polling", Profile: "low", Written: 7, Load: Load{Window: time.Second, Others: 5},
			Result: client.Result{Lost: 2, Latency: []client.Quantile{{Share: 0.5, Age: time.Second}, {Share: 1, Age: time.Minute}}},
		}},
	}
	path := filepath.Join(t.TempDir(), "lab.json")
	require.NoError(t, lab.Save(path))
	read, err := ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, lab, read)
	c := read.Find("polling", "low")
	require.NotNil(t, c)
	assert.Equal(t, time.Second, c.Age(0.5))
	assert.Equal(t, time.Minute, c.Age(0.99))
	assert.Nil(t, read.Find("polling", "high"))
}
