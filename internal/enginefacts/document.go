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
	"unicode/utf8"
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
	t, err := template.New("").Funcs(template.FuncMap{"table": r.table, "wrap": wrap}).Parse(documentText)
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

// table says what each engine does. Engines that do the same share a row; figures that are cased have a row for each
// case, and engines a column.
func (r *Results) table(f Fact) (string, error) {
	head := "What it does"
	if !f.Exact {
		head += " (varies)"
	}
	table, versions := [][]string{{"Engine", head}}, []string{head}
	var cases [][]string
	for i, e := range r.Engines {
		figures, measured := e.Facts[f.ID]
		if !measured {
			return "", fmt.Errorf("%s was not measured on %s", f.ID, e.Version)
		}
		read, err := f.decode(figures.Figures)
		if err != nil {
			return "", fmt.Errorf("read %s of %s: %w", f.ID, e.Version, err)
		}
		versions = append(versions, e.Short())
		if several, ok := read.(cased); ok {
			for n, c := range several.cases() {
				if i == 0 {
					cases = append(cases, []string{c.name})
				} else if n >= len(cases) || cases[n][0] != c.name {
					return "", fmt.Errorf("%s: %s was measured in other cases than %s, measure it anew", f.ID, e.Version, r.Engines[0].Version)
				}
				cases[n] = append(cases[n], c.words)
			}
			continue
		}
		same := slices.IndexFunc(table, func(row []string) bool { return row[1] == read.String() })
		if same < 0 {
			table = append(table, []string{e.Short(), read.String()})
		} else {
			table[same][0] += ", " + e.Short()
		}
	}
	if cases != nil {
		table = append([][]string{versions}, cases...)
	}
	return markdown(table), nil
}

// markdown writes a table whose first row is its head.
func markdown(table [][]string) string {
	var b strings.Builder
	for i, row := range table {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|%s\n", strings.Repeat(" --- |", len(row)))
		}
	}
	return b.String()
}

// columns is where text is wrapped in documents.
const columns = 130

// wrap breaks a text into lines.
func wrap(text string) string {
	var b strings.Builder
	width := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case width+1+n > columns:
			b.WriteByte('\n')
			width = 0
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += n
	}
	return b.String()
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
