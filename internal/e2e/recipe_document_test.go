// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// recipe is a section of docs/recipes.md.
type recipe struct {
	title  string
	config string       // is merged into the configuration at the top of the page
	lines  []recipeLine // what containers have written
	want   []record     // what arrives, in any order
}

// recipeLine is a line as docker compose logs prints it: "shop-web-1 | text". "@edge" behind the container names another
// engine, and " stderr" the other stream.
type recipeLine struct {
	container, engine string
	stderr            bool
	text              string
}

// record is what a recipe shows of a record that has arrived: severity, body and attributes, always all of them, and of the
// resource what is of interest.
type record map[string]any

var (
	fenced     = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	standIns   = strings.NewReplacer("␛", "\x1b", "\uFFFD", "\xe9") // what a page cannot show
	composeLog = regexp.MustCompile(`^([\w.-]+?)(?:@(\w+))?( stderr)? \| (.*)$`)
)

// readRecipes returns the configuration at the top of docs/recipes.md, and its recipes.
func readRecipes(t testing.TB) (base string, recipes []recipe) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "recipes.md"))
	require.NoError(t, err)
	top, rest, _ := strings.Cut(string(text), "\n## ")
	base = blocksOf(t, "the top", top)["yaml"]
	require.NotEmpty(t, base)
	for section := range strings.SplitSeq(rest, "\n## ") {
		title, content, _ := strings.Cut(section, "\n")
		blocks := blocksOf(t, title, content)
		r := recipe{title: title, config: blocks["yaml"]}
		require.NotEmpty(t, r.config, "%s has no configuration", title)
		for line := range strings.Lines(blocks["text"]) {
			r.lines = append(r.lines, parseRecipeLine(t, strings.TrimSuffix(line, "\n")))
		}
		require.NotEmpty(t, r.lines, "%s has no lines", title)
		for line := range strings.Lines(blocks["json"]) {
			var want record
			require.NoError(t, json.Unmarshal([]byte(line), &want), "%s: %s", title, line)
			r.want = append(r.want, want)
		}
		require.NotEmpty(t, r.want, "%s does not say what arrives", title)
		recipes = append(recipes, r)
	}
	return base, recipes
}

// blocksOf returns the fenced blocks of a section by their language, of which each has one. Commands are left out.
func blocksOf(t testing.TB, title, content string) map[string]string {
	t.Helper()
	blocks := make(map[string]string)
	for _, block := range fenced.FindAllStringSubmatch(content, -1) {
		if block[1] == "sh" {
			continue
		}
		require.NotContains(t, blocks, block[1], "%s has it twice", title)
		blocks[block[1]] = block[2]
	}
	return blocks
}

func parseRecipeLine(t testing.TB, line string) recipeLine {
	t.Helper()
	parts := composeLog.FindStringSubmatch(line)
	require.NotNil(t, parts, "%q is not a line of a container", line)
	return recipeLine{container: parts[1], engine: parts[2], stderr: parts[3] != "", text: standIns.Replace(parts[4])}
}

// components returns those of one kind that a recipe configures: "receivers", "processors" or "exporters".
func (r recipe) components(t testing.TB, kind string) map[string]map[string]any {
	t.Helper()
	var config map[string]yaml.Node
	require.NoError(t, yaml.Unmarshal([]byte(r.config), &config), r.title)
	of := make(map[string]map[string]any)
	node := config[kind]
	if !node.IsZero() {
		require.NoError(t, node.Decode(&of), r.title)
	}
	return of
}

// alone reports whether a recipe brings what it uses. Another only puts what those in front of it have in an order.
func (r recipe) alone(t testing.TB) bool {
	t.Helper()
	return len(r.components(t, "receivers"))+len(r.components(t, "processors"))+len(r.components(t, "exporters")) > 0
}

func TestParseRecipeLine(t *testing.T) {
	for line, want := range map[string]recipeLine{
		"shop-web-1 | a | b":          {container: "shop-web-1", text: "a | b"},
		"shop-web-1 stderr | ␛[0mred": {container: "shop-web-1", stderr: true, text: "\x1b[0mred"},
		"shop-web-1 | caf�":           {container: "shop-web-1", text: "caf\xe9"},
		"shop-web-1@edge | ":          {container: "shop-web-1", engine: "edge"},
	} {
		assert.Equal(t, want, parseRecipeLine(t, line))
	}
}
