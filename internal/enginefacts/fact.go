// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
)

// Fact is something that an engine does, and how it is found out.
type Fact struct {
	ID    string // in the JSON, and as the command takes it
	Name  string
	Means string // for whoever reads logs
	How   string // it is measured
	// Exact facts are about behaviour: the same engine gives the same figures each time. Those of others vary.
	Exact bool
	// Slow facts take more than some seconds.
	Slow bool
	figures
}

// figures is how a fact is measured, and how what was measured is read back.
type figures struct {
	measure func(context.Context, *bench) (fmt.Stringer, error)
	decode  func(json.RawMessage) (fmt.Stringer, error)
}

// of makes figures of a function that measures. String says in Markdown, for a cell of a table, what they are; figures that
// are cased have a cell for each case.
func of[T fmt.Stringer](measure func(context.Context, *bench) (T, error)) figures {
	return figures{
		measure: func(ctx context.Context, b *bench) (fmt.Stringer, error) { return measure(ctx, b) },
		decode: func(text json.RawMessage) (fmt.Stringer, error) {
			var t T
			err := json.Unmarshal(text, &t)
			return t, err
		},
	}
}

// Find returns the facts of these IDs; all if there are none.
func Find(ids []string) ([]Fact, error) {
	if len(ids) == 0 {
		return Facts, nil
	}
	var found []Fact
	for _, id := range ids {
		n := len(found)
		for _, f := range Facts {
			if f.ID == id {
				found = append(found, f)
			}
		}
		if len(found) == n {
			return nil, fmt.Errorf("there is no fact %q", id)
		}
	}
	return found, nil
}

// cased figures are several: what an engine does in each of some cases.
type cased interface{ cases() []inCase }

type inCase struct{ name, words string }

// series are figures of one kind, for each of some cases.
type series[T interface {
	name() string
	words() string
}] []T

func (f series[T]) String() string { return listed(f) }

func (f series[T]) cases() (list []inCase) {
	for _, one := range f {
		list = append(list, inCase{one.name(), one.words()})
	}
	return list
}

// listed says cased figures in lines.
func listed(f cased) string {
	var b strings.Builder
	for _, c := range f.cases() {
		fmt.Fprintf(&b, "\n\t%s: %s", c.name, c.words)
	}
	return b.String()
}
