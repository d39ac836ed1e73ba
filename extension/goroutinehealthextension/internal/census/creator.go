// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"cmp"
	"regexp"
	"runtime"
	"strings"
)

const (
	// traceBytes is the usual size of the trace of a goroutine.
	traceBytes = 2 << 10
	// maxTraceBytes bounds a trace of all goroutines. What does not fit is left out,
	// which does no harm: a function that leaks goroutines runs in many of them.
	maxTraceBytes = 8 << 20
	// maxTraced bounds the goroutines that are traced, so that the world is stopped
	// for a fifth of a second at most.
	maxTraced = 20_000
)

// Creators returns by which function the goroutines that run a function have been
// created. A profile does not say it, so all goroutines are traced, which stops the
// world for some 10 ms per 1,000 of them. It returns nothing if there are too many.
func Creators(goroutines int) map[string]string {
	if goroutines > maxTraced {
		return nil
	}
	buf := make([]byte, min(maxTraceBytes, (goroutines+64)*traceBytes))
	return parseTraces(string(buf[:runtime.Stack(buf, true)]))
}

// parseTraces returns the creator of each goroutine by the first function that it runs,
// launchers aside. The last trace may be cut off.
func parseTraces(traces string) map[string]string {
	creators := make(map[string]string)
	function := ""
	for line := range strings.Lines(traces) {
		creator, isCreator := strings.CutPrefix(line, "created by ")
		switch {
		case line == "\n" || strings.HasPrefix(line, "goroutine "):
			function = ""
		case strings.HasPrefix(line, "\t") || strings.HasPrefix(line, "..."):
		case isCreator:
			creator, _, whole := strings.Cut(creator, " in goroutine ")
			creator = cmp.Or(Enclosing(creator), creator)
			if whole && function != "" && !isLauncher(creator) {
				creators[function] = creator
			}
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
	return creators
}

// closure is what the compiler appends to the name of a function for the functions
// inside it.
var closure = regexp.MustCompile(`(?:\.(?:func\d+|gowrap\d+|deferwrap\d+|\d+)|-range\d+)+$`)

// Enclosing returns the function that a closure is in, which is the one that starts it
// as a goroutine, or an empty string for what is no closure.
func Enclosing(function string) string {
	if outer := closure.ReplaceAllString(function, ""); outer != function {
		return outer
	}
	return ""
}
