// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
)

// damages are json-files that no engine can read all of. Each is to hold the records 1 to 5, the damage, and the
// records 7 to 10.
var damages = []damage{
	{What: "half a record, and the next directly behind it", current: slices.Concat(forgedLog(1, 5), torn(6), forgedLog(7, 10))},
	{What: "half a record at the end", Last: 5, current: slices.Concat(forgedLog(1, 5), torn(6))},
	{What: "half a record at the end of the older of two files", older: slices.Concat(forgedLog(1, 5), torn(6)), current: forgedLog(7, 10)},
	{What: "4,096 NULs", current: slices.Concat(forgedLog(1, 5), make([]byte, 4096), forgedLog(7, 10))},
	{What: "4,096 NULs at the end", Last: 5, current: slices.Concat(forgedLog(1, 5), make([]byte, 4096))},
}

// torn returns the first half of a record.
func torn(n int) []byte {
	whole := forgedLine(n, forgedAt(n))
	return []byte(whole[:len(whole)/2])
}

// damage is what reads of a damaged file bring.
type damage struct {
	What string       `json:"what"`
	Last int          `json:"last,omitempty"` // the last whole record; 0 is 10
	All  []damageRead `json:"all"`
	Tail []damageRead `json:"tail"` // with tail=8, which reaches back behind the damage

	current, older []byte
}

// damageRead is what one or several of these reads brought.
type damageRead struct {
	Times  int    `json:"times"`
	Came   []int  `json:"came"`   // which of the whole records
	Forged int    `json:"forged"` // records that nobody wrote
	Error  string `json:"error"`
}

// damageReads is how often each is asked for: an engine that stops at a damage may say so at one time and not at another.
const damageReads = 5

func measureDamage(ctx context.Context, b *bench) (f damageFigures, err error) {
	for _, d := range damages {
		c, err := b.forged(ctx, d.current, d.older)
		if err != nil {
			return f, err
		}
		if d.All, err = b.readDamaged(ctx, c, ""); err != nil {
			return f, fmt.Errorf("%s: %w", d.What, err)
		}
		if d.Tail, err = b.readDamaged(ctx, c, "8"); err != nil {
			return f, fmt.Errorf("%s: %w", d.What, err)
		}
		f = append(f, d)
	}
	return f, nil
}

// readDamaged reads a log some times, and returns what came: once each, with the number of times.
func (b *bench) readDamaged(ctx context.Context, c *dockerd.Container, tail string) (reads []damageRead, err error) {
	for range damageReads {
		records, err := b.records(ctx, c, container.LogsOptions{Tail: tail})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		read := damageRead{Times: 1}
		if err != nil {
			read.Error = err.Error()
		}
		for _, rec := range records {
			if n := rec.number(); n == 0 || n == 6 || !rec.at.Equal(forgedAt(n)) {
				read.Forged++
			} else {
				read.Came = append(read.Came, n)
			}
		}
		same := slices.IndexFunc(reads, func(r damageRead) bool {
			return slices.Equal(r.Came, read.Came) && r.Forged == read.Forged && r.Error == read.Error
		})
		if same < 0 {
			reads = append(reads, read)
		} else {
			reads[same].Times++
		}
	}
	return reads, nil
}

type damageFigures []damage

func (f damageFigures) String() string { return lines(f) }

func (d damage) String() string {
	return fmt.Sprintf("%s: %s; tail=8: %s", d.What, d.words(d.All), d.words(d.Tail))
}

// words says what came, how the answer ended, and how often.
func (d damage) words(reads []damageRead) string {
	last := cmp.Or(d.Last, 10)
	var texts []string
	for _, r := range reads {
		text := "nothing"
		if len(r.Came) > 0 {
			text = ranges(r.Came)
		}
		if r.Forged > 0 {
			text += fmt.Sprintf(" and **%d that nobody wrote**", r.Forged)
		}
		switch {
		case r.Error != "":
			text += ", then `" + r.Error + "`"
		case !slices.Contains(r.Came, last):
			text += ", **then the end, without an error**"
		}
		if len(reads) > 1 {
			text += fmt.Sprintf(" (%d of %d times)", r.Times, damageReads)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", or ")
}

// ranges writes 1, 2, 3 and 5 as 1–3, 5.
func ranges(list []int) string {
	var texts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		text := strconv.Itoa(list[i])
		if j > i {
			text += "–" + strconv.Itoa(list[j])
		}
		texts = append(texts, text)
		i = j + 1
	}
	return strings.Join(texts, ", ")
}
