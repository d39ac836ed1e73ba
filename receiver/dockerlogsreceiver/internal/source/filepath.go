// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/docker/go-units"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/logfile"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Files is where the engine's files are, as seen from here. It is safe for concurrent use.
type Files struct {
	// Root is the engine's data root here; empty, it has the engine's own path.
	Root string
	// DataRoot returns that as the engine names it, "" for one whose files are not to be read.
	DataRoot func() string
	// proven is set once a file under the root has been found to hold what the engine's API
	// answers: then all that are there are this engine's.
	proven atomic.Bool
	// unseen is until when there is nothing to be read, as far as is known, in nanoseconds
	// since the epoch.
	unseen atomic.Int64
}

// Forget makes the files be proven anew, since the engine may be another one now.
func (f *Files) Forget() {
	f.proven.Store(false)
	f.unseen.Store(0)
}

// unseenFor is how long files are not looked for again.
const unseenFor = 5 * time.Minute

// Seen reports whether there is anything to be read where the files should be, that has not
// turned out to be another engine's.
func (f *Files) Seen() bool {
	if f.proven.Load() {
		return true
	}
	now := time.Now()
	if now.UnixNano() < f.unseen.Load() {
		return false
	}
	dir, err := os.Open(f.here(filepath.Join(f.DataRoot(), containersDir)))
	if err != nil {
		f.unseen.Store(now.Add(unseenFor).UnixNano())
		return false
	}
	_ = dir.Close() // opened for reading only
	return true
}

// KeepsOneFile reports whether the engine throws a log file away when it begins the next.
func KeepsOneFile(c *engine.Container) bool {
	return maxFiles(c) == 1 && maxSize(c) > 0
}

// capacity returns how many bytes the files of a container's log have at most; 0 where the
// engine never begins another.
func capacity(c *engine.Container) int64 { return maxSize(c) * int64(maxFiles(c)) }

// maxSize returns how many bytes a file of a container's log has when the engine begins another
// for the next record; 0 where it never does.
func maxSize(c *engine.Container) int64 {
	size := int64(localMaxSize)
	if c.Driver == driverJSON {
		size = 0
	}
	if text := c.LogOptions["max-size"]; text != "" && (c.Driver == driverJSON || c.Driver == driverLocal) {
		size, _ = units.FromHumanSize(text) // an engine makes no container with one that is wrong
	}
	return max(size, 0)
}

// maxFiles returns how many files the log driver of a container keeps at most.
func maxFiles(c *engine.Container) int {
	most := localMaxFiles
	switch c.Driver {
	case driverJSON:
		most = jsonMaxFiles
	case driverLocal:
	default:
		return most // of the cache, which has no options
	}
	if n, err := strconv.Atoi(c.LogOptions["max-file"]); err == nil && n > 0 {
		most = n
	}
	return most
}

// containersDir is under the data root.
const containersDir = "containers"

// Log drivers whose files are read, and how many files they keep if nothing is said.
const (
	driverJSON    = "json-file"
	driverLocal   = "local"
	jsonMaxFiles  = 1
	localMaxFiles = 5
	localMaxSize  = 20_000_000 // bytes
)

// of returns the path of the file that the engine writes a container's log to, its format,
// and how many files there are at most. Of a driver that keeps none it is that of the cache
// of dual logging.
func (f *Files) of(c *engine.Container) (path string, format logfile.Format, most int) {
	id := filepath.Base(c.ID) // whatever an engine says, it is no path
	dir := filepath.Join(f.DataRoot(), containersDir, id)
	format = logfile.Local
	switch c.Driver {
	case driverJSON:
		path, format = filepath.Join(dir, id+"-json.log"), logfile.JSON
	case driverLocal:
		path = filepath.Join(dir, "local-logs", "container.log")
	default:
		path = filepath.Join(dir, "container-cached.log")
	}
	return f.here(path), format, maxFiles(c)
}

// here returns a path under the engine's data root as seen from here.
func (f *Files) here(path string) string {
	if f.Root == "" {
		return path
	}
	return filepath.Join(f.Root, strings.TrimPrefix(path, filepath.Clean(f.DataRoot())))
}

