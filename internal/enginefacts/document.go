// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

//go:embed engines.md.tmpl
var documentText string

// Where the figures and the document are in this repository.
const (
	FiguresPath  = "docs/engine-facts.json"
	DocumentPath = "docs/engines.md"
)

// Document makes docs/engines.md. A fact that was not measured of an engine is an error.
func Document(r *Results) ([]byte, error) {
	t, err := template.New("").Funcs(template.FuncMap{"rows": r.rows}).Parse(documentText)
	if err != nil {
		return nil, fmt.Errorf("parse the template: %w", err)
	}
	var b bytes.Buffer
	err = t.Execute(&b, struct {
		*Results
		AllFacts []Fact
	}{r, Facts})
	return b.Bytes(), err
}

// row is what some engines do, in words.
type row struct{ Engines, Words string }

// rows returns what each engine does; those that do the same share a row.
func (r *Results) rows(f Fact) (rows []row, err error) {
	for _, e := range r.Engines {
		figures, measured := e.Facts[f.ID]
		if !measured {
			return nil, fmt.Errorf("%s was not measured on %s", f.ID, e.Version)
		}
		words, err := f.decode(figures.Figures)
		if err != nil {
			return nil, fmt.Errorf("read %s of %s: %w", f.ID, e.Version, err)
		}
		same := slices.IndexFunc(rows, func(r row) bool { return r.Words == words.String() })
		if same < 0 {
			rows = append(rows, row{e.Short(), words.String()})
		} else {
			rows[same].Engines += ", " + e.Short()
		}
	}
	return rows, nil
}

// Short is the version without what a distribution has added to it.
func (e Engine) Short() string {
	version, _, _ := strings.Cut(e.Version, "+")
	return version
}

// Days are those on which the facts were measured.
func (e Engine) Days() string {
	first, last := "", ""
	for _, figures := range e.Facts {
		day := figures.At.Format("2006-01-02")
		if first == "" || day < first {
			first = day
		}
		last = max(last, day)
	}
	if first == last {
		return first
	}
	return first + " to " + last
}
