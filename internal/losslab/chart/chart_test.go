// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package chart

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func format(x float64) string { return fmt.Sprint(x) }

func bars() Bars {
	return Bars{
		Title: "Lost <lines> & more", About: "percent", Columns: []string{"low", "high"}, Format: format,
		Rows: []Row{{Name: "polling", Color: "#000", Values: []float64{0, 50}}, {Name: "none", Color: "#000", Values: []float64{math.NaN(), 100}}},
	}
}

func lines() Lines {
	return Lines{
		Title: "Goroutines", X: "time, s", Y: "goroutines", FormatX: format, FormatY: format,
		Series: []Series{{Name: "a", Color: "#000", Points: [][2]float64{{0, 1}, {10, 7}}}, {Name: "b", Color: "#000", Dashed: true}},
	}
}

func TestChartsAreWellFormed(t *testing.T) {
	shared := bars()
	shared.Shared = true
	for _, svg := range []string{bars().SVG(), shared.SVG(), lines().SVG(), Lines{FormatX: format, FormatY: format}.SVG()} {
		assert.NotContains(t, svg, "NaN")
		assert.NotContains(t, svg, "Inf")
		decoder := xml.NewDecoder(strings.NewReader(svg))
		for {
			_, err := decoder.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
		}
	}
	assert.Equal(t, bars().SVG(), bars().SVG())
	assert.Contains(t, bars().SVG(), "Lost &lt;lines&gt; &amp; more")
	assert.Contains(t, bars().SVG(), "–", "what was not measured has no bar")
}

func TestScales(t *testing.T) {
	s := scale{high: 100, length: 200}
	assert.Equal(t, 100.0, s.at(50))
	assert.Equal(t, []float64{0, 20, 40, 60, 80, 100}, s.ticks())
	assert.Zero(t, scale{length: 200}.at(1), "nothing was measured")
}