// fileError is that of files that cannot be read, or are not known to be the container's.
type fileError struct{ error }

func (e *fileError) Unwrap() error { return e.error }

// ErrNotProven is why the files of a log without a record are not read yet.
var ErrNotProven = errors.New("the log is empty, so that nothing proves yet whose files these are")

var (
	errNoDataRoot = errors.New("this engine's files are not read")
	errOther      = errors.New("the files do not hold what the engine answers: they are another engine's, or of another time")
)

// openFiles opens the files where the position is, once they are proven to be this engine's.
func (r *reading) openFiles(ctx context.Context) error {
	files := &r.engine.Files
	if files.DataRoot == nil || files.DataRoot() == "" {
		return &fileError{errNoDataRoot}
	}
	path, format, most := files.of(r.container)
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return &fileError{err}
	case !info.Mode().IsRegular():
		return &fileError{fmt.Errorf("%s is not a file", path)}
	}
	if !files.proven.Load() {
		if err := r.prove(ctx, func() *logfile.Reader { return logfile.NewReader(path, format, most) }); err != nil {
			return err
		}
		files.proven.Store(true)
	}
	return r.reopenFiles(func(log *logfile.Reader) bool {
		return log.Resume(r.pos.Place()) || (!r.pos.Blank() && log.SeekBefore(r.pos.SeenBefore()))
	})
}

// proofSize is how many bytes at the end of a file are searched for its newest record before
// all that there is.
const proofSize = 256 << 10

// prove looks for the newest record that the engine's API has in the files.
func (r *reading) prove(ctx context.Context, open func() *logfile.Reader) error {
	newest, ok, err := r.firstOf(ctx, 1)
	switch {
	case err != nil && endOf(err) == EngineError: // so would be the next answer: other strategies know what to do
		return &fileError{err}
	case err != nil:
		return err
	case !ok:
		return &fileError{ErrNotProven}
	}
	log := open()
	found := log.Tail(proofSize) && r.find(ctx, newest, log) == nil
	_ = log.Close() // opened for reading only
	if found {
		return nil
	}
	log = open() // very much has been written since, or it is in an older file
	defer func() { _ = log.Close() }()
	return r.find(ctx, newest, log)
}

// find looks for a record in the files.
func (r *reading) find(ctx context.Context, newest stream.Record, log *logfile.Reader) error {
	for n := 1; ; n++ {
		if n%trimEvery == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		chunk, err := log.Next()
		if r.container.TTY { // its line ends have two characters
			chunk.Text = bytes.TrimSuffix(chunk.Text, []byte{'\r'})
		}
		switch {
		case err == nil && chunk.Time == newest.Time && bytes.HasSuffix(newest.Body, chunk.Text):
			return nil
		case err == nil, damaged(err):
		case err == io.EOF:
			r.engine.Files.unseen.Store(time.Now().Add(unseenFor).UnixNano())
			return &fileError{errOther}
		default:
			return &fileError{err}
		}
	}
}

// firstOf returns the first of the last records that the engine's API has, as many as tail;
// ok is false where there is none.
func (r *reading) firstOf(ctx context.Context, tail int) (rec stream.Record, ok bool, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, StuckAfter, errTailHangs)
	defer cancel()
	defer func() {
		if err != nil && context.Cause(ctx) == errTailHangs {
			err = errTailHangs
		}
	}()
	body, err := r.engine.Client.Logs(ctx, r.id, engine.LogsQuery{Tail: tail})
	if err != nil {
		return rec, false, &openError{err}
	}
	defer func() { _ = body.Close() }()
	records := r.engine.reader(body, r.container.TTY, false)
	defer r.engine.recycle(records, false)
	rec, err = records.Next()
	if err == io.EOF {
		rec, ok = records.Flush(1<<63 - 1)
		err = nil
	} else {
		ok = err == nil
	}
	rec.Body = bytes.Clone(rec.Body)
	return rec, ok, err
}
