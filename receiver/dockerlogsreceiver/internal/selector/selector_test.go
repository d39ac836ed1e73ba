// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package selector

import (
	"errors"
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
			s, err := New(test.include, test.exclude, nil, Choice{})
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
	included, err := New([]Match{{Name: "web"}}, nil, nil, Choice{})
	require.NoError(t, err)
	excluded, err := New(nil, []Match{{Name: "web"}}, nil, Choice{})
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
			{Match: Match{Name: "web"}},
			{Match: Match{Name: "web"}, RateLimit: &RateLimit{RecordsPerSecond: -1, Burst: -1}},
		}, Choice{})
	require.Error(t, err)
	for _, want := range []string{
		"include[1]: name: /(/ is not a regular expression",
		`image: "[a" is not a glob`,
		"include[2]: is empty; it needs name, image or labels",
		`exclude[0]: labels: tier: "[a" is not a glob`,
		`overrides[0]: match: name: "{web" is not a glob: a { is not closed`,
		"overrides[1]: match: is empty; it needs name, image or labels",
		"overrides[2]: sets nothing; give it a strategy, a rate_limit or multiline",
		"overrides[3]: rate_limit: records_per_second: must be 0, for no limit, or from 0.001 to 1000000000, is -1",
		"overrides[3]: rate_limit: burst: must not be negative, is -1",
	} {
		assert.ErrorContains(t, err, want)
	}
}

// TestDecide holds which entry, or label, is told to leave a container out.
func TestDecide(t *testing.T) {
	s, err := New([]Match{{Name: "web-*"}, {Name: "db-*"}}, []Match{{Name: "none"}, {Name: "*-1"}, {Name: "web-*"}}, nil, Choice{})
	require.NoError(t, err)
	for name, want := range map[string]Decision{
		"db-2":    {Captured: true},
		"db-1":    {Key: "exclude", Entry: 1},
		"web-1":   {Key: "exclude", Entry: 1}, // the first that matches
		"web-2":   {Key: "exclude", Entry: 2},
		"cache-2": {Key: "include"},
		"cache-1": {Key: "exclude", Entry: 1}, // which no entry of include could change
	} {
		assert.Equal(t, want, s.Decide(engine.Summary{Name: name}), name)
		for value, own := range map[string]Decision{"false": {Key: LabelEnabled}, "true": {Captured: true}, "yes": want} {
			assert.Equal(t, own, s.Decide(engine.Summary{Name: name, Labels: map[string]string{LabelEnabled: value}}), name)
		}
	}
}

// TestSelectorStrategy holds which strategy a container gets: that of the first
// override that matches, else the configured one, and its own label wins over both.
func TestSelectorStrategy(t *testing.T) {
	s, err := New(nil, nil, []Override{
		{Match: Match{Name: "kafka-*"}, Strategy: strategy.Streaming},
		{Match: Match{Name: "kafka-2", Labels: map[string]string{"tier": "back"}}, Strategy: strategy.Hybrid},
		{Match: Match{Labels: map[string]string{"tier": "back"}}, Strategy: strategy.Polling},
		{Match: Match{Name: "limited"}, RateLimit: &RateLimit{RecordsPerSecond: 1}},
	}, Choice{Strategy: strategy.ShortLived})
	require.NoError(t, err)
	const label = "io.opentelemetry.docker_logs.strategy"
	for name, test := range map[string]struct {
		container engine.Summary
		want      strategy.Name
		from      string
		err       string
	}{
		"configured":         {container: engine.Summary{Name: "web"}, want: strategy.ShortLived, from: "default"},
		"override":           {container: engine.Summary{Name: "kafka-1"}, want: strategy.Streaming, from: "overrides[0]"},
		"override of other":  {container: engine.Summary{Name: "limited"}, want: strategy.ShortLived, from: "default"},
		"later override":     {container: engine.Summary{Name: "db", Labels: map[string]string{"tier": "back"}}, want: strategy.Polling, from: "overrides[2]"},
		"first that matches": {container: engine.Summary{Name: "kafka-2", Labels: map[string]string{"tier": "back"}}, want: strategy.Streaming, from: "overrides[0]"},
		"label":              {container: engine.Summary{Name: "web", Labels: map[string]string{label: "adaptive"}}, want: strategy.Adaptive, from: "label"},
		"label and override": {container: engine.Summary{Name: "kafka-1", Labels: map[string]string{label: "hybrid"}}, want: strategy.Hybrid, from: "label"},
		"wrong label": {
			container: engine.Summary{Name: "web", Labels: map[string]string{label: "Polling"}}, want: strategy.ShortLived, from: "default",
			err: `label io.opentelemetry.docker_logs.strategy: "Polling" is not streaming, short_lived, polling, hybrid, adaptive or file`,
		},
		"empty label": {
			container: engine.Summary{Name: "web", Labels: map[string]string{label: ""}}, want: strategy.ShortLived, from: "default",
			err: `label io.opentelemetry.docker_logs.strategy: "" is not streaming, short_lived, polling, hybrid, adaptive or file`,
		},
		"wrong label and override": {
			container: engine.Summary{Name: "kafka-1", Labels: map[string]string{label: "tail"}}, want: strategy.Streaming, from: "overrides[0]",
			err: `label io.opentelemetry.docker_logs.strategy: "tail" is not streaming, short_lived, polling, hybrid, adaptive or file`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := s.For(test.container)
			assert.Equal(t, test.want, got.Strategy)
			assert.Equal(t, test.from, got.From)
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, test.err)
			}
		})
	}
}

