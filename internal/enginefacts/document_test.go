// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumentIsFresh: what is in the repository is what its figures make.
func TestDocumentIsFresh(t *testing.T) {
	want, err := Document(recorded(t))
	require.NoError(t, err)
	have, err := os.ReadFile(filepath.Join(root, DocumentPath))
	require.NoError(t, err)
	assert.Equal(t, string(want), string(have), "it is stale: run make generate")
}

// measured makes figures of every fact, those of an engine where since includes, or does not.
func measured(t *testing.T, version string, inclusive bool) Engine {
	t.Helper()
	e := Engine{Version: version, Facts: make(map[string]Figures)}
	empty := map[string]string{"rotation": "[]", "chunks": "[]", "tty": "[]", "damage": "[]"}
	for _, f := range Facts {
		text := empty[f.ID]
		if text == "" {
			text = "{}"
		}
		e.Facts[f.ID] = Figures{At: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Figures: json.RawMessage(text)}
	}
	text, err := json.Marshal(sinceFigures{Inclusive: inclusive, Nanoseconds: true})
	require.NoError(t, err)
	e.Facts["since"] = Figures{At: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC), Figures: text}
	return e
}

// TestDocument: engines that do the same share a row, the oldest first.
func TestDocument(t *testing.T) {
	var r Results
	r.Add(measured(t, "28.5.2+dfsg2", true))
	r.Add(measured(t, "26.1.5+dfsg1", false))
	r.Add(measured(t, "20.10.24+dfsg1", true))
	text, err := Document(&r)
	require.NoError(t, err)
	assert.Contains(t, string(text), "| 20.10.24, 28.5.2 | nanoseconds; the record at that instant is the first to come |\n"+
		"| 26.1.5 | nanoseconds; leaves the record at that instant out |\n")
	assert.Contains(t, string(text), "| 28.5.2+dfsg2 |  | 2026-11-24 to 2026-11-25 |")

	for i, sizes := range []string{"[16384]", "[16384]", "[8192]"} {
		r.Engines[i].Facts["chunks"] = Figures{Figures: json.RawMessage(`[{"driver":"local","sizes":` + sizes + `,"one_stamp":true,"ended":[true]}]`)}
	}
	text, err = Document(&r)
	require.NoError(t, err)
	const one, other = "16,384 bytes; one time stamp; the line end in the last", "8,192 bytes; one time stamp; the line end in the last"
	assert.Regexp(t, `\| What it does \| 20.10.24 \| 26.1.5 \| 28.5.2 \|\n\|( --- \|){4}\n\| local \| `+one+`[^|]*\| `+one+`[^|]*\| `+other, string(text))

	r.Engines[1].Facts["chunks"] = Figures{Figures: json.RawMessage(`[{"driver":"journald"}]`)}
	_, err = Document(&r)
	assert.ErrorContains(t, err, "measure it anew")

	delete(r.Engines[1].Facts, "tail")
	_, err = Document(&r)
	assert.ErrorContains(t, err, "tail was not measured on 26.1.5")
}

// TestAdd: what is measured anew replaces what was, and the rest stays. A file has it all.
func TestAdd(t *testing.T) {
	var r Results
	r.Add(measured(t, "26.1.5", true))
	part := measured(t, "26.1.5", false)
	part.Facts = map[string]Figures{"since": part.Facts["since"]}
	r.Add(part)
	require.Len(t, r.Engines, 1)
	assert.Len(t, r.Engines[0].Facts, len(Facts))
	assert.False(t, read[sinceFigures](t, r.Engines[0], "since").Inclusive)

	path := filepath.Join(t.TempDir(), "facts.json")
	require.NoError(t, r.Save(path))
	again, err := ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, &r, again)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, len(Facts)+3, strings.Count(string(text), "\n"), "a line for each fact, for the engine, and for the end")

	none, err := ReadFile(filepath.Join(t.TempDir(), "none.json"))
	require.NoError(t, err)
	assert.Empty(t, none.Engines)
}

func TestFind(t *testing.T) {
	some, err := Find([]string{"tail", "since"})
	require.NoError(t, err)
	require.Len(t, some, 2)
	assert.Equal(t, "tail", some[0].ID)
	all, err := Find(nil)
	require.NoError(t, err)
	assert.Len(t, all, len(Facts))
	_, err = Find([]string{"until"})
	assert.Error(t, err)
}
