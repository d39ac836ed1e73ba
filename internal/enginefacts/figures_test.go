// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func frame(kind byte, text string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{kind, 0, 0, 0}, uint32(len(text)))
	return append(b, text...)
}

func TestAnswer(t *testing.T) {
	body := append(frame(1, "2026-01-02T03:04:05.000000007Z line 1\n"), frame(2, "2026-01-02T04:04:05.000000008+01:00 line 2\n")...)
	read := func(body []byte) ([]record, error) { return newAnswer(io.NopCloser(bytes.NewReader(body))).all() }

	records, err := read(body)
	require.NoError(t, err)
	require.Len(t, records, 2)
	assert.Equal(t, []int{1, 2}, []int{records[0].number(), records[1].number()})
	assert.True(t, records[0].at.Equal(forgedAt(1)))
	assert.True(t, records[1].at.Equal(forgedAt(2)))

	records, err = read(append(body, frame(3, "Error grabbing logs: EOF\n")...))
	assert.Len(t, records, 2)
	assert.EqualError(t, err, "error frame: Error grabbing logs: EOF")

	for cut := range len(body) {
		if _, err := read(body[:cut]); cut == 0 || cut == len(frame(1, "2026-01-02T03:04:05.000000007Z line 1\n")) {
			assert.NoError(t, err, "cut at %d", cut)
		} else {
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "cut at %d", cut)
		}
	}
}

func TestRepeats(t *testing.T) {
	r := newRepeats()
	add := func(numbers ...int) {
		for _, n := range numbers {
			r.add(record{kind: 1, stamp: forgedAt(n).Format(time.RFC3339Nano), at: forgedAt(n), text: []byte("text")})
		}
	}
	add(1, 2, 3, 4, 2, 3, 5, 1, 6)
	assert.Len(t, r.at, 6)
	assert.Equal(t, 3, r.again)
	assert.Equal(t, 2, r.runs)
	assert.Equal(t, 7, r.reachRecords, "the first came again as the eighth")
	assert.Equal(t, 4*time.Nanosecond, r.reachTime, "when the fifth was the newest")
}

func TestFirstWarning(t *testing.T) {
	log := `time="1" level=warning msg="an old one about a log"
time="2" level=info msg="a log that is well"
time="3" level=warning msg="another matter"
time="4" level=error msg="skipped some log \"messages\"" container=7
time="5" level=warning msg="a later one about a log"
`
	assert.Equal(t, `skipped some log \"messages\"`, firstWarning(log, 1))
	assert.Empty(t, firstWarning(log, 5))
}

func TestWrap(t *testing.T) {
	word := strings.Repeat("ü", 43)
	assert.Equal(t, word+" "+word+"\n"+word+" b", wrap(word+" "+word+"  "+word+"\nb"))
	assert.Equal(t, "a "+word+" "+word+" "+word[:2*40], wrap("a "+word+" "+word+" "+word[:2*40]), "these are 130 characters")
}

func TestDamageWords(t *testing.T) {
	d := damage{Torn: 3, Last: 4}
	records := func(numbers ...int) (list []record) {
		for _, n := range numbers {
			list = append(list, record{at: forgedAt(n), text: fmt.Appendf(nil, "line %d\n", n)})
		}
		return list
	}
	whole, early, none := d.judge(records(1, 2, 4), nil, 4), d.judge(records(1, 2), nil, 4), d.judge(nil, io.ErrUnexpectedEOF, 4)
	failed := d.judge(records(1, 2), io.ErrUnexpectedEOF, 4)
	glued := d.judge(append(records(1, 2), record{at: forgedAt(3), text: []byte("line 4\n")}), nil, 4)
	for _, r := range []*damageRead{&whole, &early, &none, &failed, &glued} {
		r.Times = damageReads
	}
	assert.Equal(t, "1–2, 4", d.words([]damageRead{whole}))
	assert.Equal(t, "1–2, **then the end, without an error**", d.words([]damageRead{early}))
	assert.Equal(t, "1–2 and **1 that nobody wrote**, **then the end, without an error**", d.words([]damageRead{glued}))
	none.Times, whole.Times, failed.Times = 1, 2, 2
	assert.Equal(t, "from nothing to 1–2, then `unexpected EOF` (3 of 5 times), or 1–2, 4 (2 of 5 times)", d.words([]damageRead{none, whole, failed}))
}

func TestWords(t *testing.T) {
	assert.Equal(t, "1–3, 5, 7–8", ranges([]int{1, 2, 3, 5, 7, 8}))
	assert.Equal(t, "+01:00", zoneOf("2026-11-23T09:37:33.1+01:00"))
	assert.Equal(t, "-01:00", zoneOf("2026-11-23T09:37:33.1-01:00"))
	assert.Equal(t, "Z", zoneOf("2026-11-23T09:37:33Z"))
	some := rotation{Megabytes: 1, Files: 3, Lines: 100, Rate: 5_000, KeptRate: true, Missing: 7, Repeats: 3, Runs: 1, ReachRecords: 40, ReachTime: 20 * time.Millisecond}
	assert.Equal(t, "3 x 1 MB, 5,000 lines/s", some.name())
	assert.Equal(t, "7.0 % of the lines missing, 3 repeats, back to 40 records and 0.02 s before the newest", some.words())
}
