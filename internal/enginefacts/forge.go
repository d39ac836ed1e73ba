// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"fmt"
	"time"
)

// forgedStart is the time of the first record of a log that no container wrote.
var forgedStart = time.Date(2026, time.January, 2, 3, 4, 5, 6, time.UTC)

// forgedAt returns the time of record n, from 1: each is a nanosecond after the one before.
func forgedAt(n int) time.Time { return forgedStart.Add(time.Duration(n)) }

// forgedLine returns record n of a json-file as it is between two line ends. Odd ones are of stdout, even ones of stderr.
func forgedLine(n int, at time.Time) string {
	stream := [...]string{"stderr", "stdout"}[n%2]
	return fmt.Sprintf(`{"log":"line %d\n","stream":"%s","time":"%s"}`, n, stream, at.Format(time.RFC3339Nano))
}

// forgedLog returns the records from first to last, in order.
func forgedLog(first, last int) (log []byte) {
	for n := first; n <= last; n++ {
		log = append(log, forgedLine(n, forgedAt(n))+"\n"...)
	}
	return log
}

// number returns which of the forged records one is; 0 is none.
func (r record) number() (n int) {
	_, _ = fmt.Sscanf(string(r.text), "line %d\n", &n)
	return n
}

// numbers returns which of the forged records these are.
func numbers(records []record) (list []int) {
	for _, rec := range records {
		list = append(list, rec.number())
	}
	return list
}

// sinceOf returns the query parameter that asks for a log from a time on.
func sinceOf(at time.Time) string { return fmt.Sprintf("%d.%09d", at.Unix(), at.Nanosecond()) }
