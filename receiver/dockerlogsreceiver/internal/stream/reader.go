// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

const (
	headerSize = 8
	// minBuffer holds a header and the widest time stamp, some times over.
	minBuffer = 512
	// errorKind is the frame type of an EngineError; its text is kept up to
	// maxErrorSize.
	errorKind    = 3
	maxErrorSize = 4 << 10
)

// Reader reads records from the body of a logs request. It allocates no more
// than its buffer and, for each stream, a line of the limit's length, whatever
// the sender claims. It is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	buf    []byte // buf[r:w] is read and not yet decoded
	r, w   int
	err    error // sticky; io.EOF only between two frames
	tty    bool
	shared bool
	detect bool // tty is not known before the first byte
	frames int

	lines
	stamps Instants
	rest   []byte // of a TTY line that proved to be several records
}

// NewReader makes a reader with a buffer of that many bytes, to be used after Reset.
// Frames that do not fit into it are read in pieces.
func NewReader(buffer int) *Reader {
	return &Reader{buf: make([]byte, max(buffer, minBuffer))}
}

// Reset makes the reader read from src, as if it were new. tty is set where the container
// has a terminal, so that its log has no frames; shared where time stamps are of what the
// engine has read at a time (Podman), however many digits they have: all lines in it share
// one, and chunks of one line have several. Lines are cut at limit bytes.
func (d *Reader) Reset(src io.Reader, tty, shared bool, limit int) {
	*d = Reader{src: src, tty: tty, shared: shared, lines: lines{limit: limit}, buf: d.buf}
}

// Detect makes the reader find out whether the answer has frames, whatever Reset was told:
// a frame begins with the number of its stream, a line of a terminal with its time stamp.
func (d *Reader) Detect() { d.detect = true }

// Next blocks until a line is whole and returns it. The error is io.EOF where the
// body ended between two records, io.ErrUnexpectedEOF where it ended inside
// one, an *EngineError where the engine said why, or that of the source.
// It stays: every later call returns it again.
func (d *Reader) Next() (Record, error) {
	if len(d.rest) == 0 {
		d.release()
	}
	if d.err != nil {
		return Record{}, d.err
	}
	var rec Record
	var err error
	if d.detect {
		if err = d.need(1); err == nil {
			d.tty, d.detect = d.buf[d.r] > errorKind, false
		}
	}
	switch {
	case err != nil:
	case d.tty:
		rec, err = d.nextLine()
	default:
		rec, err = d.nextFrames()
	}
	if err != nil {
		d.err = err
	}
	return rec, err
}

// Ready reports whether Next has a whole record at hand and will not wait for the
// source.
func (d *Reader) Ready() bool {
	if len(d.rest) > 0 {
		return true
	}
	b := d.buf[d.r:d.w]
	if d.tty {
		return bytes.IndexByte(b, '\n') >= 0
	}
	for len(b) >= headerSize {
		end := headerSize + int64(binary.BigEndian.Uint32(b[4:]))
		if end > int64(len(b)) {
			return false
		}
		if b[end-1] == '\n' {
			return true
		}
		b = b[end:]
	}
	return false
}

// Frames counts the engine's records so far, in the unit of the query parameter
// tail: a line of several chunks counts several times.
func (d *Reader) Frames() int { return d.frames }

// Pending reports whether a line has begun whose end has not been read.
func (d *Reader) Pending() bool {
	return d.lines.Pending() || len(d.rest) > 0
}

// Flush returns, one a call, the lines older than before (nanoseconds since the
// epoch) whose end never came. It is for the caller that knows that they were
// the last words of a run of the container, and only after Next has returned
// io.EOF.
func (d *Reader) Flush(before int64) (Record, bool) {
	if d.err != io.EOF {
		return Record{}, false
	}
	if len(d.rest) > 0 {
		return d.split(d.takeRest()), true
	}
	rec, ok := d.lines.Flush(before)
	if ok && d.tty {
		rec = d.split(rec)
	}
	return rec, ok
}

