// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"errors"
	"io/fs"
	"time"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/source"
)

const (
	// sweepInterval is how often the files of captures that rest are looked at, should the
	// system's notifications have been lost; sweepAlone that where there are none.
	sweepInterval = 10 * time.Second
	sweepAlone    = time.Second
)

// fileWatcher finds out when the files of captures that rest change. A notification serves once:
// a file that grows is read by the clock. The owner loop alone uses it.
type fileWatcher struct {
	log    *zap.Logger
	open   func() (*fsnotify.Watcher, error)
	notify *fsnotify.Watcher // nil while nothing is watched, and where there are no notifications
	failed bool              // which has been logged
	byID   map[string]source.FileEnd
	byPath map[string]string // id by path
	swept  time.Time
}

func newFileWatcher(log *zap.Logger, open func() (*fsnotify.Watcher, error)) *fileWatcher {
	return &fileWatcher{log: log, open: open, byID: make(map[string]source.FileEnd), byPath: make(map[string]string)}
}

// watch begins to look at a container's file, which has been read to that end. It reports
// whether the file has changed already.
func (w *fileWatcher) watch(id string, end source.FileEnd) (changed bool) {
	w.byID[id], w.byPath[end.Path] = end, id
	// A file that has been removed already needs no watching: an event tells of its container.
	if err := w.add(end.Path); err != nil && !w.failed && !errors.Is(err, fs.ErrNotExist) {
		w.failed = true
		level := zap.WarnLevel
		if errors.Is(err, errors.ErrUnsupported) {
			level = zap.DebugLevel // it is so on this system
		}
		w.log.Log(level, "log files cannot be watched, their sizes are looked at instead, which takes more processor time",
			zap.Duration("interval", sweepAlone), zap.Error(err), zap.String("remedy", "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances"))
	}
	return end.Changed()
}

func (w *fileWatcher) add(path string) (err error) {
	if w.notify == nil {
		if w.failed {
			return nil
		}
		if w.notify, err = w.open(); err != nil {
			return err
		}
	}
	return w.notify.Add(path)
}

// forget ends that.
func (w *fileWatcher) forget(id string) {
	end, ok := w.byID[id]
	if !ok {
		return
	}
	delete(w.byID, id)
	delete(w.byPath, end.Path)
	if w.notify != nil {
		_ = w.notify.Remove(end.Path) // it may be gone
	}
}

// events is where notifications come from, and where it is said that some were lost.
func (w *fileWatcher) events() (<-chan fsnotify.Event, <-chan error) {
	if w.notify == nil {
		return nil, nil
	}
	return w.notify.Events, w.notify.Errors
}

// sweep returns the containers whose files have changed without a notification.
func (w *fileWatcher) sweep(now time.Time) (ids []string) {
	interval := sweepInterval
	if w.failed {
		interval = sweepAlone
	}
	if now.Sub(w.swept) < interval {
		return nil
	}
	w.swept = now
	for id, end := range w.byID {
		if end.Changed() {
			ids = append(ids, id)
		}
	}
	return ids
}

func (w *fileWatcher) close() {
	if w.notify != nil {
		_ = w.notify.Close()
	}
}
