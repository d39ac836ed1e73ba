// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package selector

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

func TestPattern(t *testing.T) {
	for name, test := range map[string]struct {
		pattern string
		matches []string
		not     []string
		absent  bool // what is not there at all matches
	}{
		"literal":                 {pattern: "web", matches: []string{"web"}, not: []string{"", "web-1", "my-web", "Web"}},
		"literal with a dot":      {pattern: "a.b", matches: []string{"a.b"}, not: []string{"axb"}},
		"literal with a bracket":  {pattern: "a]b", matches: []string{"a]b"}},
		"slash alone":             {pattern: "/", matches: []string{"/"}, not: []string{"", "web"}},
		"slash in front":          {pattern: "/web", matches: []string{"/web"}, not: []string{"web"}},
		"empty":                   {pattern: "", matches: []string{""}, not: []string{"web"}},
		"glob, any":               {pattern: "*", matches: []string{"", "web", "a/b:c"}},
		"glob, start":             {pattern: "web-*", matches: []string{"web-", "web-1", "web-a/b.c:d"}, not: []string{"web", "my-web-1"}},
		"glob, one character":     {pattern: "web-?", matches: []string{"web-1"}, not: []string{"web-", "web-10"}},
		"glob, class":             {pattern: "web-[0-3]", matches: []string{"web-1"}, not: []string{"web-4"}},
		"glob, negated class":     {pattern: "web-[!0-3]", matches: []string{"web-4"}, not: []string{"web-1"}},
		"glob, alternatives":      {pattern: "{web,db}-*", matches: []string{"web-1", "db-1"}, not: []string{"cache-1"}},
		"glob, escaped":           {pattern: `web\*`, matches: []string{"web*"}, not: []string{"web1", `web\*`}},
		"glob, image":             {pattern: "ghcr.io/acme/*", matches: []string{"ghcr.io/acme/web:1.2", "ghcr.io/acme/team/web@sha256:0"}, not: []string{"ghcr.io/acme", "docker.io/acme/web"}},
		"regular expression":      {pattern: "/we+b/", matches: []string{"web", "my-weeb-1"}, not: []string{"wb"}},
		"anchored":                {pattern: "/^web-[0-9]+$/", matches: []string{"web-10"}, not: []string{"web-", "my-web-1"}},
		"with a slash inside":     {pattern: "/^acme/web$/", matches: []string{"acme/web"}},
		"without case":            {pattern: "/(?i)^web$/", matches: []string{"WEB"}},
		"empty expression":        {pattern: "//", matches: []string{"", "web"}},
		"not a literal":           {pattern: "!web", matches: []string{"", "db"}, not: []string{"web"}, absent: true},
		"not a glob":              {pattern: "!web-*", matches: []string{"web"}, not: []string{"web-1"}, absent: true},
		"not an expression":       {pattern: "!/web/", matches: []string{"db"}, not: []string{"my-web"}, absent: true},
		"not there":               {pattern: "!*", not: []string{"", "web"}, absent: true},
		"not empty":               {pattern: "!", matches: []string{"web"}, not: []string{""}, absent: true},
		"only the first ! counts": {pattern: "!!web", matches: []string{"web"}, not: []string{"!web"}, absent: true},
	} {
		t.Run(name, func(t *testing.T) {
			match, err := newPattern(test.pattern)
			require.NoError(t, err)
			for _, value := range test.matches {
				assert.True(t, match(value, true), "%q", value)
			}
			for _, value := range test.not {
				assert.False(t, match(value, true), "%q", value)
			}
			assert.Equal(t, test.absent, match("", false))
		})
	}
}

func TestSelector(t *testing.T) {
	labelled := func(labels ...string) map[string]string {
		m := make(map[string]string)
		for i := 0; i < len(labels); i += 2 {
			m[labels[i]] = labels[i+1]
		}
		return m
	}
	front := engine.Summary{Name: "web-1", Image: "ghcr.io/acme/web:1.2", Labels: labelled("tier", "front", "team", "a")}
	back := engine.Summary{Name: "db-1", Image: "postgres:17", Labels: labelled("tier", "back")}
	plain := engine.Summary{Name: "busybox", Image: "busybox"}
	all := []engine.Summary{front, back, plain}
	for name, test := range map[string]struct {
		include, exclude []Match
		want             []engine.Summary
	}{
		"nothing set":          {want: all},
		"name":                 {include: []Match{{Name: "web-*"}}, want: []engine.Summary{front}},
		"image":                {include: []Match{{Image: "postgres:*"}}, want: []engine.Summary{back}},
		"image, tag included":  {include: []Match{{Image: "postgres"}}, want: nil},
		"label":                {include: []Match{{Labels: labelled("tier", "front")}}, want: []engine.Summary{front}},
		"label with any value": {include: []Match{{Labels: labelled("tier", "*")}}, want: []engine.Summary{front, back}},
		"label absent":         {include: []Match{{Labels: labelled("tier", "!*")}}, want: []engine.Summary{plain}},
		"label not of a value": {include: []Match{{Labels: labelled("tier", "!front")}}, want: []engine.Summary{back, plain}},
		"two labels":           {include: []Match{{Labels: labelled("tier", "front", "team", "b")}}, want: nil},
		"fields and":           {include: []Match{{Name: "web-*", Image: "postgres:*"}}, want: nil},
		"fields and, all hold": {include: []Match{{Name: "web-*", Image: "ghcr.io/*", Labels: labelled("team", "a")}}, want: []engine.Summary{front}},
		"entries or":           {include: []Match{{Name: "web-*"}, {Image: "postgres:*"}}, want: []engine.Summary{front, back}},
		"negated entries or":   {include: []Match{{Name: "!web-*"}, {Name: "!db-*"}}, want: all},
		"negated and":          {include: []Match{{Name: "!web-*", Image: "!postgres:*"}}, want: []engine.Summary{plain}},
		"exclude":              {exclude: []Match{{Name: "web-*"}, {Name: "busybox"}}, want: []engine.Summary{back}},
		"exclude all others":   {exclude: []Match{{Name: "!web-*"}}, want: []engine.Summary{front}},
		"exclude wins":         {include: []Match{{Labels: labelled("tier", "*")}}, exclude: []Match{{Name: "db-*"}}, want: []engine.Summary{front}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(test.include, test.exclude, nil, "")
			require.NoError(t, err)
			var got []engine.Summary
			for _, c := range all {
				if s.Selects(c) {
					got = append(got, c)
				}
			}
			assert.Equal(t, test.want, got)
		})
	}
}

