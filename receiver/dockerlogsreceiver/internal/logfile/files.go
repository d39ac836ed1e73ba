// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package logfile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
)

// headSize is how many of a file's first bytes it is recognised by once it has been
// compressed. It holds the first record's time stamp, which no other file has.
const headSize = 256

// file is one of a log's files, held open: only a descriptor is an identity, since the engine
// removes files and their inode numbers are used again at once.
type file struct {
	plain  *os.File
	gz     *gzip.Reader // of a compressed one, else nil
	offset int64        // of what Read returns next, in the log's bytes
	head   []byte       // its first bytes, as far as they are known
}

// openFile opens a file of the log; one that is compressed if its name says so. The error is
// fs.ErrNotExist where there is none.
func openFile(path string, compressed bool) (*file, error) {
	plain, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &file{plain: plain}
	if compressed {
		if f.gz, err = gzip.NewReader(plain); err != nil {
			return nil, errors.Join(err, plain.Close())
		}
	}
	return f, nil
}

func (f *file) Close() error { return f.plain.Close() }

// Read implements io.Reader. io.EOF is not for good in a file that the engine writes.
func (f *file) Read(b []byte) (n int, err error) {
	if f.gz != nil {
		n, err = f.gz.Read(b)
	} else {
		n, err = f.plain.ReadAt(b, f.offset)
		if n > 0 && err == io.EOF {
			err = nil
		}
	}
	if missing := headSize - len(f.head); missing > 0 && f.offset == int64(len(f.head)) {
		f.head = append(f.head, b[:min(n, missing)]...)
	}
	f.offset += int64(n)
	return n, err
}

// rewritten reports whether the file begins with something else than before: it was emptied,
// and may have become longer again than what had been read of it.
func (f *file) rewritten() bool {
	if f.gz != nil || len(f.head) == 0 {
		return false
	}
	var head [headSize]byte
	n, err := f.plain.ReadAt(head[:len(f.head)], 0)
	return n < len(f.head) || (err == nil && !bytes.Equal(head[:n], f.head))
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
	info, err := os.Stat(path)
	switch {
	case err == nil && os.SameFile(own, info):
		return true, nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return false, err
	case err == nil || len(f.head) == 0: // while there are both the compressed one may be half written
		return false, nil
	}
	compressed, err := openFile(path+".gz", true)
	if err != nil {
		return false, nil // there is none, or it is not ours, as far as can be known
	}
	defer func() { _ = compressed.Close() }()
	head := make([]byte, len(f.head))
	_, err = io.ReadFull(compressed, head)
	return err == nil && bytes.Equal(head, f.head), nil
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

// oldest opens the oldest file that there is. One that is unreadable costs only itself.
func (n names) oldest() (*file, error) {
	for i := max(n.files, 1) - 1; ; i-- {
		if f, err := n.open(i); err == nil || i == 0 {
			return f, err
		}
	}
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
