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

// Suspect is what has grown most, or is most of what there is.
type Suspect struct {
	Component string
	Function  string // that the goroutines run
	Creator   string // of them; empty if it is not known
	// Count is how many of its goroutines there are above need, Grown how many more
	// than before.
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

// Reason tells a finding in words.
func Reason(f Finding, suspect *Suspect, leaker *Suspect) string {
	var parts []string
	if f.Above > 0 {
		parts = append(parts, fmt.Sprintf("%s goroutines above what the captures need (%s from %s on)",
			thousands(f.Excess), f.Level, thousands(f.Above))+of(suspect, suspectCount(suspect)))
		suspect = nil // once is enough
	}
	if f.Growing > 0 {
		grown := 0
		if suspect != nil {
			grown = suspect.Grown
		}
		parts = append(parts, fmt.Sprintf("+%.0f/min for %s", math.Round(f.Growth), period(f.Growing))+of(suspect, grown))
	}
	if f.Leaked > 0 {
		noun := "goroutines"
		if f.Leaked == 1 {
			noun = "goroutine"
		}
		parts = append(parts, fmt.Sprintf("%s %s proven never to wake again", thousands(f.Leaked), noun)+of(leaker, suspectCount(leaker)))
	}
	if len(parts) == 0 {
		change := "steady"
		if perMinute := int(math.Round(f.Growth)); perMinute != 0 {
			change = fmt.Sprintf("%+d/min", perMinute)
		}
		return fmt.Sprintf("%s goroutines above what the captures need, %s", thousands(f.Excess), change)
	}
	return strings.Join(parts, "; ")
}

func suspectCount(s *Suspect) int {
	if s == nil {
		return 0
	}
	return s.Count
}

func of(s *Suspect, n int) string {
	if s == nil {
		return ""
	}
	by := ", created by " + s.Creator
	if s.Creator == "" {
		by = ", running " + s.Function
	}
	return fmt.Sprintf(", %s of them in %s%s", thousands(n), s.Component, by)
}

// period tells a duration as a person would.
func period(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	}
	return fmt.Sprintf("%d h", int(d.Hours()))
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