// TestSelectorOwnLabel holds that a container's own word wins, and that one which is
// neither yes nor no is not heard.
func TestSelectorOwnLabel(t *testing.T) {
	included, err := New([]Match{{Name: "web"}}, nil, nil, "")
	require.NoError(t, err)
	excluded, err := New(nil, []Match{{Name: "web"}}, nil, "")
	require.NoError(t, err)
	for value, want := range map[string]struct{ included, excluded bool }{
		"true":  {true, true},
		"True":  {true, true},
		"1":     {true, true},
		"false": {false, false},
		"FALSE": {false, false},
		"0":     {false, false},
		"":      {true, false},
		"yes":   {true, false},
		"off":   {true, false},
		" true": {true, false},
	} {
		c := engine.Summary{Name: "web", Labels: map[string]string{"io.opentelemetry.docker_logs.enabled": value}}
		assert.Equal(t, want.included, included.Selects(c), "included, %q", value)
		assert.Equal(t, want.excluded, excluded.Selects(c), "excluded, %q", value)
	}
}

// TestSelectorErrors holds that every mistake is told, with its place.
func TestSelectorErrors(t *testing.T) {
	_, err := New(
		[]Match{{Name: "web"}, {Name: "/(/", Image: "[a"}, {}},
		[]Match{{Labels: map[string]string{"tier": "![a"}}},
		[]Override{
			{Match: Match{Name: "{web"}, Strategy: strategy.Polling},
			{Strategy: strategy.Polling},
		}, "")
	require.Error(t, err)
	for _, want := range []string{
		"include[1]: name: /(/ is not a regular expression",
		`image: "[a" is not a glob`,
		"include[2]: is empty; it needs name, image or labels",
		`exclude[0]: labels: tier: "[a" is not a glob`,
		`overrides[0]: match: name: "{web" is not a glob: a { is not closed`,
		"overrides[1]: match: is empty; it needs name, image or labels",
	} {
		assert.ErrorContains(t, err, want)
	}
}

// TestSelectorStrategy holds which strategy a container gets: that of the first
// override that matches, else the configured one, and its own label wins over both.
func TestSelectorStrategy(t *testing.T) {
	s, err := New(nil, nil, []Override{
		{Match: Match{Name: "kafka-*"}, Strategy: strategy.Streaming},
		{Match: Match{Name: "kafka-2", Labels: map[string]string{"tier": "back"}}, Strategy: strategy.Hybrid},
		{Match: Match{Labels: map[string]string{"tier": "back"}}, Strategy: strategy.Polling},
	}, strategy.ShortLived)
	require.NoError(t, err)
	const label = "io.opentelemetry.docker_logs.strategy"
	for name, test := range map[string]struct {
		container engine.Summary
		want      strategy.Name
		err       string
	}{
		"configured":         {container: engine.Summary{Name: "web"}, want: strategy.ShortLived},
		"override":           {container: engine.Summary{Name: "kafka-1"}, want: strategy.Streaming},
		"later override":     {container: engine.Summary{Name: "db", Labels: map[string]string{"tier": "back"}}, want: strategy.Polling},
		"first that matches": {container: engine.Summary{Name: "kafka-2", Labels: map[string]string{"tier": "back"}}, want: strategy.Streaming},
		"label":              {container: engine.Summary{Name: "web", Labels: map[string]string{label: "adaptive"}}, want: strategy.Adaptive},
		"label and override": {container: engine.Summary{Name: "kafka-1", Labels: map[string]string{label: "hybrid"}}, want: strategy.Hybrid},
		"wrong label": {
			container: engine.Summary{Name: "web", Labels: map[string]string{label: "Polling"}}, want: strategy.ShortLived,
			err: `label io.opentelemetry.docker_logs.strategy: "Polling" is not streaming, short_lived, polling, hybrid, adaptive or file`,
		},
		"empty label": {
			container: engine.Summary{Name: "web", Labels: map[string]string{label: ""}}, want: strategy.ShortLived,
			err: `label io.opentelemetry.docker_logs.strategy: "" is not streaming, short_lived, polling, hybrid, adaptive or file`,
		},
		"wrong label and override": {
			container: engine.Summary{Name: "kafka-1", Labels: map[string]string{label: "tail"}}, want: strategy.Streaming,
			err: `label io.opentelemetry.docker_logs.strategy: "tail" is not streaming, short_lived, polling, hybrid, adaptive or file`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.StrategyFor(test.container)
			assert.Equal(t, test.want, got)
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, test.err)
			}
		})
	}
}
