// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package selector decides which containers are captured, and how.
package selector

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/multiline"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

// Labels by which a container decides for itself.
const (
	LabelEnabled   = "io.opentelemetry.docker_logs.enabled"
	LabelStrategy  = "io.opentelemetry.docker_logs.strategy"
	LabelRateLimit = "io.opentelemetry.docker_logs.rate_limit"
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

// Choice is all that is chosen for a container.
type Choice struct {
	Strategy  strategy.Name
	From      string // what chose the strategy: default, overrides[0], for example, or label
	RateLimit RateLimit
	Multiline multiline.Rules
}

// Override gives the containers that it matches what it sets; the rest is as it is for all
// others.
type Override struct {
	Match     Match         `mapstructure:"match"`
	Strategy  strategy.Name `mapstructure:"strategy"`
	RateLimit *RateLimit    `mapstructure:"rate_limit"`
	// Multiline is as at the top level where it says nothing.
	Multiline *multiline.Config `mapstructure:"multiline"`

	_ struct{}
}

// check returns all that is wrong with what the override sets.
func (o Override) check() (errs []error) {
	if o.Strategy == "" && o.RateLimit == nil && o.Multiline == nil {
		errs = append(errs, errors.New("sets nothing; give it a strategy, a rate_limit or multiline"))
	}
	if o.Strategy != "" && !o.Strategy.Valid() {
		errs = append(errs, fmt.Errorf("strategy: %q is not %s", o.Strategy, strategy.Names))
	}
	if o.RateLimit != nil {
		for _, err := range o.RateLimit.Check() {
			errs = append(errs, fmt.Errorf("rate_limit: %w", err))
		}
	}
	return errs
}

// choice returns what the override makes of what is chosen for all.
func (o Override) choice(c Choice) (_ Choice, err error) {
	c.Strategy = cmp.Or(o.Strategy, c.Strategy)
	if o.RateLimit != nil {
		c.RateLimit = *o.RateLimit
	}
	if o.Multiline == nil {
		return c, nil
	}
	if c.Multiline, err = o.Multiline.Compile(c.Multiline); err != nil {
		err = fmt.Errorf("multiline: %w", err)
	}
	return c, err
}

// Selector is a compiled selection.
type Selector struct {
	include, exclude []matcher
	overrides        []override
	byDefault        Choice
}

type override struct {
	match  matcher
	choice Choice
}

// New compiles a selection. byDefault is for the containers that no override matches. The
// error names the keys of the configuration that are wrong.
func New(include, exclude []Match, overrides []Override, byDefault Choice) (Selector, error) {
	in, errInclude := newMatchers("include", include)
	out, errExclude := newMatchers("exclude", exclude)
	byDefault.From = "default"
	s := Selector{include: in, exclude: out, byDefault: byDefault}
	errs := []error{errInclude, errExclude}
	for i, entry := range overrides {
		match, err := newMatcher(entry.Match)
		if err != nil {
			errs = append(errs, fmt.Errorf("overrides[%d]: match: %w", i, err))
		}
		for _, err := range entry.check() {
			errs = append(errs, fmt.Errorf("overrides[%d]: %w", i, err))
		}
		choice, err := entry.choice(byDefault)
		if err != nil {
			errs = append(errs, fmt.Errorf("overrides[%d]: %w", i, err))
		}
		if entry.Strategy != "" {
			choice.From = fmt.Sprintf("overrides[%d]", i)
		}
		s.overrides = append(s.overrides, override{match, choice})
	}
	return s, errors.Join(errs...)
}

// For returns what is chosen for a container: by its labels, else by the first override that
// matches, else the default. The error is that of labels that are not understood; in their
// place stands what the configuration says.
func (s Selector) For(c engine.Summary) (Choice, error) {
	chosen := s.byDefault
	for _, o := range s.overrides {
		if o.match.matches(c) {
			chosen = o.choice
			break
		}
	}
	err := errors.Join(
		byLabel(c, LabelStrategy, chosen.setStrategy),
		byLabel(c, LabelRateLimit, chosen.setRateLimit),
		chosen.setMultiline(c.Labels),
	)
	return chosen, err
}

func (c *Choice) setMultiline(labels map[string]string) (err error) {
	c.Multiline, err = c.Multiline.ByLabels(labels)
	return err
}

// byLabel hands the value of a container's label, if it has it, to set.
func byLabel(c engine.Summary, label string, set func(value string) error) error {
	value, ok := c.Labels[label]
	if !ok {
		return nil
	}
	if err := set(value); err != nil {
		return fmt.Errorf("label %s: %w", label, err)
	}
	return nil
}

func (c *Choice) setStrategy(value string) error {
	if name := strategy.Name(value); name.Valid() {
		c.Strategy, c.From = name, "label"
		return nil
	}
	return fmt.Errorf("%q is not %s", value, strategy.Names)
}

func (c *Choice) setRateLimit(value string) error {
	limit := c.RateLimit
	var err error
	if limit.RecordsPerSecond, err = strconv.ParseFloat(value, 64); err != nil || !limit.validRate() {
		return fmt.Errorf("%q is not a number of records per second; 0 is no limit", value)
	}
	c.RateLimit = limit
	return nil
}

// Decision is whether a container is to be captured.
type Decision struct {
	Captured bool
	// What speaks against it: an entry of exclude, that include has none for it, or its label.
	Key   string // exclude, include or LabelEnabled; "" where it is captured
	Entry int    // of exclude
}

// Decide decides whether to capture a container. Its own label wins over the configuration;
// one that is neither true nor false is ignored.
func (s Selector) Decide(c engine.Summary) Decision {
	if enabled, err := strconv.ParseBool(c.Labels[LabelEnabled]); err == nil {
		if enabled {
			return Decision{Captured: true}
		}
		return Decision{Key: LabelEnabled}
	}
	if entry := firstMatch(s.exclude, c); entry >= 0 {
		return Decision{Key: "exclude", Entry: entry}
	}
	if len(s.include) > 0 && firstMatch(s.include, c) < 0 {
		return Decision{Key: "include"}
	}
	return Decision{Captured: true}
}

// Selects reports whether to capture a container.
func (s Selector) Selects(c engine.Summary) bool { return s.Decide(c).Captured }

// matcher is one entry: all its conditions must hold.
type matcher []func(engine.Summary) bool

// firstMatch returns the index of the first entry that matches, -1 if none does.
func firstMatch(matchers []matcher, c engine.Summary) int {
	return slices.IndexFunc(matchers, func(m matcher) bool { return m.matches(c) })
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
	if IsGlob(text) {
		glob, err := CompileGlob(text)
		if err != nil {
			return nil, fmt.Errorf("%q is not a glob: %w", text, err)
		}
		return glob.MatchString, nil
	}
	return func(value string) bool { return value == text }, nil
}
