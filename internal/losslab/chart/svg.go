// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

const (
	font  = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif"
	text  = "#1f2328"
	faint = "#59636e"
	grid  = "#d1d9e0"
	paper = "#ffffff"
)

// drawing collects the elements of a picture.
type drawing struct {
	width, height float64
	b             strings.Builder
}

// svg closes the drawing. The title is for screen readers.
func (d *drawing) svg(title string) string {
	return fmt.Sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %s %s\" width=\"%s\" height=\"%s\" font-family=\"%s\" font-size=\"12\" role=\"img\">\n"+
		"<title>%s</title>\n<rect x=\"0.5\" y=\"0.5\" width=\"%s\" height=\"%s\" rx=\"6\" fill=\"%s\" stroke=\"%s\"/>\n%s</svg>\n",
		num(d.width), num(d.height), num(d.width), num(d.height), font, escape(title), num(d.width-1), num(d.height-1), paper, grid, d.b.String())
}

func (d *drawing) rect(x, y, w, h float64, fill string) {
	fmt.Fprintf(&d.b, "<rect x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" fill=\"%s\"/>\n", num(x), num(y), num(w), num(h), fill)
}

func (d *drawing) line(x1, y1, x2, y2 float64, stroke string) {
	fmt.Fprintf(&d.b, "<line x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" stroke=\"%s\"/>\n", num(x1), num(y1), num(x2), num(y2), stroke)
}

// style of a text.
type style struct {
	anchor string // start, middle or end
	fill   string
	size   float64
	bold   bool
	turned bool // reads upwards
}

func (d *drawing) text(x, y float64, s string, st style) {
	var extra string
	if st.bold {
		extra += " font-weight=\"600\""
	}
	if st.size > 0 {
		extra += fmt.Sprintf(" font-size=\"%s\"", num(st.size))
	}
	if st.turned {
		extra += fmt.Sprintf(" transform=\"rotate(-90 %s %s)\"", num(x), num(y))
	}
	anchor, fill := st.anchor, st.fill
	if anchor == "" {
		anchor = "start"
	}
	if fill == "" {
		fill = text
	}
	fmt.Fprintf(&d.b, "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\" fill=\"%s\"%s>%s</text>\n", num(x), num(y), anchor, fill, extra, escape(s))
}

func (d *drawing) path(points [][2]float64, stroke string, dashed bool) {
	var b strings.Builder
	for i, p := range points {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&b, "%s%s %s", command, num(p[0]), num(p[1]))
	}
	dash := ""
	if dashed {
		dash = " stroke-dasharray=\"5 3\""
	}
	fmt.Fprintf(&d.b, "<path d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"%s/>\n", b.String(), stroke, dash)
}

// num is a coordinate, to a tenth.
func num(x float64) string {
	s := fmt.Sprintf("%.1f", math.Round(x*10)/10)
	return strings.TrimSuffix(s, ".0")
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder returns no error
	return b.String()
}

// scale maps values from 0 to high to a length.
type scale struct {
	high   float64
	length float64
}

func (s scale) at(x float64) float64 {
	if s.high <= 0 {
		return 0
	}
	return s.length * x / s.high
}

// ticks returns up to eight round values.
func (s scale) ticks() (values []float64) {
	step := niceStep(s.high / 8)
	for i := 0.0; i*step <= s.high*1.0001; i++ {
		values = append(values, i*step)
	}
	return values
}

// niceStep returns the least of ..., 1, 2, 5, 10, ... that is not less than x.
func niceStep(x float64) float64 {
	if x <= 0 {
		return 1
	}
	decade := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if m*decade >= x*0.9999 {
			return m * decade
		}
	}
	return 10 * decade
}
