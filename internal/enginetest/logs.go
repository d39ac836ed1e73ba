// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// follow is a log stream that is being served.
type follow struct {
	*feed[Record]
	conn    *conn
	stalled bool // it gets nothing that is written any more; guarded by Engine.mu
}

// logsQuery is what a request for logs asks for.
type logsQuery struct {
	stdout, stderr bool
	follow         bool
	timestamps     bool
	tail           int // negative: all
	since, until   time.Time
}

// logs serves GET /containers/{name}/logs.
func (x *exchange) logs(name string) error {
	values := x.r.URL.Query()
	query := logsQuery{
		stdout:     boolValue(values.Get("stdout")),
		stderr:     boolValue(values.Get("stderr")),
		follow:     boolValue(values.Get("follow")),
		timestamps: boolValue(values.Get("timestamps")),
	}
	if !query.stdout && !query.stderr {
		return &statusError{http.StatusBadRequest, "Bad parameters: you must choose at least one stream"}
	}
	e := x.engine
	e.mu.Lock()
	c, err := e.find(name)
	if err == nil {
		x.req.Container = c.spec.ID
		err = c.refuseLogs()
	}
	if err == nil {
		err = query.parseRange(values)
	}
	if err != nil {
		e.mu.Unlock()
		return err
	}
	raw, faults := c.raw, c.fault()
	f, release := c.open(x, query)
	e.mu.Unlock()
	defer release()

	x.setLogType(c.spec.TTY)
	if !faults.WithholdHeaders && !e.lateHeaders {
		x.begin()
	}
	if raw != nil {
		x.sendLog(raw, faults)
	} else {
		x.sendRecords(c, f, query)
	}
	x.begin()
	return nil
}

// parseRange reads tail, since and until. A tail that is not a number means all.
func (q *logsQuery) parseRange(values url.Values) (err error) {
	if q.tail, err = strconv.Atoi(values.Get("tail")); err != nil {
		q.tail = -1
	}
	if q.since, err = parseTimestamp(values.Get("since")); err != nil {
		return err
	}
	if until := values.Get("until"); until != "0" {
		q.until, err = parseTimestamp(until)
	}
	return err
}

// parseTimestamp reads seconds, or seconds.nanoseconds with as few digits as one likes. Nothing means no time.
func parseTimestamp(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	whole, fraction, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	var nanos int64
	if fraction != "" {
		if nanos, err = strconv.ParseInt(fraction, 10, 64); err != nil {
			return time.Time{}, err
		}
		nanos = int64(float64(nanos) * math.Pow10(9-len(fraction)))
	}
	return time.Unix(seconds, nanos), nil
}

// refuseLogs is the error that the container answers a request for logs with. mu is held.
func (c *Container) refuseLogs() error {
	if faults := c.fault(); faults.Status != 0 {
		return &statusError{faults.Status, cmp.Or(faults.Message, http.StatusText(faults.Status))}
	}
	if c.spec.Driver == "none" {
		return &statusError{http.StatusNotImplemented, "configured logging driver does not support reading"}
	}
	return nil
}

// open starts a stream with what the log holds, and a follow if the container still logs. mu is held.
func (c *Container) open(x *exchange, query logsQuery) (*follow, func()) {
	e := c.engine
	f, release := newFeed[Record](x.r.Context(), &e.mu)
	stream := &follow{feed: f, conn: x.conn}
	backlog := c.records
	if query.tail >= 0 {
		tail := query.tail
		if more := c.fault().ReadOn; more != nil && !query.follow {
			tail += more()
		}
		backlog = backlog[len(backlog)-min(tail, len(backlog)):]
	}
	if c.fault().HangTail && query.tail >= 0 && c.logging() {
		return stream, release // it ends with the request
	}
	backlog = c.overtake(backlog, query)
	f.items = backlog[:len(backlog):len(backlog)]
	if !query.follow || !c.logging() || c.raw != nil {
		f.end()
		return stream, release
	}
	stream.stalled = c.fault().Stall
	c.follows[stream] = struct{}{}
	e.follows++
	e.changed.Broadcast()
	return stream, func() {
		release()
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(c.follows, stream)
		e.follows--
		e.changed.Broadcast()
	}
}

