// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

const (
	defaultSize = 120
	// maxSize bounds one line, which is held in memory whole.
	maxSize = 1 << 28
)

// Sizes is a distribution of lengths in bytes: ranges by weight. Empty is always 120.
type Sizes []SizeRange

// SizeRange is uniform from Min to Max, both included. Max 0 means Min; Weight 0 means 1.
type SizeRange struct {
	Min, Max int
	Weight   uint32
}

// ParseSizes reads "120", "80-400" or a mix by weight such as "120:95,2000-20000:4,1000000:1".
func ParseSizes(s string) (Sizes, error) {
	var sizes Sizes
	for entry := range strings.SplitSeq(s, ",") {
		r, err := parseRange(entry)
		if err != nil {
			return nil, fmt.Errorf("%q is not bytes, bytes-bytes, or a list of those with :weight: %w", entry, err)
		}
		sizes = append(sizes, r)
	}
	return sizes, nil
}

func parseRange(entry string) (SizeRange, error) {
	span, weight, weighted := strings.Cut(entry, ":")
	low, high, ranged := strings.Cut(span, "-")
	r := SizeRange{Weight: 1}
	if weighted {
		w, err := strconv.ParseUint(weight, 10, 32)
		if err != nil {
			return r, err
		}
		if w == 0 {
			return r, errors.New("a weight is at least 1")
		}
		r.Weight = uint32(w)
	}
	var err error
	if r.Min, err = strconv.Atoi(low); err != nil {
		return r, err
	}
	r.Max = r.Min
	if ranged {
		r.Max, err = strconv.Atoi(high)
	}
	return r, err
}

// String is what ParseSizes reads back.
func (s Sizes) String() string {
	if len(s) == 0 {
		return strconv.Itoa(defaultSize)
	}
	var b strings.Builder
	for i, r := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(r.Min))
		if r.max() != r.Min {
			fmt.Fprintf(&b, "-%d", r.max())
		}
		if r.weight() != 1 {
			fmt.Fprintf(&b, ":%d", r.weight())
		}
	}
	return b.String()
}

// Set makes Sizes a flag.Value.
func (s *Sizes) Set(text string) error {
	sizes, err := ParseSizes(text)
	if err == nil {
		*s = sizes
	}
	return err
}

func (s Sizes) validate(header int) error {
	if len(s) == 0 {
		s = Sizes{{Min: defaultSize}}
	}
	for _, r := range s {
		switch {
		case r.Min < header:
			return fmt.Errorf("%d bytes have no room for the header: give at least %d", r.Min, header)
		case r.max() < r.Min:
			return fmt.Errorf("%d-%d is the wrong way round", r.Min, r.max())
		case r.max() > maxSize:
			return fmt.Errorf("%d bytes are more than %d", r.max(), maxSize)
		}
	}
	return nil
}

func (s Sizes) max() int {
	if len(s) == 0 {
		return defaultSize
	}
	m := 0
	for _, r := range s {
		m = max(m, r.max())
	}
	return m
}

func (s Sizes) pick(rng *rand.PCG) int {
	if len(s) == 0 {
		return defaultSize
	}
	r := s[0]
	if len(s) > 1 {
		r = s.weighted(rng)
	}
	return r.Min + int(below(rng, uint64(r.max()-r.Min)+1))
}

func (s Sizes) weighted(rng *rand.PCG) SizeRange {
	total := uint64(0)
	for _, r := range s {
		total += uint64(r.weight())
	}
	n := below(rng, total)
	for _, r := range s {
		if n < uint64(r.weight()) {
			return r
		}
		n -= uint64(r.weight())
	}
	panic("unreachable: n is below the sum of the weights")
}

func (r SizeRange) max() int {
	if r.Max == 0 {
		return r.Min
	}
	return r.Max
}

func (r SizeRange) weight() uint32 { return max(r.Weight, 1) }
