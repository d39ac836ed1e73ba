// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command tracer writes stack traces of 1 to 80 lines, two at a time, one to stdout and one
// to stderr, line by line in turns. Its argument is how many.
package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"time"
)

func main() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	random := rand.New(rand.NewPCG(uint64(n), 0))
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for i := 0; i < n; i += 2 {
		<-tick.C
		outLines, errLines := 1+random.IntN(80), 1+random.IntN(80)
		for line := range max(outLines, errLines) {
			write(os.Stdout, i, line, outLines)
			write(os.Stderr, i+1, line, errLines)
		}
	}
}

// write writes a line of a trace, which has that many.
func write(to *os.File, trace, line, lines int) {
	switch {
	case line >= lines:
	case line == 0:
		fmt.Fprintf(to, "com.acme.shop.Failure: number %d has %d lines\n", trace, lines)
	default:
		fmt.Fprintf(to, "\tat com.acme.shop.Class%d.method(Class%d.java:%d)\n", line, line, trace)
	}
}
