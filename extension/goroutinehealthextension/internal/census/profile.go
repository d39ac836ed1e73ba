// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"strings"

	"github.com/google/pprof/profile"
)

// sample is goroutines that have the same stack and the same labels.
type sample struct {
	n         int
	functions []string // the goroutine's innermost one first
	component, kind,
	containerID, containerName,
	role string
}

// eachSample calls f with the samples of a goroutine profile. f must not keep them.
func eachSample(compressed []byte, f func(*sample)) error {
	p, err := profile.ParseData(compressed)
	if err != nil {
		return err
	}
	names := make(map[*profile.Function]string, len(p.Function))
	for _, function := range p.Function {
		names[function] = shorten(function.Name)
	}
	var s sample
	for _, from := range p.Sample {
		s = sample{
			n: int(from.Value[0]), functions: s.functions[:0],
			component: label(from, LabelComponent), kind: label(from, LabelKind),
			containerID: label(from, LabelContainerID), containerName: label(from, LabelContainerName),
			role: label(from, LabelRole),
		}
		for _, location := range from.Location {
			for _, line := range location.Line {
				s.functions = append(s.functions, names[line.Function])
			}
		}
		f(&s)
	}
	return nil
}

func label(s *profile.Sample, key string) string {
	if values := s.Label[key]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// shorten leaves out the type arguments of a function, as traces do.
func shorten(function string) string {
	open := strings.IndexByte(function, '[')
	end := strings.LastIndexByte(function, ']')
	if open < 0 || end < open {
		return function
	}
	return function[:open] + "[...]" + function[end+1:]
}