// overtake leaves out what an engine never sends that reports an unreadable record ahead of those that it has ready: before each
// it tosses a coin whether to send that or the error. mu is held.
func (c *Container) overtake(backlog []Record, query logsQuery) []Record {
	var ready []int
	for i, r := range backlog {
		bad, isBad := c.unstable[r.Number]
		switch {
		case isBad && bad.message != "":
			sent := max(0, len(ready)-c.engine.readAhead)
			for sent < len(ready) && c.engine.coin.IntN(2) == 0 {
				sent++
			}
			if sent == len(ready) {
				return backlog
			}
			return slices.Concat(backlog[:ready[sent]], backlog[i:])
		case r.Time.Before(query.since):
			continue
		case !query.until.IsZero() && r.Time.After(query.until):
			return backlog
		}
		query.since = time.Time{}
		if c.engine.readAhead > 0 {
			ready = append(ready, i)
		}
	}
	return backlog
}

// setLogType sets the content type of a log stream, which engines before 1.42 do not send.
func (x *exchange) setLogType(tty bool) {
	x.w.Header()["Content-Type"] = nil // else net/http would guess one
	switch {
	case !x.engine.modern:
	case !tty && !less(x.apiVersion, "1.42"):
		x.w.Header().Set("Content-Type", "application/vnd.docker.multiplexed-stream")
	default:
		x.w.Header().Set("Content-Type", "application/vnd.docker.raw-stream")
	}
}

// errEnd ends a stream before its log ends.
var errEnd = errors.New("end of stream")

// sendRecords sends a stream record by record, each as one chunk.
func (x *exchange) sendRecords(c *Container, f *follow, query logsQuery) {
	left := 0 // of the records that go with a damaged one
	for {
		r, ok := f.next()
		if !ok {
			return
		}
		if left > 0 {
			left--
			continue
		}
		var faults Faults
		var bad unreadable
		var isBad bool
		x.update(func() {
			x.req.Scanned++
			faults = c.fault()
			if bad, isBad = c.unstable[r.Number]; bad.once {
				delete(c.unstable, r.Number)
			}
		})
		if left = bad.skips; left > 0 {
			continue
		}
		if isBad {
			if bad.message != "" {
				x.sendLog(render(c.spec.TTY, system, "Error grabbing logs: "+bad.message+"\n"), faults)
			}
			return
		}
		if r.Time.Before(query.since) {
			continue
		}
		if x.engine.sinceOnce {
			query.since = time.Time{}
		}
		if !query.until.IsZero() && r.Time.After(query.until) {
			return
		}
		if r.Stream == Stdout && !query.stdout || r.Stream == Stderr && !query.stderr {
			continue
		}
		text := r.Text
		if query.timestamps {
			text = r.Time.UTC().Format(x.engine.timeLayout) + " " + text
		}
		if x.sendLog(render(c.spec.TTY, r.Stream, text), faults) != nil {
			return
		}
		x.update(func() { x.req.Records++ })
	}
}

// render makes a frame: the stream, three zeroes, the size in four bytes, big-endian. A TTY has none.
func render(tty bool, stream Stream, text string) []byte {
	if tty {
		return []byte(text)
	}
	frame := make([]byte, 8, 8+len(text))
	frame[0] = byte(stream)
	binary.BigEndian.PutUint32(frame[4:], uint32(len(text)))
	return append(frame, text...)
}

// sendLog sends a piece of a log stream, or as much of it as comes before the scripted cut.
func (x *exchange) sendLog(p []byte, faults Faults) error {
	if faults.CutAfter <= 0 || x.req.Bytes+int64(len(p)) < faults.CutAfter {
		return x.send(p)
	}
	_ = x.send(p[:max(0, faults.CutAfter-x.req.Bytes)])
	if !faults.CutCleanly {
		_ = x.conn.Close()
	}
	return errEnd
}
