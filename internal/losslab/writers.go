// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

const (
	// startFile is the file that containers wait for before they write.
	startFile = "start"
	// writeTimeout is for containers that fall behind.
	writeTimeout = 3 * time.Minute
)

// writers are the containers of a cell, and the lines that they are to write.
type writers struct {
	containers []*dockerd.Container
	sources    []client.Source
	shared     string // the directory where they wait for startFile and leave their reports
}

// startWriters starts the containers of a profile, which write nothing before begin.
func (l *laboratory) startWriters(ctx context.Context, p Profile) (*writers, error) {
	l.count++
	cell := fmt.Sprintf("losslab%d", l.count)
	n := cmp.Or(p.Containers, l.Containers)
	shared, err := os.MkdirTemp("", "losslab")
	if err != nil {
		return nil, fmt.Errorf("make a directory for reports: %w", err)
	}
	w := &writers{shared: shared, sources: make([]client.Source, n)}
	w.containers, err = l.engine.RunMany(ctx, n, func(i int) dockerd.ContainerSpec {
		o := p.options(cell, i, n, l.Seed, l.length(p))
		o.StartDelay = time.Duration(i%10) * stagger
		w.sources[i].Lines = o
		return dockerd.ContainerSpec{
			Name: o.Source, Image: image, Labels: map[string]string{"losslab": cell}, LogDriver: "json-file", LogOpts: p.LogOpts,
			Cmd: append(o.Args(), "--start-file=/shared/"+startFile, "--report=/shared/"+o.Source), Binds: []string{shared + ":/shared"},
		}
	})
	for i, c := range w.containers {
		if c != nil {
			w.sources[i].ID = c.ID
		}
	}
	if err != nil {
		return nil, errors.Join(err, w.remove())
	}
	return w, nil
}

func (w *writers) remove() error {
	var errs []error
	for _, c := range w.containers {
		if c != nil {
			errs = append(errs, c.Remove(context.Background(), true))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(w.shared))...)
}

func (w *writers) begin() error {
	return os.WriteFile(filepath.Join(w.shared, startFile), nil, 0o644)
}

// wait waits until the containers have written everything, and returns the number of lines of
// each, and how late they were.
func (w *writers) wait(ctx context.Context, length time.Duration) (lines map[string]uint64, lateness Generator, err error) {
	ctx, cancel := context.WithTimeout(ctx, length+writeTimeout)
	defer cancel()
	lines = make(map[string]uint64)
	for _, source := range w.sources {
		report, err := awaitReport(ctx, filepath.Join(w.shared, source.Lines.Source))
		if err != nil {
			return nil, lateness, fmt.Errorf("wait for %s to write its lines: %w", source.Lines.Source, err)
		}
		lines[report.Source] = report.Lines
		lateness.Late += report.LateLines
		lateness.MaxLag = max(lateness.MaxLag, report.MaxLag)
	}
	return lines, lateness, nil
}

// awaitReport polls for the file: a container cannot announce it otherwise.
func awaitReport(ctx context.Context, path string) (report loggen.Report, err error) {
	for {
		text, err := os.ReadFile(path)
		if err == nil && json.Unmarshal(text, &report) == nil {
			return report, nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return report, ctx.Err()
		}
	}
}
