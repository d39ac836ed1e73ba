// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Suspect is the origin of the goroutines that a finding is about.
type Suspect struct {
	Component string
	Function  string // that the goroutines run
	Creator   string // of the goroutines; empty if it is not known
	// Count is the number of its goroutines above need, Grown the number by which that
	// has grown over the window.
	Count, Grown int
}

// Most returns the key whose count grew most from before to now, the bigger one if
// several did; ok is false if none has.
func Most[K comparable](before, now map[K]int, compare func(a, b K) int) (most K, grown int, ok bool) {
	for key, n := range now {
		d := n - before[key]
		if d <= 0 {
			continue
		}
		if !ok || cmp.Or(cmp.Compare(d, grown), cmp.Compare(n, now[most]), compare(most, key)) > 0 {
			most, grown, ok = key, d, true
		}
	}
	return most, grown, ok
}

// Reason returns a finding in words. suspect and leaker may be nil.
func Reason(f Finding, suspect, leaker *Suspect) string {
	var parts []string
	if f.Above > 0 {
		parts = append(parts, fmt.Sprintf("%s goroutines above what the captures need (%s from %s on)",
			formatCount(f.Excess), f.Level, formatCount(f.Above))+suspect.share(false))
		suspect = nil // named once
	}
	if f.Growing > 0 {
		parts = append(parts, fmt.Sprintf("+%.0f/min for %s", math.Round(f.Growth), formatDuration(f.Growing))+suspect.share(true))
	}
	if f.Leaked > 0 {
		noun := "goroutines"
		if f.Leaked == 1 {
			noun = "goroutine"
		}
		parts = append(parts, fmt.Sprintf("%s %s proven never to wake again", formatCount(f.Leaked), noun)+leaker.share(false))
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ")
	}
	change := "steady"
	if perMinute := int(math.Round(f.Growth)); perMinute != 0 {
		change = fmt.Sprintf("%+d/min", perMinute)
	}
	return fmt.Sprintf("%s goroutines above what the captures need, %s", formatCount(f.Excess), change)
}

// share returns how many of the goroutines, or of their growth, are the suspect's.
func (s *Suspect) share(ofGrowth bool) string {
	if s == nil {
		return ""
	}
	n, by := s.Count, ", created by "+s.Creator
	if ofGrowth {
		n = s.Grown
	}
	if s.Creator == "" {
		by = ", running " + s.Function
	}
	return fmt.Sprintf(", %s of them in %s%s", formatCount(n), s.Component, by)
}

// formatDuration returns a duration in the unit that a person would use.
func formatDuration(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

func formatCount(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
