// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package multiline

import (
	"bytes"
	"regexp"
)

// state is where in an entry a stream is. none is outside of any.
type state uint64

const none state = 0

// Grammar says which lines belong together. It is safe for concurrent use.
type Grammar interface {
	// next reports whether a line goes on with the entry whose lines have led to the state,
	// and returns the state behind the line: none where no other line can go on with it.
	next(at state, line []byte) (joins bool, next state)
}

// lineStart is a Grammar in which an entry begins with a line that matches.
type lineStart struct{ *regexp.Regexp }

func (g lineStart) next(at state, line []byte) (bool, state) {
	return at != none && !g.Match(line), 1
}

// lineEnd is a Grammar in which an entry ends with a line that matches.
type lineEnd struct{ *regexp.Regexp }

func (g lineEnd) next(at state, line []byte) (bool, state) {
	if g.Match(line) {
		return at != none, none
	}
	return at != none, 1
}

// rule leads from any state of from to the state to with a line that matches. An entry begins
// with a rule from none.
type rule struct {
	from    state
	to      state
	has     [][]byte // the line has one of them, where there are any: a quick way to know that it does not match
	pattern *regexp.Regexp
}

func (r *rule) matches(line []byte) bool {
	if len(r.has) == 0 {
		return r.pattern.Match(line)
	}
	for _, text := range r.has {
		if bytes.Contains(line, text) {
			return r.pattern.Match(line)
		}
	}
	return false
}

// rules is a Grammar. A state of it has a bit for each of several that are possible.
type rules []rule

func (g *rules) next(at state, line []byte) (joins bool, next state) {
	if at != none {
		if next = g.follow(at, line); next != none {
			return true, next
		}
	}
	for i := range *g {
		if r := &(*g)[i]; r.from == none && r.matches(line) {
			next |= r.to
		}
	}
	return false, next
}

func (g *rules) follow(at state, line []byte) (next state) {
	for i := range *g {
		if r := &(*g)[i]; r.from&at != 0 && r.to&^next != 0 && r.matches(line) {
			next |= r.to
		}
	}
	return next
}
