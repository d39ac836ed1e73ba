// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"bufio"
	"bytes"
	"cmp"
	"regexp"
	"runtime"
	"strings"
)

const (
	// traceBytes is what the trace of a goroutine takes, roughly.
	traceBytes = 2 << 10
	// maxTrace bounds the traces that are read, in bytes. What does not fit is not
	// looked at, which is no harm: what leaks is there many times.
	maxTrace = 8 << 20
	// maxTraced is how many goroutines are traced at most: not to stop the world for
	// longer than a fifth of a second.
	maxTraced = 20_000
	// maxCreators bounds the creators that are remembered.
	maxCreators = 1000
)

// closure is what the compiler appends to the name of a function for the functions
// inside it.
var closure = regexp.MustCompile(`(?:\.(?:func\d+|gowrap\d+|deferwrap\d+|\d+)|-range\d+)+$`)

// Creators knows by which function the goroutines that run a function have been
// created. One goroutine at a time may use it.
type Creators struct {
	known map[string]string
	trace func([]byte) int // tests
}

// NewCreators returns Creators that knows nothing yet.
func NewCreators() *Creators {
	return &Creators{known: make(map[string]string), trace: func(buf []byte) int { return runtime.Stack(buf, true) }}
}

// Of returns the function that created the goroutines that run function, or an empty
// string. A closure is named after the function that it is in, and a profile says no
// more; but for other functions all goroutines have to be traced, which stops the
// world for some 10 ms per 1,000 of them. So that is done once for a function.
func (c *Creators) Of(function string, goroutines int) string {
	if outer := Outer(function); outer != "" {
		return outer
	}
	if creator, ok := c.known[function]; ok {
		return creator
	}
	if goroutines > maxTraced {
		return ""
	}
	if len(c.known) >= maxCreators {
		clear(c.known)
	}
	c.look(goroutines)
	creator := c.known[function] // remembered, also if it is not found
	c.known[function] = creator
	return creator
}

func (c *Creators) look(goroutines int) {
	buf := make([]byte, min(maxTrace, (goroutines+64)*traceBytes))
	parseTraces(buf[:c.trace(buf)], func(function, creator string) {
		if len(c.known) < maxCreators {
			c.known[function] = creator
		}
	})
}

// parseTraces calls f with the first function and the creator of each goroutine. The
// last trace may be cut off.
func parseTraces(traces []byte, f func(function, creator string)) {
	scanner := bufio.NewScanner(bytes.NewReader(traces))
	scanner.Buffer(nil, 1<<20)
	function := ""
	for scanner.Scan() {
		line := scanner.Text()
		switch {
		case line == "" || strings.HasPrefix(line, "goroutine "):
			function = ""
		case strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "..."):
		case strings.HasPrefix(line, "created by "):
			creator, _, whole := strings.Cut(strings.TrimPrefix(line, "created by "), " in goroutine ")
			creator = cmp.Or(Outer(creator), creator)
			if whole && function != "" && !isLauncher(creator) {
				f(function, creator)
			}
			function = ""
		default:
			name := line
			if i := strings.LastIndexByte(line, '('); i > 0 {
				name = line[:i]
			}
			if !isLauncher(name) {
				function = name
			}
		}
	}
}

// Outer returns the function that a closure is in, or an empty string for what is none.
func Outer(function string) string {
	if outer := closure.ReplaceAllString(function, ""); outer != function {
		return outer
	}
	return ""
}
