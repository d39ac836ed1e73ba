// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package chart

import "strings"

// Lines is a chart of lines.
type Lines struct {
	Title   string
	About   string
	X, Y    string // the axes, with their units
	FormatX func(float64) string
	FormatY func(float64) string
	Series  []Series
}

// Series is a line.
type Series struct {
	Name   string
	Color  string
	Dashed bool
	Points [][2]float64
}

// SVG draws it.
func (l Lines) SVG() string {
	const left, top, bottom, legend = 78.0, 64.0, 48.0, 200.0
	d := &drawing{width: 960, height: 400}
	width, height := d.width-left-legend-margin, d.height-top-bottom
	x, y := l.scales()
	x.length, y.length = width, height
	d.text(margin, 26, l.Title, style{bold: true, size: 15})
	d.text(margin, 45, l.About, style{fill: faint})
	for _, tick := range y.ticks() {
		at := top + height - y.at(tick)
		d.line(left, at, left+width, at, grid)
		d.text(left-6, at+4, l.FormatY(tick), style{anchor: "end", fill: faint, size: 11})
	}
	for _, tick := range x.ticks() {
		at := left + x.at(tick)
		d.line(at, top+height, at, top+height+4, grid)
		d.text(at, top+height+17, l.FormatX(tick), style{anchor: "middle", fill: faint, size: 11})
	}
	d.text(left+width/2, d.height-10, l.X, style{anchor: "middle", fill: faint})
	d.text(18, top+height/2, l.Y, style{anchor: "middle", fill: faint, turned: true})
	for i, s := range l.Series {
		var points [][2]float64
		for _, p := range s.Points {
			points = append(points, [2]float64{left + x.at(p[0]), top + height - y.at(p[1])})
		}
		if len(points) > 0 {
			d.path(points, s.Color, s.Dashed)
		}
		at := top + 10 + 20*float64(i)
		d.path([][2]float64{{left + width + 16, at}, {left + width + 40, at}}, s.Color, s.Dashed)
		d.text(left+width+46, at+4, s.Name, style{})
	}
	return d.svg(strings.TrimSuffix(l.Title+", "+l.About, ", "))
}

func (l Lines) scales() (x, y scale) {
	for _, s := range l.Series {
		for _, p := range s.Points {
			x.high = max(x.high, p[0])
			y.high = max(y.high, p[1])
		}
	}
	step := niceStep(y.high / 5)
	for top := 0.0; ; top += step {
		if top >= y.high {
			y.high = max(top, step)
			return x, y
		}
	}
}
