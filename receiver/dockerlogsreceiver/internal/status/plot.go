// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"math"
	"time"
)

const (
	slotTime  = 10 * time.Second
	plotSlots = 60
	rateSlots = 6 // a minute
)

// plot counts by slots of time. It has no clock of its own: to use it moves it on.
type plot struct {
	slots [plotSlots]slot // a ring
	last  int64           // number of the newest slot since the epoch
}

type slot struct{ records, bytes uint32 }

// advance empties the slots that have begun since the last time.
func (p *plot) advance(now time.Time) {
	newest := now.UnixNano() / int64(slotTime)
	for n := max(p.last+1, newest-plotSlots+1); n <= newest; n++ {
		p.slots[n%plotSlots] = slot{}
	}
	p.last = max(p.last, newest) // our clock may be set back
}

func (p *plot) add(now time.Time, records, bytes int) {
	p.advance(now)
	s := &p.slots[p.last%plotSlots]
	s.records, s.bytes = increase(s.records, records), increase(s.bytes, bytes)
}

// increase adds to a count, up to what it can hold.
func increase(count uint32, n int) uint32 {
	return uint32(min(uint64(count)+uint64(n), math.MaxUint32))
}

// records returns the records of each slot, the oldest first; nil where there are none.
func (p *plot) records(now time.Time) (list []uint32) {
	p.advance(now)
	for i := range int64(plotSlots) {
		n := p.slots[(p.last+1+i)%plotSlots].records
		if n > 0 && list == nil {
			list = make([]uint32, i, plotSlots)
		}
		if list != nil {
			list = append(list, n)
		}
	}
	return list
}

// rates returns how many records and bytes came a second in the last minute, or since the
// beginning if that was later.
func (p *plot) rates(now, since time.Time) (records, bytes float64) {
	p.advance(now)
	began := time.Unix(0, (p.last-rateSlots+1)*int64(slotTime))
	if since.After(began) {
		began = since
	}
	for i := range int64(rateSlots) {
		s := p.slots[(p.last-i)%plotSlots]
		records, bytes = records+float64(s.records), bytes+float64(s.bytes)
	}
	seconds := max(now.Sub(began).Seconds(), 1)
	return round(records / seconds), round(bytes / seconds)
}

// round leaves three digits behind the point.
func round(f float64) float64 { return math.Round(f*1000) / 1000 }
