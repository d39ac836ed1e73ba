// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package stream

import "time"

const (
	// Widths of "2026-11-23T09:37:33Z" and of the widest form that is accepted,
	// "2026-11-23T09:37:33.123456789+02:00", each without the space behind it.
	minStamp = 20
	maxStamp = 35
	// zoneAt is where the zone of a precise stamp stands: the Docker Engine always writes nine
	// digits of a second, and "Z" behind them, or a zone like "+01:00" (the local driver of
	// Engine 20.10, where the engine's zone is not UTC).
	zoneAt = 29
)

// isCoarse reports whether the stamp of that width, with the space, has whole seconds.
func isCoarse(stamp []byte, width int) bool { return width > 0 && stamp[minStamp-1] != '.' }

// zoneOf returns the zone of a precise stamp with the space behind it; nil of any other.
func zoneOf(stamp []byte) []byte {
	if len(stamp) <= zoneAt+1 || stamp[minStamp-1] != '.' {
		return nil
	}
	return stamp[zoneAt:]
}

// Instants parses times like "2026-11-23T09:37:33.123Z", with any number of digits of a
// second. It keeps the last minute that it saw, because the calendar is the costly part.
// The zero value is ready.
type Instants struct {
	minute [16]byte // "2026-11-23T09:37"
	unix   int64    // seconds since the epoch at its start, UTC
}

// Parse reads a time from the start of b. It returns nanoseconds since the epoch and the
// width, or width 0 where b does not start with a time.
func (p *Instants) Parse(b []byte) (ns int64, width int) {
	if len(b) < minStamp || b[16] != ':' {
		return 0, 0
	}
	if [16]byte(b[:16]) != p.minute {
		t, err := time.Parse("2006-01-02T15:04", string(b[:16]))
		if err != nil {
			return 0, 0
		}
		p.minute, p.unix = [16]byte(b[:16]), t.Unix()
	}
	tens, ones := b[17]-'0', b[18]-'0'
	if tens > 6 || ones > 9 {
		return 0, 0
	}
	ns = (p.unix + int64(tens)*10 + int64(ones)) * int64(time.Second)
	i := 19
	if b[i] == '.' {
		i++
		for unit := int64(time.Second); i < len(b) && unit > 1; i++ {
			d := b[i] - '0'
			if d > 9 {
				break
			}
			unit /= 10
			ns += int64(d) * unit
		}
	}
	if i < len(b) && b[i] == 'Z' {
		return ns, i + 1
	}
	offset, ok := parseOffset(b[i:])
	if !ok {
		return 0, 0
	}
	return ns - int64(offset), i + len("+02:00")
}

// stamp reads a time and the space behind it, as they stand before a record, from the start
// of b. It returns the width with the space, or width 0 where there is no such thing.
func (p *Instants) stamp(b []byte) (ns int64, width int) {
	ns, width = p.Parse(b)
	if width == 0 || width >= len(b) || b[width] != ' ' {
		return 0, 0
	}
	return ns, width + 1
}

// parseOffset reads a zone like "+02:00".
func parseOffset(b []byte) (time.Duration, bool) {
	if len(b) < 6 || (b[0] != '+' && b[0] != '-') || b[3] != ':' {
		return 0, false
	}
	var n [4]time.Duration
	for i, at := range [4]int{1, 2, 4, 5} {
		if b[at] < '0' || b[at] > '9' {
			return 0, false
		}
		n[i] = time.Duration(b[at] - '0')
	}
	offset := (n[0]*10+n[1])*time.Hour + (n[2]*10+n[3])*time.Minute
	if b[0] == '-' {
		offset = -offset
	}
	return offset, true
}
