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
	// startFile is what containers wait for.
	startFile = "start"
	// writePatience is for containers that fall behind.
	writePatience = 3 * time.Minute
)

// scene is the containers of a cell, and what they are to write.
type scene struct {
	profile    Profile
	containers []*dockerd.Container
	sources    []client.Source
	shared     string // the directory that they wait for a file in, and report to
}

// stage starts the containers of a profile, which write nothing before they are told to.
func (l *laboratory) stage(ctx context.Context, p Profile, length time.Duration) (*scene, error) {
	l.count++
	cell := fmt.Sprintf("losslab%d", l.count)
	n := cmp.Or(p.Containers, l.Containers)
	shared, err := os.MkdirTemp("", "losslab")
	if err != nil {
		return nil, fmt.Errorf("make a directory for reports: %w", err)
	}
	s := &scene{profile: p, shared: shared, sources: make([]client.Source, n)}
	s.containers, err = l.engine.RunMany(ctx, n, func(i int) dockerd.ContainerSpec {
		o := p.options(cell, i, n, l.Seed, length)
		o.StartDelay = time.Duration(i%10) * stagger
		s.sources[i].Lines = o
		return dockerd.ContainerSpec{
			Name: o.Source, Image: image, Labels: map[string]string{"losslab": cell}, LogDriver: "json-file", LogOpts: p.LogOpts,
			Cmd: append(o.Args(), "--start-file=/shared/"+startFile, "--report=/shared/"+o.Source), Binds: []string{shared + ":/shared"},
		}
	})
	for i, c := range s.containers {
		if c != nil {
			s.sources[i].ID = c.ID
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.strike())
	}
	return s, nil
}

// strike removes the containers.
func (s *scene) strike() error {
	var errs []error
	for _, c := range s.containers {
		if c != nil {
			errs = append(errs, c.Remove(context.Background(), true))
		}
	}
	return errors.Join(append(errs, os.RemoveAll(s.shared))...)
}

// begin tells the containers to write.
func (s *scene) begin() error { return os.WriteFile(filepath.Join(s.shared, startFile), nil, 0o644) }

// written waits until all containers have written all, and gives the lines of each, and how late they were.
func (s *scene) written(ctx context.Context, length time.Duration) (lines map[string]uint64, how Generator, err error) {
	ctx, cancel := context.WithTimeout(ctx, length+writePatience)
	defer cancel()
	lines = make(map[string]uint64)
	for _, source := range s.sources {
		report, err := awaitReport(ctx, filepath.Join(s.shared, source.Lines.Source))
		if err != nil {
			return nil, how, fmt.Errorf("wait for %s to write its lines: %w", source.Lines.Source, err)
		}
		lines[report.Source] = report.Lines
		how.Late += report.LateLines
		how.MaxLag = max(how.MaxLag, report.MaxLag)
	}
	return lines, how, nil
}

// awaitReport looks for the file, as nothing tells when it is there.
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
