// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// Labels by which a container decides for itself.
const (
	labelEnabled     = "io.opentelemetry.docker_logs.enabled"
	labelStrategy    = "io.opentelemetry.docker_logs.strategy"
	labelServiceName = "io.opentelemetry.docker_logs.service.name"
)

// selector tells which containers to capture, and how.
type selector struct {
	include, exclude []matcher
	overrides        []override
	strategy         Strategy
}

type override struct {
	match    matcher
	strategy Strategy
}

func newSelector(cfg *Config) (selector, error) {
	include, errInclude := newMatchers("include", cfg.Include)
	exclude, errExclude := newMatchers("exclude", cfg.Exclude)
	s := selector{include: include, exclude: exclude, strategy: cfg.Strategy}
	errs := []error{errInclude, errExclude}
	for i, entry := range cfg.Overrides {
		match, err := newMatcher(entry.Match)
		if err != nil {
			errs = append(errs, fmt.Errorf("overrides[%d]: match: %w", i, err))
		}
		s.overrides = append(s.overrides, override{match, entry.Strategy})
	}
	return s, errors.Join(errs...)
}

// strategyFor chooses for a container. The error tells of a label that names none;
// the strategy is then that of the configuration.
func (s selector) strategyFor(c engine.Summary) (Strategy, error) {
	chosen := s.strategy
	for _, o := range s.overrides {
		if o.match.matches(c) {
			chosen = o.strategy
			break
		}
	}
	label, ok := c.Labels[labelStrategy]
	if !ok {
		return chosen, nil
	}
	if !Strategy(label).valid() {
		return chosen, fmt.Errorf("label %s: %q is not %s", labelStrategy, label, strategies)
	}
	return Strategy(label), nil
}

// selects tells whether to capture a container. Its own label wins over the
// configuration; one that is neither true nor false is passed over.
func (s selector) selects(c engine.Summary) bool {
	if enabled, err := strconv.ParseBool(c.Labels[labelEnabled]); err == nil {
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
