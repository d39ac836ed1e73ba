// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
)

//go:embed loss-analysis.md.tmpl
var documentText string

//go:embed readme.md.tmpl
var summaryText string

const (
	document = "docs/loss-analysis.md"
	images   = "docs/img"
	readme   = "README.md"
	// The README's summary stands between these.
	begin = "<!-- made by losslab report -->\n"
	end   = "<!-- end of what losslab report made -->\n"
)

// WriteDocs writes the document, the pictures that it or the README shows, and the README's
// summary, below root.
func WriteDocs(lab *losslab.Lab, root string) error {
	files, err := Docs(lab, root)
	if err != nil {
		return err
	}
	var errs []error
	for name, text := range files {
		path := filepath.Join(root, name)
		errs = append(errs, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, text, 0o644))
	}
	return errors.Join(errs...)
}

// Docs returns what WriteDocs writes, by path.
func Docs(lab *losslab.Lab, root string) (map[string][]byte, error) {
	text, err := os.ReadFile(filepath.Join(root, readme))
	if err != nil {
		return nil, fmt.Errorf("read the README: %w", err)
	}
	files := make(map[string][]byte)
	f := figures{lab}
	if files[document], err = f.fill(documentText); err != nil {
		return nil, err
	}
	summary, err := f.fill(summaryText)
	if err != nil {
		return nil, err
	}
	before, rest, found := bytes.Cut(text, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, fmt.Errorf("%s has no place for the summary between %q and %q", readme, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	files[readme] = bytes.Join([][]byte{before, []byte(begin), summary, []byte(end), after}, nil)
	drawn := charts(lab)
	for _, match := range image.FindAllSubmatch(append(files[document], summary...), -1) {
		svg, ok := drawn[string(match[1])]
		if !ok {
			return nil, fmt.Errorf("the figures for the picture %s were not measured", match[1])
		}
		files[images+"/"+string(match[1])] = []byte(svg)
	}
	return files, nil
}

var image = regexp.MustCompile(`img/([a-z0-9-]+\.svg)`)

// fill executes a template. A figure that was not measured is an error.
func (f figures) fill(text string) ([]byte, error) {
	t, err := template.New("").Option("missingkey=error").Funcs(f.functions()).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse a template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, f.lab); err != nil {
		return nil, fmt.Errorf("fill in the figures: %w", err)
	}
	return b.Bytes(), nil
}