// TestSelectorRateLimit holds that a limit is chosen as a strategy is, each on its own; a label
// says how many records a second, and leaves the rest as it is configured.
func TestSelectorRateLimit(t *testing.T) {
	byDefault := RateLimit{RecordsPerSecond: 100, Burst: 7, OnExcess: OnExcessDrop}
	s, err := New(nil, nil, []Override{
		{Match: Match{Name: "kafka-*"}, Strategy: strategy.Streaming},
		{Match: Match{Name: "web-*"}, Strategy: strategy.Hybrid, RateLimit: &RateLimit{RecordsPerSecond: 5}},
		{Match: Match{Name: "free"}, RateLimit: &RateLimit{}},
	}, Choice{Strategy: strategy.ShortLived, RateLimit: byDefault})
	require.NoError(t, err)
	const label = "io.opentelemetry.docker_logs.rate_limit"
	for name, test := range map[string]struct {
		name, label string
		want        Choice
		err         string
	}{
		"configured":           {name: "db", want: Choice{Strategy: strategy.ShortLived, From: "default", RateLimit: byDefault}},
		"override of strategy": {name: "kafka-1", want: Choice{Strategy: strategy.Streaming, From: "overrides[0]", RateLimit: byDefault}},
		"override of both":     {name: "web-1", want: Choice{Strategy: strategy.Hybrid, From: "overrides[1]", RateLimit: RateLimit{RecordsPerSecond: 5}}},
		"override of none":     {name: "free", want: Choice{Strategy: strategy.ShortLived, From: "default", RateLimit: RateLimit{}}},
		"label":                {name: "db", label: "0.5", want: Choice{Strategy: strategy.ShortLived, From: "default", RateLimit: RateLimit{RecordsPerSecond: 0.5, Burst: 7, OnExcess: OnExcessDrop}}},
		"label of none":        {name: "web-1", label: "0", want: Choice{Strategy: strategy.Hybrid, From: "overrides[1]", RateLimit: RateLimit{}}},
		"not a number": {
			name: "web-1", label: "fast", want: Choice{Strategy: strategy.Hybrid, From: "overrides[1]", RateLimit: RateLimit{RecordsPerSecond: 5}},
			err: `label io.opentelemetry.docker_logs.rate_limit: "fast" is not a number of records per second; 0 is no limit`,
		},
		"negative": {name: "db", label: "-1", want: Choice{Strategy: strategy.ShortLived, From: "default", RateLimit: byDefault}, err: `"-1" is not a number`},
		"infinite": {name: "db", label: "Inf", want: Choice{Strategy: strategy.ShortLived, From: "default", RateLimit: byDefault}, err: `"Inf" is not a number`},
		"NaN":      {name: "db", label: "NaN", want: Choice{Strategy: strategy.ShortLived, From: "default", RateLimit: byDefault}, err: `"NaN" is not a number`},
	} {
		t.Run(name, func(t *testing.T) {
			c := engine.Summary{Name: test.name, Labels: map[string]string{}}
			if test.label != "" {
				c.Labels[label] = test.label
			}
			got, err := s.For(c)
			assert.Equal(t, test.want, got)
			if test.err == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, test.err)
			}
		})
	}
	// Of two labels that are wrong both are told.
	_, err = s.For(engine.Summary{Labels: map[string]string{label: "", "io.opentelemetry.docker_logs.strategy": "tail"}})
	assert.ErrorContains(t, err, "docker_logs.strategy: ")
	assert.ErrorContains(t, err, "docker_logs.rate_limit: ")
}

func TestRateLimit(t *testing.T) {
	for _, ok := range []RateLimit{{}, {RecordsPerSecond: 0.001, Burst: 1}, {RecordsPerSecond: 1e9, OnExcess: OnExcessDelay}, {OnExcess: OnExcessDrop}} {
		assert.Empty(t, ok.Check())
	}
	assert.EqualError(t, errors.Join(RateLimit{RecordsPerSecond: -1, Burst: -2, OnExcess: "block"}.Check()...),
		"records_per_second: must be 0, for no limit, or from 0.001 to 1000000000, is -1\n"+
			"burst: must not be negative, is -2; 0 is the records of a second\n"+
			`on_excess: "block" is neither delay nor drop`)
	assert.Equal(t, 1, RateLimit{RecordsPerSecond: 0.2}.Bucket())
	assert.Equal(t, 100, RateLimit{RecordsPerSecond: 100}.Bucket())
	assert.Equal(t, 3, RateLimit{RecordsPerSecond: 100, Burst: 3}.Bucket())
}
