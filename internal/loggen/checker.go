// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Verdict is what a Checker found a body to be.
type Verdict uint8

const (
	// Intact is a line as it was written, for the first time.
	Intact Verdict = iota
	// Repeated is an intact line that was seen before.
	Repeated
	// Damaged is a body that nobody wrote, or that came from the other stream. The line that it was is lost too.
	Damaged
	// Blank is an empty line.
	Blank
)

func (v Verdict) String() string { return [...]string{"intact", "repeated", "damaged", "blank"}[v] }

var (
	errHeader   = errors.New("header unreadable")
	errLength   = errors.New("wrong length")
	errChecksum = errors.New("wrong checksum")
	errStream   = errors.New("wrong stream")
)

// Checker keeps the ledger of what arrived, by source. The zero value is ready; set TTY before the first Add. All methods are safe
// for concurrent use. It holds one bit per line.
type Checker struct {
	// TTY says that both streams arrive as one, so that the stream of a line proves nothing.
	TTY bool

	mu      sync.Mutex
	ledgers map[string]*ledger // "" holds what cannot be laid to a source
	blank   uint64
	line    []byte // scratch, for the line that should have come
	kept    []byte // scratch, for what json-file makes of it
}

// Expect announces the lines of a source: those that never arrive count as lost even at the end, where nothing later gives them
// away, and lines whose invalid UTF-8 was replaced as the json-file driver does are told from damaged ones. For a log that was
// stopped, set Lines to what its Report says.
func (c *Checker) Expect(o Options) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ledger([]byte(o.Source)).options = &o
}

// Add books one body, without its newline, and the stream that it came from. One carriage return at its end is taken for a part of
// the line end and counted. The body is not kept.
func (c *Checker) Add(body []byte, stderr bool) Verdict {
	whole := body
	body, cr := bytes.CutSuffix(body, []byte{'\r'})
	if len(body) == 0 {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.blank++
		return Blank
	}
	h, err := parse(body) // the costly part, outside the lock
	stderrWrong := !c.TTY && h.stderr != stderr

	c.mu.Lock()
	defer c.mu.Unlock()
	replaced := err != nil && c.replaced(h, body)
	if replaced {
		err = nil
	}
	if err == nil && stderrWrong {
		err = errStream
	}
	if err != nil {
		c.damaged(h, err, whole, stderr)
		return Damaged
	}
	l := c.ledger(h.source)
	if cr {
		l.tally.CarriageReturns++
	}
	if replaced {
		l.tally.Replaced++
	}
	return l.intact(h.seq, stderr)
}

// replaced reports whether body is the line that it claims to be but for what json-file did to it.
func (c *Checker) replaced(h header, body []byte) bool {
	l := c.ledgers[string(h.source)]
	if l == nil || l.options == nil || h.seq == 0 {
		return false
	}
	c.line, _ = l.options.AppendLine(c.line[:0], h.seq)
	c.kept = AppendJSONFile(c.kept[:0], c.line)
	return bytes.Equal(c.kept, body)
}

// damaged lays a damaged body to the source that it names only if that one exists: the name may be what is damaged.
func (c *Checker) damaged(h header, err error, body []byte, stderr bool) {
	l := c.ledgers[string(h.source)]
	if l == nil {
		l = c.ledger(nil)
	}
	l.tally.Damaged++
	if len(l.tally.Examples) < maxExamples {
		l.tally.Examples = append(l.tally.Examples, Damage{
			Err: err, Seq: h.seq, Stderr: stderr, Size: len(body), Body: bytes.Clone(body[:min(len(body), maxExample)]),
		})
	}
}

// ledger is the source's, new if need be. It is looked up by bytes, which allocates nothing.
func (c *Checker) ledger(source []byte) *ledger {
	l := c.ledgers[string(source)]
	if l == nil {
		if c.ledgers == nil {
			c.ledgers = make(map[string]*ledger)
		}
		l = &ledger{}
		c.ledgers[string(source)] = l
	}
	return l
}

// Blank is how many blank lines arrived. They bear no source.
func (c *Checker) Blank() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blank
}

// Missing is which of the lines 1 to total of a source did not arrive intact, in order.
func (c *Checker) Missing(source string, total uint64) []Range {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.ledgers[source]
	if l == nil {
		l = &ledger{}
	}
	return l.missing(total)
}

// Tallies are the books of every source that was expected or seen, by name. Under "" are damaged bodies that name none of them.
func (c *Checker) Tallies() map[string]Tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	tallies := make(map[string]Tally, len(c.ledgers))
	for source, l := range c.ledgers {
		tallies[source] = l.close()
	}
	return tallies
}

// Err is nil if every expected line, and every line before one that was seen, arrived once, undamaged and in the order of its
// stream. Else it has one line per source.
func (c *Checker) Err() error {
	tallies := c.Tallies()
	var errs []error
	for _, source := range slices.Sorted(maps.Keys(tallies)) {
		if err := tallies[source].Err(); err != nil {
			errs = append(errs, fmt.Errorf("source %q: %w", source, err))
		}
	}
	return errors.Join(errs...)
}
