// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package strategy

import (
	"cmp"
	"time"
)

const (
	// FallbackFile is why a container is not read from the engine's files, as a metric names
	// it: they cannot be read, or are not known to be its own. FileFound is why it is again.
	FallbackFile = "no_file"
	FileFound    = "file_found"
	// They are tried again after the first of these, which doubles up to the second: a log
	// that is empty proves nothing of its files until there is a first line.
	minFileRetry = time.Second
	maxFileRetry = 5 * time.Minute
)

// file reads the engine's files while they grow, and lets the capture rest while they do not.
// Where they cannot be read it does as another strategy.
type file struct {
	interval time.Duration // between two reads of what grows
	least    Files         // that are read
	fallback Strategy
	why      string // a plan of the fallback bears that, "" leaves it its own
	tried    bool   // by the last plan
	denied   bool   // when they were last tried
	retry    time.Duration
	until    time.Time // the other strategy is used
}

// ReadsFiles implements OfFiles.
func (s *file) ReadsFiles(files Files) bool { return files >= s.least }

func (s *file) Next(o Observed) Plan {
	switch {
	case o.NoFile:
		s.denied = true
		s.retry = min(max(2*s.retry, minFileRetry), maxFileRetry)
		s.until = o.Now.Add(Jitter(s.retry))
		o.First = true // for the other strategy
	case s.tried:
		s.denied, s.retry = false, 0
	}
	s.tried = s.ReadsFiles(o.Files) && !o.Now.Before(s.until)
	if !s.tried {
		plan := s.fallback.Next(o)
		plan.Fallback = cmp.Or(s.why, plan.Fallback)
		if left := s.until.Sub(o.Now); s.ReadsFiles(o.Files) {
			plan.Wait = min(plan.Wait, left)
			plan.Life = min(cmp.Or(plan.Life, left), left)
		}
		return plan
	}
	switch {
	case s.denied:
		return Plan{File: true, Fallback: FallbackFile} // until it is known
	case o.First, o.Event:
		return Plan{File: true}
	case o.Records > 0:
		return Plan{File: true, Wait: s.interval}
	default:
		return Plan{File: true, Rest: true}
	}
}
