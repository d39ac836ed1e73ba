// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"fmt"
	"io"
	"testing"
)

func BenchmarkGenerate(b *testing.B) {
	for _, payload := range []Payload{ASCII, UTF8, Binary} {
		b.Run(string(payload), func(b *testing.B) {
			o := Options{Source: "web-1", Payload: payload, StderrShare: 0.2}
			b.SetBytes(int64(o.Sizes.max()))
			b.ReportAllocs()
			var line []byte
			seq := uint64(0)
			for b.Loop() {
				seq++
				line, _ = o.AppendLine(line[:0], seq)
			}
		})
	}
}

func BenchmarkRun(b *testing.B) {
	o := Options{Source: "web-1", Lines: uint64(b.N)}
	b.SetBytes(int64(o.Sizes.max()))
	b.ReportAllocs()
	if _, err := Run(b.Context(), o, io.Discard, io.Discard); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, size := range []int{120, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			o := Options{Source: "web-1", StderrShare: 0.2, Sizes: Sizes{{Min: size}}}
			lines := make([]Line, 1000)
			for i := range lines {
				lines[i] = o.Line(uint64(i + 1))
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var c Checker
			i := 0
			for b.Loop() {
				line := &lines[i%len(lines)]
				c.Add(line.Body, line.Stderr)
				i++
			}
		})
	}
}
