// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package selector decides which containers are captured, and with which strategy.
package selector

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// Labels by which a container decides for itself.
const (
	LabelEnabled  = "io.opentelemetry.docker_logs.enabled"
	LabelStrategy = "io.opentelemetry.docker_logs.strategy"
)

// Match selects containers. A container matches if each of the fields that are set
// does. A pattern is a literal, a glob with * ? [] {}, or a /regular expression/;
// a ! in front negates it.
type Match struct {
	// Name is a pattern for the container's name.
	Name string `mapstructure:"name"`
	// Image is a pattern for the image as the container was created with, tag
	// included.
	Image string `mapstructure:"image"`
	// Labels are patterns for the values of labels.
	Labels map[string]string `mapstructure:"labels"`

	_ struct{}
}

// Override gives the containers that it matches a strategy.
type Override struct {
	Match    Match         `mapstructure:"match"`
	Strategy strategy.Name `mapstructure:"strategy"`

	_ struct{}
}

// Selector is a compiled selection.
type Selector struct {
	include, exclude []matcher
	overrides        []override
	strategy         strategy.Name
}

type override struct {
	match    matcher
	strategy strategy.Name
}

// New compiles a selection. byDefault is the strategy of the containers that no override
// matches. The error names the keys of the configuration that are wrong.
func New(include, exclude []Match, overrides []Override, byDefault strategy.Name) (Selector, error) {
	in, errInclude := newMatchers("include", include)
	out, errExclude := newMatchers("exclude", exclude)
	s := Selector{include: in, exclude: out, strategy: byDefault}
	errs := []error{errInclude, errExclude}
	for i, entry := range overrides {
		match, err := newMatcher(entry.Match)
		if err != nil {
			errs = append(errs, fmt.Errorf("overrides[%d]: match: %w", i, err))
		}
		s.overrides = append(s.overrides, override{match, entry.Strategy})
	}
	return s, errors.Join(errs...)
}

// StrategyFor returns a container's strategy: by its label, else by the first override that
// matches, else the default. The error is that of a label that names no strategy; the
// strategy is then that of the configuration.
func (s Selector) StrategyFor(c engine.Summary) (strategy.Name, error) {
	chosen := s.strategy
	for _, o := range s.overrides {
		if o.match.matches(c) {
			chosen = o.strategy
			break
		}
	}
	label, ok := c.Labels[LabelStrategy]
	if !ok {
		return chosen, nil
	}
	if !strategy.Name(label).Valid() {
		return chosen, fmt.Errorf("label %s: %q is not %s", LabelStrategy, label, strategy.Names)
	}
	return strategy.Name(label), nil
}

// Selects reports whether to capture a container. Its own label wins over the
// configuration; one that is neither true nor false is ignored.
func (s Selector) Selects(c engine.Summary) bool {
	if enabled, err := strconv.ParseBool(c.Labels[LabelEnabled]); err == nil {
		return enabled
	}
	return (len(s.include) == 0 || matchAny(s.include, c)) && !matchAny(s.exclude, c)
}

// matcher is one entry: all its conditions must hold.
type matcher []func(engine.Summary) bool

func matchAny(matchers []matcher, c engine.Summary) bool {
	for _, m := range matchers {
		if m.matches(c) {
			return true
		}
	}
	return false
}

func (m matcher) matches(c engine.Summary) bool {
	for _, holds := range m {
		if !holds(c) {
			return false
		}
	}
	return true
}

// newMatchers compiles a list of entries; key is its place in the configuration.
func newMatchers(key string, list []Match) ([]matcher, error) {
	matchers := make([]matcher, len(list))
	var errs []error
	for i, entry := range list {
		m, err := newMatcher(entry)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", key, i, err))
		}
		matchers[i] = m
	}
	return matchers, errors.Join(errs...)
}

func newMatcher(entry Match) (matcher, error) {
	var m matcher
	var errs []error
	add := func(field, text string, value func(engine.Summary) (string, bool)) {
		matches, err := newPattern(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", field, err))
			return
		}
		m = append(m, func(c engine.Summary) bool { return matches(value(c)) })
	}
	if entry.Name != "" {
		add("name", entry.Name, func(c engine.Summary) (string, bool) { return c.Name, true })
	}
	if entry.Image != "" {
		add("image", entry.Image, func(c engine.Summary) (string, bool) { return c.Image, true })
	}
	for label, text := range entry.Labels {
		add("labels: "+label, text, func(c engine.Summary) (string, bool) {
			value, ok := c.Labels[label]
			return value, ok
		})
	}
	if len(m)+len(errs) == 0 {
		errs = append(errs, errors.New("is empty; it needs name, image or labels"))
	}
	return m, errors.Join(errs...)
}

// newPattern compiles a literal, a glob or a /regular expression/, each perhaps
// behind a !. What is absent matches only a negated pattern.
func newPattern(text string) (func(value string, present bool) bool, error) {
	positive, negated := strings.CutPrefix(text, "!")
	match, err := newPositivePattern(positive)
	if err != nil {
		return nil, err
	}
	return func(value string, present bool) bool { return (present && match(value)) != negated }, nil
}

func newPositivePattern(text string) (func(string) bool, error) {
	if len(text) > 1 && text[0] == '/' && text[len(text)-1] == '/' {
		re, err := regexp.Compile(text[1 : len(text)-1])
		if err != nil {
			return nil, fmt.Errorf("%s is not a regular expression: %w", text, err)
		}
		return re.MatchString, nil
	}
	if strings.ContainsAny(text, `*?[{\`) {
		glob, err := compileGlob(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a glob: %w", text, err)
		}
		return glob.MatchString, nil
	}
	return func(value string) bool { return value == text }, nil
}
