// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

const root = "../../.."

func measured(t *testing.T) *losslab.Lab {
	lab, err := losslab.Load(filepath.Join(root, "docs/lab.json"))
	require.NoError(t, err)
	return lab
}

// TestDocsAreFresh: what is in the repository is what its figures make.
func TestDocsAreFresh(t *testing.T) {
	files, err := Docs(measured(t), root)
	require.NoError(t, err)
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, have), "%s is stale: run go run ./cmd/losslab report --root .", name)
	}
	drawn, err := os.ReadDir(filepath.Join(root, images))
	require.NoError(t, err)
	for _, file := range drawn {
		assert.Contains(t, files, images+"/"+file.Name(), "it is in no document")
	}
}

// TestFiguresHold: the document says so in words, which the figures could contradict.
func TestFiguresHold(t *testing.T) {
	lab := measured(t)
	assert.Empty(t, invalid(lab))
	assert.Equal(t, losslab.ProfileNames(), profiles(lab))
	for _, profile := range profiles(lab) {
		for _, strategy := range losslab.Strategies {
			c := lab.Find(strategy, profile)
			require.NotNil(t, c, "%s on %s", strategy, profile)
			if slices.Contains(client.Ours, strategy) {
				assert.Zero(t, c.Lost+c.Repeated+c.Damaged, "%s on %s", strategy, profile)
				assert.Zero(t, c.Goroutines.Left+max(0, c.Goroutines.Leaked), "%s on %s", strategy, profile)
			}
		}
	}
	claims := lab.Claims
	require.NotNil(t, claims)
	assert.Zero(t, claims.Interrupt.Left)
	assert.Zero(t, claims.Buffer.Late+claims.Buffer.Stalled)
	for _, c := range claims.Overrun {
		assert.NotZero(t, c.Lost, "else there is nothing to notice")
		assert.EqualValues(t, c.LostRuns, c.Gaps, "every place where lines are missing is counted, and no other")
	}
	f := &figures{lab: lab}
	growth := func(strategy string) float64 {
		c, err := f.where(strategy, "claim")
		require.NoError(t, err)
		return c.Goroutines.Growth
	}
	assert.InDelta(t, 32, growth("careless-abandoning"), 5)
	assert.InDelta(t, 0, growth("careless-short-lived"), 1)
	assert.InDelta(t, 0, growth("short_lived"), 1)
}

func TestPageAndTable(t *testing.T) {
	lab := measured(t)
	var page, table bytes.Buffer
	require.NoError(t, Page(&page, lab))
	require.NoError(t, Table(&table, lab))
	for _, strategy := range losslab.Strategies {
		assert.Contains(t, page.String(), strategy)
		assert.Contains(t, table.String(), strategy)
	}
	assert.Contains(t, page.String(), "<svg ")
	lab.Cells[0].Invalid = "too <late>"
	page.Reset()
	require.NoError(t, Page(&page, lab))
	assert.Contains(t, page.String(), "too &lt;late&gt;")
}

func TestWords(t *testing.T) {
	assert.Equal(t, "1,234,567", count(1234567))
	assert.Equal(t, "0 %", percent(0))
	assert.Equal(t, "0.004 %", percent(0.00004))
	assert.Equal(t, "7.3 %", percent(0.0732))
	assert.Equal(t, "0.10 ms", age(100_000))
	assert.Equal(t, "5.3 s", age(5_300_000_000))
}
