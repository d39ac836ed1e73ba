// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"unique"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
)

// What the labels of one container may bring. Every call to the pipeline repeats them, and
// whoever makes a container chooses them. Sizes are of names and values together, in bytes.
const (
	MaxLabels     = 128
	MaxLabelSize  = 4 << 10
	MaxLabelsSize = 32 << 10
)

// Labels are the labels of containers that become resource attributes.
type Labels struct {
	exact []mapped // by label, so that of two with one attribute always the same one wins
	globs []*regexp.Regexp
}

// mapped is a label and the attribute that it becomes.
type mapped struct{ label, attribute string }

// NewLabels compiles a mapping of labels to attributes. An empty attribute stands for
// container.label.<label>. A label may be a glob, without an attribute then; a label that is
// named wins over it. The error names the keys that are wrong.
func NewLabels(attributes map[string]string) (Labels, error) {
	var l Labels
	var errs []error
	for _, label := range slices.Sorted(maps.Keys(attributes)) {
		attribute := attributes[label]
		switch {
		case label == "":
			errs = append(errs, errors.New("has an empty key"))
		case !selector.IsGlob(label):
			l.exact = append(l.exact, mapped{label, cmp.Or(attribute, attributeOf(label))})
		case attribute != "":
			errs = append(errs, fmt.Errorf("%q is a glob, whose labels cannot all become the attribute %q; leave that empty, for container.label.<label>", label, attribute))
		default:
			glob, err := selector.CompileGlob(label)
			if err != nil {
				errs = append(errs, fmt.Errorf("%q is not a glob: %w", label, err))
			}
			l.globs = append(l.globs, glob)
		}
	}
	return l, errors.Join(errs...)
}

// attributeOf returns the same string for all containers, which mostly have the same labels.
func attributeOf(label string) string { return unique.Make("container.label." + label).Value() }

// put makes attributes of a container's labels, as far as the bounds allow: of the labels
// that are named first, then of others in the order of their names. It returns how many are
// left out.
func (l Labels) put(attributes pcommon.Map, labels map[string]string) (leftOut int) {
	count, size := 0, 0
	for _, wanted := range l.of(labels) {
		value := labels[wanted.label]
		n := len(wanted.attribute) + len(value)
		if n > MaxLabelSize || size+n > MaxLabelsSize || count == MaxLabels {
			leftOut++
			continue
		}
		attributes.PutStr(wanted.attribute, value)
		count++
		size += n
	}
	return leftOut
}

// of returns which of a container's labels are wanted.
func (l Labels) of(labels map[string]string) (list []mapped) {
	for _, wanted := range l.exact {
		if _, ok := labels[wanted.label]; ok {
			list = append(list, wanted)
		}
	}
	if len(l.globs) == 0 {
		return list
	}
	named := len(list)
	for label := range labels {
		if l.matches(label) && !slices.ContainsFunc(list[:named], func(m mapped) bool { return m.label == label }) {
			list = append(list, mapped{label, attributeOf(label)})
		}
	}
	slices.SortFunc(list[named:], func(a, b mapped) int { return cmp.Compare(a.label, b.label) })
	return list
}

func (l Labels) matches(label string) bool {
	return slices.ContainsFunc(l.globs, func(glob *regexp.Regexp) bool { return glob.MatchString(label) })
}
