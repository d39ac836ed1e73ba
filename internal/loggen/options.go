// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Payload is what the text behind a line's header is made of.
type Payload string

const (
	// ASCII is printable, with the characters that encoders have to escape: quotes, backslashes, angle brackets, ampersands.
	ASCII Payload = "ascii"
	// UTF8 mixes runes of one to four bytes.
	UTF8 Payload = "utf8"
	// Binary is any byte but a newline, with invalid UTF-8 and NUL in every payload of two bytes or more.
	Binary Payload = "binary"
)

// Options say what to write. The zero value with a Source is valid: 120-byte ASCII lines on stdout, flat out, until stopped.
// Equal options give equal lines.
type Options struct {
	// Seed varies sizes, streams and payloads. The source varies them too, so that replicas do not write in step.
	Seed uint64
	// Source names the writer in every line. Printable ASCII without a space.
	Source string
	// Lines is how many to write; 0 is until stopped.
	Lines uint64

	// Rate is in lines per second; 0 is flat out, or bursts alone when BurstSize is set.
	Rate float64
	// BurstSize lines are due at once at the start and after each further BurstEvery, on top of Rate.
	BurstSize  uint64
	BurstEvery time.Duration

	// Sizes are the lengths of bodies in bytes, line end excluded.
	Sizes Sizes
	// StderrShare is the share of lines written to stderr, 0 to 1. There is one sequence over both streams.
	StderrShare float64
	// Payload is ASCII when empty.
	Payload Payload

	// CRLF ends lines in \r\n instead of \n.
	CRLF bool
	// BlankEvery puts a blank line behind every n-th line, on its stream. Blank lines have no sequence number; 0 is none.
	BlankEvery uint64
	// PartialEvery cuts every n-th line into two write(2) calls with a pause between them; 0 is none.
	PartialEvery uint64
	// NoFinalNewline leaves the last line without its end. Needs Lines.
	NoFinalNewline bool

	// StartDelay passes before the first line.
	StartDelay time.Duration

	// What the process does once the lines are written: cmd/loggen obeys these, Run does not.

	// Linger is how long it stays.
	Linger time.Duration
	// UntilSignal makes it stay until SIGTERM or SIGINT.
	UntilSignal bool
	// ExitCode is its status, 0 to 255.
	ExitCode int
}

// Validate says what is wrong, each problem starting with the name of its flag.
func (o *Options) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(o.Source != "" && len(o.Source) <= maxSource && strings.IndexFunc(o.Source, func(r rune) bool { return r <= ' ' || r > '~' }) < 0,
		"source: %q must be 1 to %d printable ASCII characters without a space", o.Source, maxSource)
	check(o.Lines <= maxSeq, "lines: at most %d", uint64(maxSeq))
	check(o.Rate >= 0 && !math.IsInf(o.Rate, 1), "rate: %v must be a number of lines per second, or 0 for flat out", o.Rate)
	check(o.BurstSize <= maxSeq, "burst-size: at most %d", uint64(maxSeq))
	check(o.BurstEvery >= 0 && (o.BurstSize > 0) == (o.BurstEvery > 0), "burst-size: goes together with a positive burst-every")
	check(o.StderrShare >= 0 && o.StderrShare <= 1, "stderr-share: %v must be between 0 and 1", o.StderrShare)
	check(o.Payload == "" || o.Payload == ASCII || o.Payload == UTF8 || o.Payload == Binary,
		"payload: %q must be ascii, utf8 or binary", o.Payload)
	check(!o.NoFinalNewline || o.Lines > 0, "no-final-newline: needs lines, as an endless log has no last line")
	check(o.StartDelay >= 0, "start-delay: %v must not be negative", o.StartDelay)
	check(o.Linger >= 0, "linger: %v must not be negative", o.Linger)
	check(o.ExitCode >= 0 && o.ExitCode <= 255, "exit-code: %d must be between 0 and 255", o.ExitCode)
	if err := o.Sizes.validate(o.longestHeader()); err != nil {
		errs = append(errs, fmt.Errorf("size: %w", err))
	}
	return errors.Join(errs...)
}

// Blanks is how many blank lines go with the first n lines.
func (o *Options) Blanks(n uint64) uint64 {
	if o.BlankEvery == 0 {
		return 0
	}
	if o.NoFinalNewline && n == o.Lines && n > 0 {
		n-- // a blank line behind the last one would end it
	}
	return n / o.BlankEvery
}

// longestHeader is the number of bytes that every size must have room for.
func (o *Options) longestHeader() int {
	last := o.Lines
	if last == 0 {
		last = maxSeq
	}
	return len(o.Source) + len(" ") + digits(last) + len(" o ") + digits(uint64(o.Sizes.max())) + len(" ") + checksumLen + len(" ")
}

func digits(n uint64) int { return len(strconv.FormatUint(n, 10)) }