// nextFrames reads frames until one of them ends a line.
func (d *Reader) nextFrames() (Record, error) {
	for {
		if err := d.need(headerSize); err != nil {
			return Record{}, err
		}
		kind, size, err := parseHeader(d.buf[d.r:])
		if err != nil {
			return Record{}, err
		}
		if kind == errorKind {
			return Record{}, d.engineError(size)
		}
		if size == 0 {
			d.r += headerSize
			continue
		}
		inHand := min(size, maxStamp+1)
		if err := d.need(headerSize + inHand); err != nil {
			return Record{}, unexpected(err)
		}
		ns, width := d.stamps.stamp(d.buf[d.r+headerSize:][:inHand])
		coarse := d.coarse(d.buf[d.r+headerSize:], width)
		precise := width > 0 && !coarse
		p := &d.partial[kind-1]
		if width == 0 {
			ns = d.last
			if p.active {
				ns = p.time
			}
		}
		if p.active && !p.continues(ns, coarse) {
			// The container ended in the middle of that line and ran again. The
			// frame at hand is left for the next call.
			return d.take(p), nil
		}
		if headerSize+size > len(d.buf) {
			d.r += headerSize + width
			p.begin(kind, ns, coarse)
			p.newest = ns
			ended, err := d.readPieces(p, size-width)
			if err != nil {
				return Record{}, err
			}
			d.frames++
			ended = ended || (precise && size-width < leastChunk)
			if ended {
				return d.take(p), nil
			}
			continue
		}
		if err := d.need(headerSize + size); err != nil {
			return Record{}, unexpected(err)
		}
		payload := d.buf[d.r+headerSize:][:size]
		d.frames++
		d.r += headerSize + size
		line, ended := bytes.CutSuffix(payload[width:], newline)
		ended = ended || (precise && len(line) < leastChunk)
		if rec, whole := d.add(kind, ns, coarse, line, ended); whole {
			return rec, nil
		}
	}
}

// coarse reports whether the records of a log may share the time of one that has a stamp of
// that width.
func (d *Reader) coarse(stamp []byte, width int) bool {
	return width > 0 && (d.shared || isCoarse(stamp, width))
}

var newline = []byte{'\n'}

// readPieces adds the next n bytes, a frame larger than the buffer, to a line and
// reports whether the line ends with them.
func (d *Reader) readPieces(p *partial, n int) (ended bool, err error) {
	for n > 0 {
		piece, err := d.piece(n)
		if err != nil {
			return false, err
		}
		n -= len(piece)
		if n == 0 {
			piece, ended = bytes.CutSuffix(piece, newline)
		}
		p.add(piece, d.limit)
	}
	return ended, nil
}

// piece takes what is at hand of the next n bytes of a frame, one byte at least.
func (d *Reader) piece(n int) ([]byte, error) {
	if err := d.need(1); err != nil {
		return nil, unexpected(err)
	}
	piece := d.buf[d.r:min(d.w, d.r+n)]
	d.r += len(piece)
	return piece, nil
}

// engineError reads the text of an error, which may be larger than the buffer.
func (d *Reader) engineError(size int) error {
	d.r += headerSize
	text := make([]byte, 0, min(size, maxErrorSize))
	for len(text) < cap(text) {
		piece, err := d.piece(cap(text) - len(text))
		if err != nil {
			return err
		}
		text = append(text, piece...)
	}
	return &EngineError{Message: string(bytes.TrimSpace(text))}
}

func parseHeader(b []byte) (kind Kind, size int, err error) {
	n := binary.BigEndian.Uint32(b[4:])
	if b[0] > errorKind || b[1] != 0 || b[2] != 0 || b[3] != 0 || n > math.MaxInt32 {
		return 0, 0, fmt.Errorf("malformed frame header % x", b[:headerSize])
	}
	return max(Kind(b[0]), Stdout), int(n), nil // 0 is stdin, which has no place in a log
}

// need waits until n bytes, which must fit into the buffer, are at hand. The error
// is io.EOF where the source ended with none left, io.ErrUnexpectedEOF with some.
func (d *Reader) need(n int) error {
	for d.w-d.r < n {
		if err := d.fill(); err != nil {
			if d.w > d.r {
				err = unexpected(err)
			}
			return err
		}
	}
	return nil
}

// fill reads once from the source.
func (d *Reader) fill() error {
	if d.r > 0 {
		d.w = copy(d.buf, d.buf[d.r:d.w])
		d.r = 0
	}
	for range 100 { // as bufio: a source that returns nothing for ever is broken
		n, err := d.src.Read(d.buf[d.w:])
		d.w += n
		if n > 0 {
			return nil // an error that came with bytes comes again without
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
