// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package strategy decides when and how the log of one container is read, and nothing
// else: reading, proving continuity, delivering and recovering from errors are the same
// for all strategies. A strategy does no I/O and keeps no time but that which it is given.
package strategy

import (
	"math/rand/v2"
	"time"
)

// Name is a strategy as the configuration and labels name it.
type Name string

const (
	Streaming  Name = "streaming"
	ShortLived Name = "short_lived"
	Polling    Name = "polling"
	Hybrid     Name = "hybrid"
	Adaptive   Name = "adaptive"
	File       Name = "file"
)

// Names lists all strategies, for a sentence.
const Names = "streaming, short_lived, polling, hybrid, adaptive or file"

// Valid reports whether there is such a strategy.
func (n Name) Valid() bool {
	switch n {
	case Streaming, ShortLived, Polling, Hybrid, Adaptive, File:
		return true
	}
	return false
}

// Settings are the options of all strategies.
type Settings struct {
	Lifetime         time.Duration // of a follow of short_lived
	Interval         time.Duration // of polling, and of adaptive where it may not follow
	MaxInterval      time.Duration // of the same
	HybridInterval   time.Duration
	HybridBuffer     int           // bytes
	AdaptiveInterval time.Duration // of adaptive where it polls the busy
	FileInterval     time.Duration
	FileFallback     Name // not file
}

// Strategy decides what to do next.
type Strategy interface {
	Next(Observed) Plan
}

// OfFiles is implemented by a Strategy that reads the engine's files where there are such,
// also of a container that has ended before anything was planned.
type OfFiles interface{ ReadsFiles(Files) bool }

// Files is what is known of the engine's files of a container's log before they are opened.
type Files uint8

const (
	FilesNone   Files = iota // the engine has none that are read
	FilesUnseen              // none are seen here, or they are another engine's
	FilesVanish              // the engine may remove one before it has been read
	FilesKept
)

// Observed is what a capture has seen before it plans the next read.
type Observed struct {
	Now     time.Time
	First   bool // nothing has been read yet
	Event   bool // the engine reported an event of the container
	Records int  // new ones that the last read brought
	Full    bool // the last read filled a batch, so there may be more by now
	// Rate is how many new records a second reads without following brought lately, over at
	// least a second; 0 where that has not been measured.
	Rate float64
	// Of the last read, where it was a follow: how long it lived, and whether something
	// other than its plan or its container ended it.
	Lived time.Duration
	Cut   bool
	// Busy is set when the last read was a follow that ended because it brought more than
	// its plan's MaxRate.
	Busy bool
	// NoFile is set when the last read was to be of the engine's files, and was not possible.
	NoFile bool
	// What adaptive heeds: whether the budget has a stream for this container, and
	// whether the process is under pressure.
	HasStream bool
	Pressure  bool
	Files     Files
}

// Plan is what a strategy wants next.
type Plan struct {
	Wait   time.Duration // before the read; an event ends it
	File   bool          // read the engine's files, else over its API
	Rest   bool          // not before the files change, or there is an event
	Follow bool          // follow the log, else read what is new
	Life   time.Duration // of the follow; 0 = until it ends
	// MaxRate ends the follow when it brings more records a second, for longer than a burst;
	// 0 = never.
	MaxRate float64
	// Buffer is how many bytes may be read ahead of the pipeline, beyond what all
	// containers share; 0 = none.
	Buffer int
	// Fallback is why adaptive does not follow, or file does not read the files; "" if they do.
	Fallback string
}

// New returns the strategy of that name for one container.
func New(name Name, s Settings) Strategy {
	switch name {
	case Streaming:
		return streaming{}
	case Polling:
		return &polling{interval: s.Interval, longest: s.MaxInterval}
	case Hybrid:
		return &polling{interval: s.HybridInterval, longest: s.HybridInterval, buffer: s.HybridBuffer}
	case Adaptive:
		return &file{interval: s.FileInterval, least: FilesKept, fallback: newAdaptive(s)}
	case File:
		return &file{interval: s.FileInterval, least: FilesUnseen, fallback: overAPI(s.FileFallback, s), why: FallbackFile}
	default:
		return shortLived{lifetime: s.Lifetime}
	}
}

// overAPI returns a strategy that does not read files.
func overAPI(name Name, s Settings) Strategy {
	if name == Adaptive {
		return newAdaptive(s)
	}
	return New(name, s)
}

// streaming follows, and follows again.
type streaming struct{}

func (streaming) Next(Observed) Plan { return Plan{Follow: true} }

// shortLived follows for a while and then again.
type shortLived struct{ lifetime time.Duration }

func (s shortLived) Next(Observed) Plan { return Plan{Follow: true, Life: Jitter(s.lifetime)} }

// quickPoll is the wait, doubled each time, with which polling begins when a container
// has started, or something else has happened to it: it may be gone soon.
const quickPoll = 10 * time.Millisecond

// polling reads what is new, now and then. The waits double up to the longest while the
// container is silent. hybrid is polling at a fixed interval, with a buffer.
type polling struct {
	interval, longest time.Duration
	buffer            int
	wait              time.Duration
}

func (s *polling) Next(o Observed) Plan {
	switch {
	case o.First || o.Event:
		s.wait = quickPoll
		return Plan{Buffer: s.buffer}
	case o.Full:
		// Doubled, it is the interval: a read at once that finds nothing is no silence.
		s.wait = min(s.wait, s.interval/2)
		return Plan{Buffer: s.buffer}
	case s.wait < s.interval:
		s.wait = min(max(2*s.wait, quickPoll), s.interval)
	case o.Records > 0:
		s.wait = s.interval
	default:
		s.wait = min(max(2*s.wait, s.interval), s.longest)
	}
	return Plan{Wait: Jitter(s.wait), Buffer: s.buffer}
}

// Jitter spreads what would otherwise happen to many containers at once: it returns a time
// within a tenth of d.
func Jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d - d/10 + rand.N(d/5+1)
}
