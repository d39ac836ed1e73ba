// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// quoted is the length in bytes from which on what a text shares with a record is a quote.
const quoted = 8

// WithoutQuotes returns a text, such as an error of the pipeline, without what it quotes of the
// records of batches, or of their resources' attributes.
func WithoutQuotes(text string, batches []*Batch) string {
	q := quotes{text: text, ends: make(map[uint64][]int), taken: make([]bool, len(text))}
	windows(text, func(window uint64, end int) {
		q.ends[window] = append(q.ends[window], end)
		q.filter[bucket(window)] = true
	})
	var last *Origin
	for _, b := range batches {
		q.find(string(b.text))
		if b.Origin != last {
			last = b.Origin
			last.Resource.Attributes().Range(func(_ string, value pcommon.Value) bool {
				q.find(value.AsString())
				return true
			})
		}
	}
	return q.rest()
}

// quotes finds out which bytes of a text are quoted from somewhere.
type quotes struct {
	text   string
	ends   map[uint64][]int // of the text's windows; one that is quoted is taken out
	filter [1 << 12]bool    // whether a window in that bucket may be one of ends: few of a record's are
	taken  []bool           // by byte of the text
}

// windows calls f with each so many successive bytes of a text as quoted says, and their end.
func windows(text string, f func(window uint64, end int)) {
	window := uint64(0)
	for i := range len(text) {
		window = window<<8 | uint64(text[i])
		if i+1 >= quoted {
			f(window, i+1)
		}
	}
}

func bucket(window uint64) uint64 { return window * 0x9e3779b97f4a7c15 >> 52 }

func (q *quotes) find(content string) {
	windows(content, func(window uint64, _ int) {
		if !q.filter[bucket(window)] {
			return
		}
		for _, end := range q.ends[window] {
			for i := end - quoted; i < end; i++ {
				q.taken[i] = true
			}
		}
		delete(q.ends, window)
	})
}

// rest returns the text with an ellipsis for each quote.
func (q *quotes) rest() string {
	var rest strings.Builder
	for i := range len(q.text) {
		switch {
		case !q.taken[i]:
			rest.WriteByte(q.text[i])
		case i == 0 || !q.taken[i-1]:
			rest.WriteString("…")
		}
	}
	return rest.String()
}
