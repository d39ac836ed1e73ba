// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package matrix

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var cells = []Cell{
	{"Docker Engine 1.0", "streaming", "burst", Seen{Written: 1_000_000}},
	{"Docker Engine 1.0", "polling", "burst", Seen{Written: 100}},
	{"Docker Engine 1.0", "polling", "rotation", Seen{Written: 12_345, Lost: 1000, Repeated: 2, Gaps: 1}},
	{"Podman 2.0", "polling", "equal lines", Seen{Written: 400, Gaps: 2}},
	{"Podman 2.0", "polling", "burst", Seen{Written: 7, Repeated: 1, Damaged: 3}},
}

// tables is what cells make.
const tables = `
Made on 2026-01-02, on 2 cores with Linux 6.1.

## Docker Engine 1.0

| Scenario | ` + "`streaming` | `polling`" + ` |
| -------- | --- | --- |
| burst | 1,000,000 | 100 |
| rotation | | 12,345: 1,000 lost, 2 repeated, 1 gap |

## Podman 2.0

| Scenario | ` + "`polling`" + ` |
| -------- | --- |
| burst | 7: 1 repeated, 3 damaged |
| equal lines | 400: 2 gaps |

`

func TestFromTestsToTables(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	for _, c := range cells {
		require.NoError(t, Append(dir, c))
	}
	m, err := Collect(dir)
	require.NoError(t, err)
	assert.Regexp(t, `^\d{4}-\d\d-\d\d$`, m.Date)
	m.Date, m.Cores, m.Kernel = "2026-01-02", 2, "6.1"
	require.Equal(t, cells, m.Cells)

	path := filepath.Join(dir, "m.json")
	require.NoError(t, m.Save(path))
	saved, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, m, saved)

	const before, after = "# Title\n\n" + begin, end + "\nMore.\n"
	text, err := m.insert([]byte(before + "old\n" + after))
	require.NoError(t, err)
	assert.Equal(t, before+tables+after, string(text))
	_, err = m.insert([]byte("# Title\n" + end))
	require.ErrorContains(t, err, "no place")

	require.NoError(t, Append(dir, cells[1]))
	_, err = Collect(dir)
	require.ErrorContains(t, err, "recorded twice")
}

// TestDocumentIsFresh: what is in the repository is what its figures make.
func TestDocumentIsFresh(t *testing.T) {
	const root = "../.."
	m, err := Read(filepath.Join(root, Figures))
	require.NoError(t, err)
	have, err := os.ReadFile(filepath.Join(root, document))
	require.NoError(t, err)
	want, err := m.insert(have)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(have), "it is stale: run go run ./cmd/enginematrix render")
}
