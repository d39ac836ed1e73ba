// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
)

// Format is that of a log's files.
type Format uint8

const (
	JSON  Format = iota // of the log driver json-file
	Local               // of the log driver local, and of the cache of dual logging
)

// bufferSize is how much is read of a file at a time, in bytes.
const bufferSize = 256 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// Reader reads a container's log from its files, from the oldest to the one that the engine
// writes, and goes on with that. It holds one file open. It is not safe for concurrent use.
type Reader struct {
	names   names
	format  Format
	decoder decoder

	file *file // nil before the first read
	// superseded is set when the engine writes another file: it has closed this one, which
	// therefore has an end.
	superseded bool
	buf        []byte // buf[r:w] is read and not decoded; nil while the reader rests
	pooled     *[bufferSize]byte
	r, w       int
	start      int64 // of the record last returned, in the file
	size       int64 // of the file, when it was last read to its end
	gone       bool  // nothing had the name of the file that the engine writes then
	damaged    bool  // since that; reported once
	bytesRead  int64
}

// NewReader returns a reader of the files that begin with path, of which the log driver keeps
// maxFiles at most. It opens none.
func NewReader(path string, format Format, maxFiles int) *Reader {
	r := &Reader{names: names{path: path, files: maxFiles}, format: format, decoder: &jsonDecoder{}}
	if format == Local {
		r.decoder = localDecoder{}
	}
	return r
}

// Keep says how many files the log driver keeps at most, as NewReader does.
func (r *Reader) Keep(maxFiles int) { r.names.files = maxFiles }

// Next returns the next record. The error is io.EOF where there is none at present, one of
// the errors of this package where lines may be missing before the record that the next call
// returns, or that of the file system.
func (r *Reader) Next() (Chunk, error) {
	if r.file == nil {
		f, err := r.names.oldest()
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return Chunk{}, io.EOF
		case err != nil:
			return Chunk{}, err
		}
		r.file = f
	}
	for {
		c, n, err := r.decoder.decode(r.buf[r.r:r.w])
		switch {
		case err == nil:
			r.start = r.offset()
			r.r += n
			r.damaged = false
			return c, nil
		case err == errShort:
			if err := r.more(); err != nil {
				return Chunk{}, err
			}
			continue
		case n > 0:
			r.r += n
		default:
			if resumed, err := r.resync(); !resumed {
				return Chunk{}, err
			}
		}
		if !r.damaged {
			r.damaged = true
			return Chunk{}, err
		}
	}
}

// more reads on, in this file or in the one that follows it.
func (r *Reader) more() error {
	if r.buf == nil && r.file.rewritten() {
		r.restart()
		return ErrTruncated
	}
	n, err := r.fill()
	switch {
	case n > 0:
		return nil
	case err != io.EOF && !r.file.compressed:
		return err
	case err != io.EOF: // an archive that is cut off, or damaged, costs its own rest only
		return r.follow(ErrTorn)
	}
	if size, err := r.file.size(); err != nil || (!r.file.compressed && size < r.file.offset) {
		if err == nil {
			r.restart()
			err = ErrTruncated
		}
		return err
	}
	r.size = r.file.offset
	if r.superseded {
		if r.Torn() {
			return ErrTorn
		}
		return r.follow(nil)
	}
	// Another file under the name means that the engine has closed this one: what it wrote
	// last is read before that is left. No file at all is normal for some milliseconds.
	current, err := os.Stat(r.names.path)
	r.gone = errors.Is(err, fs.ErrNotExist)
	if r.gone {
		return io.EOF
	}
	if err != nil {
		return err
	}
	own, err := r.file.plain.Stat()
	if err != nil {
		return err
	}
	if os.SameFile(own, current) {
		return io.EOF
	}
	r.superseded = true
	return nil
}

