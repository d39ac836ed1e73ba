// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

const root = "../../.."

func readLab(t *testing.T) *losslab.Lab {
	lab, err := losslab.ReadFile(filepath.Join(root, "docs/lab.json"))
	require.NoError(t, err)
	return lab
}

// TestDocsAreFresh: what is in the repository is what its figures make.
func TestDocsAreFresh(t *testing.T) {
	files, err := Docs(readLab(t), root)
	require.NoError(t, err)
	for name, want := range files {
		have, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, have), "%s is stale: run go run ./cmd/losslab report --root .", name)
	}
}

// TestFiguresHold: the document says so in words, which the figures could contradict.
func TestFiguresHold(t *testing.T) {
	lab := readLab(t)
	for _, p := range losslab.Profiles {
		strategies := losslab.Strategies
		if p.Strategies != nil {
			strategies = p.Strategies
		}
		for _, strategy := range measured(lab, strategies) {
			c := lab.Find(strategy, p.Name)
			require.NotNil(t, c, "%s on %s", strategy, p.Name)
			assert.Empty(t, c.Invalid, "%s on %s", strategy, p.Name)
			if !slices.Contains(client.ReceiverStrategies, strategy) {
				continue
			}
			assert.Zero(t, c.Repeated+c.Damaged, "%s on %s", strategy, p.Name)
			assert.Zero(t, c.Goroutines.Left+max(0, c.Goroutines.Leaked), "%s on %s", strategy, p.Name)
			if p.Overrun {
				assert.NotZero(t, c.Lost, "else there is nothing to notice")
				assert.EqualValues(t, c.LostRuns, c.Gaps, "every place where lines are missing is counted, and no other")
			} else {
				assert.Zero(t, c.Lost, "%s on %s", strategy, p.Name)
			}
		}
	}
	growth := func(strategy string) float64 { return lab.Find(strategy, "fleet-long").Goroutines.Growth }
	assert.InDelta(t, 32, growth("naive-abandoning"), 5)
	assert.InDelta(t, 0, growth("naive-short-lived"), 1)
	assert.InDelta(t, 0, growth("short_lived"), 1)
	for _, mistaken := range []string{"naive-poll-1s", "naive-poll-2s", "naive-poll-5s"} {
		assert.NotZero(t, lab.Find(mistaken, "high").Lost, mistaken)
	}
	assert.Greater(t, lab.Find("naive-poll-1s", "high").Lost, lab.Find("naive-poll-5s", "high").Lost, "it is the other way round than estimated")
	assert.NotZero(t, lab.Find("naive-short-lived", "fleet-long").Lost)
	assert.NotZero(t, lab.Find("naive-poll-buffer", "fleet-long").Repeated)
	assert.NotZero(t, lab.Find("naive-streaming", "fleet").Goroutines.Left)
}

// TestDisturbedCells: the document says how many cells others disturbed.
func TestDisturbedCells(t *testing.T) {
	lab := readLab(t)
	for i := range lab.Cells {
		lab.Cells[i].Load = losslab.Load{Window: 20 * time.Second, Lab: 3 * time.Second, Others: 8 * time.Second}
	}
	lab.Cells[0].Load.Others = 12 * time.Second
	files, err := Docs(lab, root)
	require.NoError(t, err)
	assert.Contains(t, string(files[document]), fmt.Sprintf("In 1 of %d cells others used more than half a core", len(lab.Cells)))
}

// TestReadersOfFiles: the document has them once they were measured.
func TestReadersOfFiles(t *testing.T) {
	lab := readLab(t)
	for _, reader := range []string{"file", client.FileLog} {
		lab.Cells = slices.DeleteFunc(lab.Cells, func(c losslab.Cell) bool { return c.Strategy == reader })
	}
	text := func() string {
		files, err := Docs(lab, root)
		require.NoError(t, err)
		return string(files[document])
	}
	without := text()
	assert.Contains(t, without, "receiver's five strategies")
	assert.NotContains(t, without, "`file`")
	for like, reader := range map[string]string{"adaptive": "file", "naive-poll-1s": client.FileLog} {
		for _, c := range slices.Clone(lab.Cells) {
			if c.Strategy == like {
				c.Strategy = reader
				lab.Cells = append(lab.Cells, c)
			}
		}
	}
	with := text()
	assert.Contains(t, with, "receiver's six strategies")
	assert.Contains(t, with, "| `file` |")
	assert.Contains(t, with, "| `file_log` |")
}

// TestInvalidCells: the table names them, and no document is made of them.
func TestInvalidCells(t *testing.T) {
	lab := readLab(t)
	lab.Cells[0].Invalid = "too late"
	_, err := Docs(lab, root)
	assert.ErrorContains(t, err, "too late")
	var table strings.Builder
	require.NoError(t, Table(&table, lab))
	assert.Contains(t, table.String(), "not valid: streaming: too late")
	for _, strategy := range measured(lab, losslab.Strategies) {
		assert.Contains(t, table.String(), strategy)
	}
}

func TestWords(t *testing.T) {
	assert.Equal(t, "0.10 ms", age(100_000))
	assert.Equal(t, "5.3 s", age(5_300_000_000))
}
