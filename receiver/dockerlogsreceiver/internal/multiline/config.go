// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package multiline

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"
)

// Labels by which a container says how its lines are joined.
const (
	LabelLineStart = "io.opentelemetry.docker_logs.multiline.line_start_pattern"
	LabelLineEnd   = "io.opentelemetry.docker_logs.multiline.line_end_pattern"
	LabelPreset    = "io.opentelemetry.docker_logs.multiline.preset"
)

const (
	defaultPeriod   = 500 * time.Millisecond
	defaultMaxLines = 1000
	minPeriod       = 10 * time.Millisecond
	maxPeriod       = time.Minute
	// maxPattern bounds a pattern, which a label may hold, in bytes.
	maxPattern = 1 << 10
	// maxProgram bounds what a pattern is compiled to, in instructions: to match a line may take
	// as many steps for each of its bytes. A short pattern can have very many: x{1000} has 1,000.
	maxProgram = 2000
)

// Config says which lines are joined. One of Preset, LineStartPattern and LineEndPattern is
// set, or nothing is joined.
type Config struct {
	// Preset is that of a language, auto, or none.
	Preset Preset `mapstructure:"preset"`
	// LineStartPattern is a regular expression that the first line of a record matches.
	LineStartPattern string `mapstructure:"line_start_pattern"`
	// LineEndPattern is one that its last line matches.
	LineEndPattern string `mapstructure:"line_end_pattern"`
	// ForceFlushPeriod is the time between two lines that ends a record. 0 is that of the top
	// level, which is 500ms by default.
	ForceFlushPeriod time.Duration `mapstructure:"force_flush_period"`
	// MaxLines is the number of lines at which a record ends. 0 is that of the top level,
	// which is 1,000 by default.
	MaxLines int `mapstructure:"max_lines"`

	_ struct{}
}

// Rules are how the lines of a container are joined; the zero value joins nothing.
type Rules struct {
	Grammar // nil joins nothing
	Limits
	text string // what the grammar was made of
}

// Equal reports whether both join the same.
func (r Rules) Equal(other Rules) bool { return r.text == other.text && r.Limits == other.Limits }

// Compile makes rules of a configuration. What it leaves out is as in the rules of the level
// above; those above the top level have nothing but the limit in bytes.
func (c Config) Compile(above Rules) (Rules, error) {
	period := cmp.Or(c.ForceFlushPeriod, above.Period, defaultPeriod)
	r := above
	r.Period, r.MaxLines = period, cmp.Or(c.MaxLines, above.MaxLines, defaultMaxLines)
	var errs []error
	if period < minPeriod || period > maxPeriod {
		errs = append(errs, fmt.Errorf("force_flush_period: must be from %v to %v, is %v", minPeriod, maxPeriod, period))
	}
	if r.MaxLines < 2 || r.MaxLines > MaxSpan {
		errs = append(errs, fmt.Errorf("max_lines: must be from 2 to %d, is %d", MaxSpan, r.MaxLines))
	}
	errs = append(errs, r.use(c.Preset, c.LineStartPattern, c.LineEndPattern))
	return r, errors.Join(errs...)
}

// ByLabels returns the rules of a container: those that its labels ask for, or its
// configuration's. The error is that of labels which do not say what is meant; the rules are
// then those of the configuration.
func (r Rules) ByLabels(labels map[string]string) (Rules, error) {
	byLabels := r
	if err := byLabels.use(Preset(labels[LabelPreset]), labels[LabelLineStart], labels[LabelLineEnd]); err != nil {
		return r, fmt.Errorf("labels %s*: %w", strings.TrimSuffix(LabelPreset, "preset"), err)
	}
	return byLabels, nil
}

// use takes the grammar that is asked for; where none is, it stays.
func (r *Rules) use(preset Preset, start, end string) error {
	n := 0
	for _, text := range []string{string(preset), start, end} {
		if text != "" {
			n++
		}
	}
	switch {
	case n == 0:
		return nil
	case n > 1:
		return errors.New("has more than one of preset, line_start_pattern and line_end_pattern; remove all but one")
	case preset != "":
		g, ok := preset.grammar()
		if !ok {
			return fmt.Errorf("preset: %q is not %s", preset, presetNames())
		}
		r.Grammar, r.text = g, "preset "+string(preset)
	case start != "":
		re, err := compilePattern("line_start_pattern", start)
		if err != nil {
			return err
		}
		r.Grammar, r.text = lineStart{re}, "start "+start
	default:
		re, err := compilePattern("line_end_pattern", end)
		if err != nil {
			return err
		}
		r.Grammar, r.text = lineEnd{re}, "end "+end
	}
	return nil
}

func presetNames() string {
	var names strings.Builder
	for _, language := range Languages() {
		names.WriteString(string(language) + ", ")
	}
	return names.String() + string(Auto) + " or " + string(None)
}

func compilePattern(key, text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, fmt.Errorf("%s: has %d bytes, more than %d", key, len(text), maxPattern)
	}
	size, err := programSize(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %q is not a regular expression: %w", key, text, err)
	}
	if size > maxProgram {
		return nil, fmt.Errorf("%s: takes too long to match, with %d instructions, more than %d; repeat less, as with .* in place of .{0,1000}", key, size, maxProgram)
	}
	return regexp.Compile(text)
}

// programSize returns how many instructions package regexp makes of a pattern.
func programSize(text string) (int, error) {
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		return 0, err
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return 0, err
	}
	return len(program.Inst), nil
}
