// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

const (
	maxExamples = 8   // of damage, per source
	maxExample  = 256 // bytes of each
)

// Tally is what became of the lines of one source.
type Tally struct {
	// Seen counts distinct intact lines, Last is the highest number among them.
	Seen, Last uint64
	// Lost counts the lines that were not seen up to Last, or up to the number expected if that is higher; LostRanges are their
	// numbers, in order.
	Lost       uint64
	LostRanges []Range
	// Repeated counts intact lines beyond the first of their number.
	Repeated uint64
	// Damaged counts bodies that are no line of this source, or came from the wrong stream; Examples are the first eight.
	Damaged  uint64
	Examples []Damage
	// OutOfOrder counts lines that came, for the first time, after one with a higher number from the same stream.
	OutOfOrder uint64
	// Replaced counts seen and repeated lines that are as written but for the replacement characters of json-file.
	Replaced uint64
	// CarriageReturns counts seen and repeated lines that kept a carriage return at their end.
	CarriageReturns uint64
}

// Range is a run of sequence numbers, both included.
type Range struct{ First, Last uint64 }

func (r Range) String() string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// Damage is a body that is not what was written.
type Damage struct {
	Err    error  // what is wrong with it
	Seq    uint64 // that it claims; 0 is unreadable
	Stderr bool   // where it arrived
	Size   int    // of the body, in bytes
	Body   []byte // its first 256 bytes
}

func (d Damage) String() string { return fmt.Sprintf("%v: %q", d.Err, d.Body) }

// Err is nil if nothing is lost, repeated, damaged or out of order.
func (t Tally) Err() error {
	if t.Lost+t.Repeated+t.Damaged+t.OutOfOrder == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%d lines seen, %d lost", t.Seen, t.Lost)
	for i, r := range t.LostRanges {
		if i == maxExamples {
			b.WriteString(" ...")
			break
		}
		fmt.Fprintf(&b, " %v", r)
	}
	fmt.Fprintf(&b, ", %d repeated, %d out of order, %d damaged", t.Repeated, t.OutOfOrder, t.Damaged)
	if len(t.Examples) > 0 {
		fmt.Fprintf(&b, ", the first: %v", t.Examples[0])
	}
	return errors.New(b.String())
}

// ledger is one source's, guarded by its Checker's mutex.
type ledger struct {
	options *Options  // as expected; nil if unknown
	bitmap  []uint64  // bit seq%64 of word seq/64: seen
	highest [2]uint64 // seen on stdout, on stderr
	tally   Tally     // without what close fills in
}

func (l *ledger) intact(seq uint64, stderr bool) Verdict {
	word, bit := int(seq/64), uint64(1)<<(seq%64)
	if word >= len(l.bitmap) {
		l.bitmap = append(l.bitmap, make([]uint64, word+1-len(l.bitmap))...)
	}
	if l.bitmap[word]&bit != 0 {
		l.tally.Repeated++
		return Repeated
	}
	l.bitmap[word] |= bit
	l.tally.Seen++

	highest := &l.highest[0]
	if stderr {
		highest = &l.highest[1]
	}
	if seq < *highest {
		l.tally.OutOfOrder++
	} else {
		*highest = seq
	}
	return Intact
}

// missing walks from run to run of equal bits, so that an intact log costs a look at each word.
func (l *ledger) missing(total uint64) []Range {
	var lost []Range
	for seq := l.next(1, total, false); seq <= total; {
		end := l.next(seq, total, true)
		lost = append(lost, Range{seq, end - 1})
		seq = l.next(end, total, false)
	}
	return lost
}

// next is the first number from seq on that is seen or not, as asked; total+1 if there is none up to total.
func (l *ledger) next(seq, total uint64, seen bool) uint64 {
	for seq <= total {
		word := uint64(0)
		if i := seq / 64; i < uint64(len(l.bitmap)) {
			word = l.bitmap[i]
		} else if seen {
			break
		}
		if !seen {
			word = ^word
		}
		if word >>= seq % 64; word != 0 {
			return min(seq+uint64(bits.TrailingZeros64(word)), total+1)
		}
		seq = (seq/64 + 1) * 64
	}
	return total + 1
}

// close is the tally as of now. It shares nothing with the ledger.
func (l *ledger) close() Tally {
	t := l.tally
	t.Examples = slices.Clone(t.Examples)
	t.Last = max(l.highest[0], l.highest[1])
	total := t.Last
	if l.options != nil {
		total = max(total, l.options.Lines)
	}
	t.LostRanges = l.missing(total)
	for _, r := range t.LostRanges {
		t.Lost += r.Last - r.First + 1
	}
	return t
}