// fill reads once from the file.
func (r *Reader) fill() (int, error) {
	switch {
	case r.buf == nil:
		r.pooled = buffers.Get().(*[bufferSize]byte)
		r.buf, r.r, r.w = r.pooled[:], 0, 0
	case r.r > 0:
		r.w = copy(r.buf, r.buf[r.r:r.w])
		r.r = 0
	case r.w == len(r.buf): // a record that is longer
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := r.file.Read(r.buf[r.w:])
	r.w += n
	r.bytesRead += int64(n)
	return n, err
}

// BytesRead is how much has been read of all files, unpacked.
func (r *Reader) BytesRead() int64 { return r.bytesRead }

// Torn passes over half a record at the end of the file of a container that has ended, or of one
// that the engine has closed, and reports whether it did. It does not where the file is still there
// and nothing stands behind the half: the container may be started again, and the engine go on there.
func (r *Reader) Torn() bool {
	if r.w == r.r {
		return false
	}
	place := r.file.offset
	if r.format == Local && !r.file.compressed { // whose records begin with their length, which hides others
		chain, err := r.lastChain()
		if err == nil {
			place = chain
		}
	}
	if place == r.file.offset && !r.superseded && !r.gone {
		return false
	}
	r.file.offset, r.r, r.w = place, 0, 0
	return true
}

// LeftUnread reports whether the engine has begun another file that is gone, so that what was
// written to it cannot be read any more. It begins one for the record behind maxSize bytes; 0 is
// no limit. It is for a log whose end has been reached.
func (r *Reader) LeftUnread(maxSize int64) bool {
	return r.superseded || r.gone && maxSize > 0 && r.size >= maxSize
}

// follow goes on with the file behind this one. lost is what this one ended with.
func (r *Reader) follow(lost error) error {
	number, err := r.names.numberOf(r.file)
	if err != nil {
		return err
	}
	var next *file
	switch {
	case number == 0: // again
		r.superseded = false
		return io.EOF
	case number > 0:
		next, err = r.names.open(number - 1)
	default:
		next, err = r.names.oldest()
		lost = ErrRotated
	}
	if errors.Is(err, fs.ErrNotExist) {
		return io.EOF // it is being renamed, or the container has been removed
	}
	if err != nil {
		return err
	}
	if lost != ErrRotated {
		// Not if the files have been renamed in between.
		if now, err := r.names.numberOf(r.file); err != nil || now != number {
			return errors.Join(err, next.Close()) // look again
		}
	}
	err = r.file.Close()
	r.file, r.superseded = next, false
	r.r, r.w = 0, 0
	return errors.Join(lost, err)
}

// restart reads the file again from its first byte.
func (r *Reader) restart() {
	r.file.offset, r.file.head = 0, head{}
	r.r, r.w = 0, 0
}

// resync finds where to go on in a file of the driver local in which the chain of lengths is
// broken: from its end backwards, where they lead to another. Text that looks like a record
// can thus not be taken for one. It reports false where no end of a record stands at the
// end, with the error of Next.
func (r *Reader) resync() (resumed bool, err error) {
	if r.file.compressed {
		err := r.follow(nil)
		return err == nil, err
	}
	place, err := r.lastChain()
	if err != nil {
		return false, err
	}
	if place == r.size && !r.superseded {
		return false, io.EOF // its last record is being written
	}
	r.file.offset, r.r, r.w = place, 0, 0
	return true, nil
}

// lastChain returns where the records begin that stand without a break at the end of a file of the
// driver local, behind what has been returned of it: its size if there are none, which is in r.size.
func (r *Reader) lastChain() (place int64, err error) {
	if r.size, err = r.file.size(); err != nil {
		return 0, err
	}
	broken := r.offset()
	place = r.size
	for place > broken {
		start, ok, err := recordBefore(r.file.plain, place)
		if err != nil {
			return 0, err
		}
		if !ok || start <= broken {
			break
		}
		place = start
	}
	return place, nil
}

// recordBefore returns where the record starts that ends at a place.
func recordBefore(f io.ReaderAt, end int64) (start int64, ok bool, err error) {
	var trailer, header [localFrame]byte
	if _, err := f.ReadAt(trailer[:], end-localFrame); err != nil {
		return 0, false, err
	}
	size := int64(binary.BigEndian.Uint32(trailer[:]))
	start = end - size - 2*localFrame
	if size == 0 || size > maxRecord || start < 0 {
		return 0, false, nil
	}
	if _, err := f.ReadAt(header[:], start); err != nil {
		return 0, false, err
	}
	return start, header == trailer, nil
}

// offset is where the next record begins in the file.
func (r *Reader) offset() int64 { return r.file.offset - int64(r.w-r.r) }

// Last is where the record begins that Next has returned last.
func (r *Reader) Last() Mark { return Mark{r.file, r.start} }

// End is how far a file has been read.
type End struct {
	file fs.FileInfo // nil if none
	size int64       // bytes, half a record at the end included
}

// End returns the path of the file that the engine writes, and how far it has been read.
func (r *Reader) End() (string, End) {
	if r.file == nil {
		return r.names.path, End{}
	}
	info, err := r.file.plain.Stat()
	if err != nil {
		return r.names.path, End{}
	}
	return r.names.path, End{file: info, size: r.size}
}

// Changed reports whether the file under a path is another, or longer or shorter than what
// has been read. A file that is gone has not: it may be on its way.
func (e End) Changed(path string) bool {
	now, err := os.Stat(path)
	if err != nil {
		return false
	}
	return e.file == nil || !os.SameFile(e.file, now) || now.Size() != e.size
}

// Rest gives the memory back that reading takes. The next call of Next goes on.
func (r *Reader) Rest() {
	if r.buf == nil || (r.file != nil && r.file.compressed) {
		return // what has been unpacked cannot be read again
	}
	if r.file != nil {
		r.file.offset = r.offset()
	}
	if r.pooled != nil {
		buffers.Put(r.pooled)
	}
	r.buf, r.pooled, r.r, r.w = nil, nil, 0, 0
}

// Close closes the file. The reader is not to be used any more.
func (r *Reader) Close() error {
	r.Rest()
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
