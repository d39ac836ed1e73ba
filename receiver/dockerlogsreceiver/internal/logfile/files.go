// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// file is one of a log's files, held open: only a descriptor is an identity, since the engine
// removes files and their inode numbers are used again at once.
type file struct {
	plain      *os.File
	compressed bool
	unpacked   *gzip.Reader // of a compressed one that has been read
	offset     int64        // of what Read returns next, in the log's bytes
	head       head         // as far as it is known
}

// openFile opens a file of the log; one that is compressed if its name says so. The error is
// fs.ErrNotExist where there is none.
func openFile(path string, compressed bool) (*file, error) {
	plain, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &file{plain: plain, compressed: compressed}, nil
}

func (f *file) Close() error { return f.plain.Close() }

// Read implements io.Reader. io.EOF is not for good in a file that the engine writes. Of an
// archive that is damaged it is io.ErrUnexpectedEOF, or an error of the unpacking.
func (f *file) Read(b []byte) (n int, err error) {
	if f.compressed {
		n, err = f.unpack(b)
	} else {
		n, err = f.plain.ReadAt(b, f.offset)
		if n > 0 && err == io.EOF {
			err = nil
		}
	}
	if f.offset == int64(f.head.size) {
		f.head.add(b[:n])
	}
	f.offset += int64(n)
	return n, err
}

func (f *file) unpack(b []byte) (n int, err error) {
	if f.unpacked == nil {
		if f.unpacked, err = gzip.NewReader(f.plain); err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			f.unpacked = nil
			return 0, err
		}
	}
	return f.unpacked.Read(b)
}

// rewritten reports whether the file begins with something else than before: it was emptied,
// and may have become longer again than what had been read of it.
func (f *file) rewritten() bool {
	if f.compressed || f.head.size == 0 {
		return false
	}
	is, err := f.head.isOf(io.NewSectionReader(f.plain, 0, int64(f.head.size)))
	return err == nil && !is // what cannot be read is met, and reported, by who reads on
}

// size returns how many bytes the file has, on disk.
func (f *file) size() (int64, error) {
	info, err := f.plain.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// isAt reports whether the file has that path now, plain or compressed.
func (f *file) isAt(path string) (bool, error) {
	own, err := f.plain.Stat()
	if err != nil {
		return false, err
	}
	if f.compressed {
		path += ".gz"
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && os.SameFile(own, info):
		return true, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, err
	case err == nil || f.compressed || f.head.size == 0: // while there are both the compressed one may be half written
		return false, nil
	}
	archive, err := openFile(path+".gz", true)
	if err != nil {
		return false, nil // there is none, or it is not ours, as far as can be known
	}
	defer func() { _ = archive.Close() }()
	is, err := f.head.isOf(archive)
	return err == nil && is, nil
}

// names are the paths of a log's files: 0 is the one that the engine writes, the others are
// older ones, without the .gz that they may have.
type names struct {
	path  string
	files int // max-file of the log driver: how many there are at most
}

func (n names) at(i int) string {
	if i == 0 {
		return n.path
	}
	return n.path + "." + strconv.Itoa(i)
}

// open opens the file of that number, compressed or not. The plain one is preferred: while
// there are both the other is being written.
func (n names) open(i int) (*file, error) {
	f, err := openFile(n.at(i), false)
	if i > 0 && errors.Is(err, fs.ErrNotExist) {
		return openFile(n.at(i)+".gz", true)
	}
	return f, err
}

// oldest opens the oldest file that there is.
func (n names) oldest() (*file, error) {
	f, err := n.oldestNow()
	if err != nil || n.files < 2 {
		return f, err
	}
	for range maxLooks {
		// The engine renames from the oldest on: while the names were gone through from there, the
		// file that was looked for may have passed from one to the next.
		again, err := n.oldestNow()
		if errors.Is(err, fs.ErrNotExist) {
			continue // not for long, or all but this one are gone
		}
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		same, err := sameFile(f, again)
		if same || err != nil {
			return f, errors.Join(err, again.Close())
		}
		_ = f.Close() // opened for reading only
		f = again
	}
	return f, nil
}

// maxLooks bounds how often the oldest file is looked for while the engine rotates.
const maxLooks = 10

func (n names) oldestNow() (*file, error) {
	for i := max(n.files, 1) - 1; ; i-- {
		f, err := n.open(i)
		if i == 0 || !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
}

func sameFile(f, g *file) (bool, error) {
	a, err := f.plain.Stat()
	if err != nil {
		return false, err
	}
	b, err := g.plain.Stat()
	return err == nil && os.SameFile(a, b), err
}

// numberOf returns which number a file has now, -1 if none.
func (n names) numberOf(f *file) (int, error) {
	for i := range max(n.files, 2) { // Engine 20.10 keeps one more than max-file=1 says
		if at, err := f.isAt(n.at(i)); at || err != nil {
			return i, err
		}
	}
	return -1, nil
}
