// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bytes"
	"io"
	"strings"
)

// A container with a terminal has a log without frames: time stamp, space, text,
// "\r\n". The engine cuts long lines into chunks and puts the same time stamp
// again between them, each chunkUnit or a multiple of it apart (16,384 bytes;
// Podman 8,192).
const chunkUnit = 4096

// errorPrefix starts an EngineError that had to be written into a text.
const errorPrefix = "Error grabbing logs: "

// nextLine reads text up to a line end.
func (d *Reader) nextLine() (Record, error) {
	if len(d.rest) > 0 {
		return d.split(d.takeRest()), nil
	}
	p := &d.partial[0]
	if err := d.startLine(p); err != nil {
		return Record{}, err
	}
	for {
		if p.n > 0 && p.n%chunkUnit == 0 && len(p.stamp) > 0 {
			if err := d.skipStamp(p.stamp); err != nil {
				return Record{}, err
			}
		}
		if err := d.need(1); err != nil {
			return Record{}, err
		}
		piece := d.buf[d.r:min(d.w, d.r+chunkUnit-p.n%chunkUnit)]
		i := bytes.IndexByte(piece, '\n')
		if i < 0 {
			d.r += len(piece)
			p.n += len(piece)
			p.add(piece, d.limit)
			continue
		}
		d.r += i + 1
		p.add(piece[:i], d.limit)
		p.dropReturn()
		rec := d.take(p)
		if len(p.stamp) == 0 && strings.HasPrefix(string(rec.Body), errorPrefix) {
			return Record{}, &EngineError{Message: string(rec.Body)}
		}
		return d.split(rec), nil
	}
}

// startLine waits for the time stamp that begins a line, or for a line end that
// shows that there is none.
func (d *Reader) startLine(p *partial) error {
	for {
		b := d.buf[d.r:d.w]
		enough := len(b) > maxStamp || bytes.IndexByte(b, '\n') >= 0
		var end error
		if !enough {
			if end = d.fill(); end == nil {
				continue
			}
			if end != io.EOF || len(b) == 0 {
				return end
			}
		}
		b = d.buf[d.r:d.w] // fill may have moved it
		ns, width := d.stamps.stamp(b)
		if width == 0 {
			if end != nil {
				return unexpected(end)
			}
			ns = d.last
		}
		p.begin(Stdout, ns, d.coarse(b, width))
		p.stamp = append(p.stamp[:0], b[:width]...)
		d.r += width
		d.frames++
		return nil
	}
}

// skipStamp passes over the time stamp of the line's next chunk, if that is what
// follows. It waits for no byte beyond the first that differs.
func (d *Reader) skipStamp(stamp []byte) error {
	for {
		b := d.buf[d.r:d.w]
		if len(b) >= len(stamp) {
			if bytes.HasPrefix(b, stamp) {
				d.r += len(stamp)
				d.frames++
			}
			return nil
		}
		if !bytes.HasPrefix(stamp, b) {
			return nil
		}
		if err := d.fill(); err != nil {
			return err
		}
	}
}

// split cuts a TTY line in front of a time stamp later than its own. Such a line
// is the last, unended one of a run of the container and the first of the next
// run; no program knows the later time while it writes. What is behind the cut
// is left in rest.
func (d *Reader) split(rec Record) Record {
	d.last = rec.Time
	zone := zoneOf(d.partial[0].stamp)
	if rec.Coarse || zone == nil {
		return rec
	}
	for from := 0; ; {
		i := bytes.Index(rec.Body[from:], zone)
		if i < 0 {
			return rec
		}
		from += i + len(zone)
		start := from - zoneAt - len(zone)
		if start <= 0 {
			continue
		}
		if ns, width := d.stamps.stamp(rec.Body[start:from]); width == zoneAt+len(zone) && ns > rec.Time {
			d.rest = rec.Body[start:]
			d.frames++
			rec.Body = rec.Body[:start]
			return rec
		}
	}
}

func (d *Reader) takeRest() Record {
	ns, width := d.stamps.stamp(d.rest)
	rec := Record{Time: ns, Kind: Stdout, Body: d.rest[width:]}
	d.rest = nil
	return rec
}
