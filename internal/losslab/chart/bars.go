// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package chart

import "math"

// Bars is a table of bars: a row for each strategy, a column for each profile. Each column has
// its own scale, from 0, unless it is shared.
type Bars struct {
	Title   string
	About   string // the unit, and what else the reader has to know
	Columns []string
	Rows    []Row
	Shared  bool
	Format  func(float64) string
}

// Row is a row of bars.
type Row struct {
	Name   string
	Color  string
	Values []float64 // NaN: not measured
}

const (
	rowHeight  = 20.0
	nameWidth  = 160.0
	labelWidth = 62.0
	gap        = 14.0
	margin     = 16.0
	headHeight = 74.0
)

// SVG draws it.
func (b Bars) SVG() string {
	n := float64(len(b.Columns))
	d := &drawing{width: 960, height: headHeight + rowHeight*float64(len(b.Rows)) + margin}
	columnWidth := (d.width - 2*margin - nameWidth - gap*(n-1)) / n
	d.text(margin, 26, b.Title, style{bold: true, size: 15})
	d.text(margin, 45, b.About, style{fill: faint})
	for i, column := range b.Columns {
		x := margin + nameWidth + float64(i)*(columnWidth+gap)
		d.text(x, headHeight-8, column, style{bold: true})
		s := b.scale(i)
		s.length = columnWidth - labelWidth
		for j, row := range b.Rows {
			y := headHeight + rowHeight*float64(j)
			value := row.Values[i]
			if math.IsNaN(value) {
				d.text(x+4, y+14, "–", style{fill: faint})
				continue
			}
			length := s.at(value)
			if value > 0 {
				length = max(length, 1.5)
			}
			d.rect(x, y+4, length, rowHeight-8, row.Color)
			d.text(x+length+4, y+14, b.Format(value), style{size: 11})
		}
		d.line(x, headHeight, x, d.height-margin, grid)
	}
	for j, row := range b.Rows {
		y := headHeight + rowHeight*float64(j)
		d.text(margin+nameWidth-8, y+14, row.Name, style{anchor: "end"})
	}
	return d.svg(b.Title + ", " + b.About)
}

func (b Bars) scale(column int) (s scale) {
	for _, row := range b.Rows {
		for i, value := range row.Values {
			if (i == column || b.Shared) && value > s.high { // NaN is not
				s.high = value
			}
		}
	}
	return s
}
