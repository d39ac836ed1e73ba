// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// damages are json-files that no engine can read all of: the records 1 to 5, the damage in place of 6, and 7 to 10.
var damages = []damage{
	{What: "half a record, and the next directly behind it", Torn: 6, Last: 10, current: slices.Concat(forgedLog(1, 5), torn(6), forgedLog(7, 10))},
	{What: "half a record at the end", Torn: 6, Last: 5, current: slices.Concat(forgedLog(1, 5), torn(6))},
	{What: "half a record at the end of the older of two files", Torn: 6, Last: 10, older: slices.Concat(forgedLog(1, 5), torn(6)), current: forgedLog(7, 10)},
	{What: "4,096 NULs", Torn: 6, Last: 10, current: slices.Concat(forgedLog(1, 5), make([]byte, 4096), forgedLog(7, 10))},
	{What: "4,096 NULs at the end", Torn: 6, Last: 5, current: slices.Concat(forgedLog(1, 5), make([]byte, 4096))},
	{
		What: "half a record as 10,001, and 10,002 directly behind it", Torn: 10_001, Last: 10_005,
		current: slices.Concat(forgedLog(1, 10_000), torn(10_001), forgedLog(10_002, 10_005)),
	},
}

// torn returns the first half of a record.
func torn(n int) []byte {
	whole := forgedLine(n, forgedAt(n))
	return []byte(whole[:len(whole)/2])
}

// damage is what reads of a damaged file bring.
type damage struct {
	What string       `json:"what"`
	Torn int          `json:"torn"` // the record that is damaged
	Last int          `json:"last"` // the last whole record
	All  []damageRead `json:"all"`
	Tail []damageRead `json:"tail"` // with tail=8, which reaches back behind the damage
	// Until is what comes with until = the time of the last whole record but one before the damage: an engine finds the
	// end of such an answer in the record behind it.
	Until []damageRead `json:"until"`

	current, older []byte
}

// damageRead is what one or several of these reads brought.
type damageRead struct {
	Times  int    `json:"times"`
	Came   string `json:"came"`   // which of the whole records
	N      int    `json:"n"`      // how many
	Last   bool   `json:"last"`   // the last of them is among them
	Forged int    `json:"forged"` // records that nobody wrote
	Error  string `json:"error"`
}

// damageReads is how often each is asked for: an engine that stops at a damage may do so in several ways.
const damageReads = 5

func measureDamage(ctx context.Context, b *bench) (f damageFigures, err error) {
	for _, d := range damages {
		c, err := b.forged(ctx, d.current, d.older)
		if err != nil {
			return f, err
		}
		until := d.Torn - 2
		for _, ask := range []struct {
			into    *[]damageRead
			last    int // whole record of the answer
			options container.LogsOptions
		}{
			{&d.All, d.Last, container.LogsOptions{}},
			{&d.Tail, d.Last, container.LogsOptions{Tail: "8"}},
			{&d.Until, until, container.LogsOptions{Until: sinceOf(forgedAt(until))}},
		} {
			if *ask.into, err = d.readAgain(ctx, b, c, ask.options, ask.last); err != nil {
				return f, fmt.Errorf("%s: %w", d.What, err)
			}
		}
		f = append(f, d)
	}
	return f, nil
}

// readAgain reads a log some times, and returns what came: once each, with the number of times.
func (d damage) readAgain(ctx context.Context, b *bench, c *dockerd.Container, o container.LogsOptions, last int) (reads []damageRead, err error) {
	for range damageReads {
		records, err := b.records(ctx, c, o)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		read := d.judge(records, err, last)
		same := slices.IndexFunc(reads, func(r damageRead) bool {
			read.Times = r.Times
			return r == read
		})
		if same < 0 {
			read.Times = 1
			reads = append(reads, read)
		} else {
			reads[same].Times++
		}
	}
	return reads, nil
}

// judge says which records came, and which of them nobody wrote.
func (d damage) judge(records []record, end error, last int) (r damageRead) {
	var came []int
	for _, rec := range records {
		if n := rec.number(); n == 0 || n == d.Torn || !rec.at.Equal(forgedAt(n)) {
			r.Forged++
		} else {
			came = append(came, n)
		}
	}
	r.Came, r.N, r.Last = ranges(came), len(came), slices.Contains(came, last)
	if end != nil {
		r.Error = end.Error()
	}
	return r
}

type damageFigures []damage

func (f damageFigures) String() string { return listed(f) }

func (f damageFigures) cases() (list []inCase) {
	for _, d := range f {
		list = append(list, inCase{d.What, d.words(d.All)}, inCase{"… with `tail=8`", d.words(d.Tail)}, inCase{"… with `until`", d.words(d.Until)})
	}
	return list
}

// words says what came, how the answers ended, and how often. Answers that end alike may be of different lengths.
func (d damage) words(reads []damageRead) string {
	var texts []string
	for len(reads) > 0 {
		end, times := d.end(reads[0]), 0
		var same, others []damageRead
		for _, r := range reads {
			if d.end(r) == end {
				same, times = append(same, r), times+r.Times
			} else {
				others = append(others, r)
			}
		}
		reads = others
		length := func(a, b damageRead) int { return cmp.Compare(a.N, b.N) }
		shortest, longest := slices.MinFunc(same, length), slices.MaxFunc(same, length)
		text := longest.words()
		if shortest.N < longest.N {
			text = "from " + shortest.words() + " to " + longest.words()
		}
		if text += end; times < damageReads {
			text += fmt.Sprintf(" (%d of %d times)", times, damageReads)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", or ")
}

// end says how an answer ended; nothing where the newest record came last.
func (damage) end(r damageRead) string {
	switch {
	case r.Error != "":
		return ", then " + "`" + r.Error + "`"
	case !r.Last:
		return ", **then the end, without an error**"
	default:
		return ""
	}
}

func (r damageRead) words() string {
	text := cmp.Or(r.Came, "nothing")
	if r.Forged > 0 {
		text += fmt.Sprintf(" and **%d that nobody wrote**", r.Forged)
	}
	return text
}

// ranges writes 1, 2, 3 and 5 as 1–3, 5.
func ranges(list []int) string {
	var texts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		text := words.Count(uint64(list[i]))
		if j > i {
			text += "–" + words.Count(uint64(list[j]))
		}
		texts = append(texts, text)
		i = j + 1
	}
	return strings.Join(texts, ", ")
}
