// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// Page writes a page of HTML that needs nothing else.
func Page(w io.Writer, lab *losslab.Lab) error {
	type profile struct {
		About string
		Rows  [][]string
	}
	data := struct {
		Lab      *losslab.Lab
		Began    string
		Columns  []string
		Profiles []profile
		Charts   []template.HTML
		Invalid  []*losslab.Cell
		Loads    [][]string
	}{Lab: lab, Began: lab.Began.Format("2 January 2006 15:04 MST"), Columns: columns, Invalid: invalid(lab), Loads: loads(lab)}
	for _, name := range profiles(lab) {
		p := profile{About: about(name, lab)}
		for _, c := range of(lab, name) {
			p.Rows = append(p.Rows, row(lab, c))
		}
		data.Profiles = append(data.Profiles, p)
	}
	for _, c := range Charts(lab) {
		data.Charts = append(data.Charts, template.HTML(strings.TrimSpace(c.SVG))) // our own, every text in it escaped
	}
	return page.Execute(w, data)
}
