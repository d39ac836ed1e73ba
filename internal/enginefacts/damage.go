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
	What string     `json:"what"`
	Last int        `json:"last,omitempty"` // the last whole record; 0 is 10
	All  damageRead `json:"all"`
	Tail damageRead `json:"tail"` // with tail=8, which reaches back behind the damage

	current, older []byte
}

// damageRead is one of these reads.
type damageRead struct {
	Before []int  `json:"before"` // which of the whole records came
	After  []int  `json:"after"`
	Forged int    `json:"forged"` // records that nobody wrote
	Error  string `json:"error"`
}

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

func (b *bench) readDamaged(ctx context.Context, c *dockerd.Container, tail string) (r damageRead, err error) {
	a, err := b.logs(ctx, c, container.LogsOptions{Tail: tail})
	if err != nil {
		return r, err
	}
	defer a.Close()
	records, err := a.all()
	if err != nil {
		r.Error = err.Error()
	}
	for _, rec := range records {
		switch n := rec.number(); {
		case n == 0 || n == 6 || !rec.at.Equal(forgedAt(n)):
			r.Forged++
		case n < 6:
			r.Before = append(r.Before, n)
		default:
			r.After = append(r.After, n)
		}
	}
	return r, ctx.Err()
}

type damageFigures []damage

func (f damageFigures) String() string { return lines(f) }

func (d damage) String() string {
	last := cmp.Or(d.Last, 10)
	return fmt.Sprintf("%s: %s; tail=8: %s", d.What, d.All.words(last), d.Tail.words(last))
}

// words says what came, and how the answer ended.
func (r damageRead) words(last int) string {
	came := append(slices.Clone(r.Before), r.After...)
	text := "nothing"
	if len(came) > 0 {
		text = ranges(came)
	}
	if r.Forged > 0 {
		text += fmt.Sprintf(" and **%d that nobody wrote**", r.Forged)
	}
	switch {
	case r.Error != "":
		text += ", then " + "`" + r.Error + "`"
	case !slices.Contains(came, last):
		text += ", **then the end, without an error**"
	case last == 10 && len(r.After) < 4:
		text += ", the rest left out"
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
		text := strconv.Itoa(list[i])
		if j > i {
			text += "–" + strconv.Itoa(list[j])
		}
		texts = append(texts, text)
		i = j + 1
	}
	return strings.Join(texts, ", ")
}
