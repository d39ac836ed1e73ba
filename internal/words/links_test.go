// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package words

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const root = "../.."

var (
	fence   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	code    = regexp.MustCompile("`[^`\n]+`")
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	label   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
)

// TestLinks: what documents link to is in the repository, and each picture of docs/img is in a document.
func TestLinks(t *testing.T) {
	shown := make(map[string]bool)
	for _, document := range documents(t) {
		text := fence.ReplaceAllString(read(t, document), "")
		for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(text, "``"), -1) {
			if strings.Contains(match[1], ":") { // elsewhere
				continue
			}
			name, anchor, _ := strings.Cut(match[1], "#")
			target := document
			if name != "" {
				target = filepath.Join(filepath.Dir(document), name)
			}
			shown[target] = true
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", document, match[1], err)
			} else if anchor != "" {
				assert.Contains(t, anchors(read(t, target)), anchor, "%s links to %s", document, match[1])
			}
		}
	}
	pictures, err := filepath.Glob(filepath.Join(root, "docs", "img", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, pictures)
	for _, picture := range pictures {
		assert.True(t, shown[picture], "no document shows %s", picture)
	}
}

// documents are the paths of all Markdown files, without what is built.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := strings.HasPrefix(entry.Name(), ".") && entry.Name() != ".." && entry.Name() != ".github"
		if entry.IsDir() && (hidden || entry.Name() == "dist") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
		return nil
	}))
	require.Contains(t, paths, filepath.Join(root, "README.md"))
	return paths
}

// anchors are those that GitHub gives to headings; of two that are the same, the second has a -1.
func anchors(text string) (names []string) {
	count := make(map[string]int)
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		name := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 0x7f && r != '…':
				return r
			}
			return -1
		}, strings.ToLower(label.ReplaceAllString(match[1], "$1")))
		n := count[name]
		count[name]++
		if n > 0 {
			name += "-" + Count(uint64(n))
		}
		names = append(names, name)
	}
	return names
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestAnchors(t *testing.T) {
	text := "# A [link](x.md#y) and `code`\n```sh\n# no heading\n```\n## Gaps\n## Gaps\n### 8 KB, for each"
	assert.Equal(t, []string{"a-link-and-code", "gaps", "gaps-1", "8-kb-for-each"}, anchors(text))
}
