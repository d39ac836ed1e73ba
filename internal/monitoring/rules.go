// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package monitoring

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Group is a group of alerting rules, as Prometheus reads it.
type Group struct {
	Name   string
	Alerts []Alert `yaml:"rules"`
}

// Alert is an alerting rule.
type Alert struct {
	Name        string `yaml:"alert"`
	Expr        string
	For         string
	Labels      map[string]string
	Annotations map[string]string
}

// ReadRules reads a file of rules.
func ReadRules(path string) ([]Group, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct{ Groups []Group }
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("read rules %s: %w", path, err)
	}
	return file.Groups, nil
}

// Condition is the expression of an alert in its parts.
type Condition struct {
	Measured   string // PromQL; has values also while the alert is silent
	Comparison string // > or <
	Threshold  float64
}

var comparison = regexp.MustCompile(`(?s)^(.*\S) ([<>]) (\S+)$`)

// Condition splits the expression at its last comparison, which must be its outermost operator.
func (a Alert) Condition() (Condition, error) {
	parts := comparison.FindStringSubmatch(a.Expr)
	if parts == nil {
		return Condition{}, fmt.Errorf("alert %s: %q is not <what is measured> (> or <) <number>", a.Name, a.Expr)
	}
	threshold, err := strconv.ParseFloat(parts[3], 64)
	if err != nil {
		return Condition{}, fmt.Errorf("alert %s: the threshold of %q: %w", a.Name, a.Expr, err)
	}
	if word := looser(parts[1]); word != "" {
		return Condition{}, fmt.Errorf("alert %s: in %q %q binds less tightly than the comparison: put it in parentheses", a.Name, a.Expr, word)
	}
	return Condition{Measured: parts[1], Comparison: parts[2], Threshold: threshold}, nil
}

var (
	parenthesised = regexp.MustCompile(`\([^()]*\)|\{[^{}]*\}`)
	setOperator   = regexp.MustCompile(`(?i)\b(or|and|unless)\b`)
)

// looser returns an operator outside of all parentheses that binds less tightly than a
// comparison; empty if there is none.
func looser(expr string) string {
	for {
		rest := parenthesised.ReplaceAllString(expr, " ")
		if rest == expr {
			return setOperator.FindString(rest)
		}
		expr = strings.TrimSpace(rest)
	}
}
