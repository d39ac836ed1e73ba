// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

const (
	generator = "github.com/dockerlogs/otelcol-dockerlogs/cmd/loggen"
	image     = "enginefacts:loggen"
)

// bench is an engine that is measured.
type bench struct {
	*dockerd.Engine
	shared string               // the directory that its containers see as /shared
	count  int                  // of containers, to name them
	large  *dockerd.Container   // with the log that reads are timed on; nil before that is written
	made   []*dockerd.Container // by the fact at hand, removed behind it
}

// newBench prepares a private engine for measurements. Its directory is removed by close.
func newBench(ctx context.Context, e *dockerd.Engine) (*bench, error) {
	if !e.Private() {
		return nil, dockerd.ErrNotPrivate
	}
	binary, err := dockerd.Build(generator)
	if err != nil {
		return nil, err
	}
	options := dockerd.ImageOptions{Entrypoint: []string{"/loggen"}}
	if err := e.Import(ctx, image, map[string]string{"/loggen": binary}, options); err != nil {
		return nil, err
	}
	shared, err := os.MkdirTemp("", "facts")
	if err != nil {
		return nil, fmt.Errorf("make a directory to share with containers: %w", err)
	}
	return &bench{Engine: e, shared: shared}, nil
}

func (b *bench) close() error { return os.RemoveAll(b.shared) }

// tidy removes the containers of a fact.
func (b *bench) tidy() error {
	var errs []error
	for _, c := range b.made {
		if c != b.large {
			errs = append(errs, c.Remove(context.Background(), true))
		}
	}
	b.made = nil
	return errors.Join(errs...)
}

// create creates a container that writes the lines of o. It sets the source of the lines, which is its name.
func (b *bench) create(ctx context.Context, o *loggen.Options, spec dockerd.ContainerSpec) (*dockerd.Container, error) {
	b.count++
	o.Source = fmt.Sprint("facts-", b.count)
	spec.Name, spec.Image = o.Source, image
	spec.Cmd = append(o.Args(), spec.Cmd...)
	spec.Binds = []string{b.shared + ":/shared"}
	if spec.LogDriver == "" {
		spec.LogDriver = "json-file"
	}
	c, err := b.Create(ctx, spec)
	if c != nil {
		b.made = append(b.made, c)
	}
	return c, err
}

// run runs a container that writes the lines of o.
func (b *bench) run(ctx context.Context, o loggen.Options, spec dockerd.ContainerSpec) (*dockerd.Container, error) {
	c, err := b.create(ctx, &o, spec)
	if err != nil {
		return nil, err
	}
	return c, c.Start(ctx)
}

// written runs a container that writes the lines of o, and waits until it has ended.
func (b *bench) written(ctx context.Context, o loggen.Options, spec dockerd.ContainerSpec) (*dockerd.Container, error) {
	c, err := b.run(ctx, o, spec)
	if err != nil {
		return nil, err
	}
	_, err = c.Wait(ctx)
	return c, err
}

// forged returns a container that does not run, with a json-file that holds these bytes. older are those of the file
// that was rotated away before it, if there was one.
func (b *bench) forged(ctx context.Context, current, older []byte) (*dockerd.Container, error) {
	c, err := b.written(ctx, loggen.Options{Lines: 1}, dockerd.ContainerSpec{LogOpts: map[string]string{"max-size": "100m", "max-file": "2"}})
	if err != nil {
		return nil, err
	}
	path, err := c.LogPath(ctx)
	if err == nil && older != nil {
		err = os.WriteFile(path+".1", older, 0o640)
	}
	if err != nil {
		return nil, err
	}
	return c, os.WriteFile(path, current, 0o640)
}

// logs asks for a log, both streams of it with time stamps unless o names one.
func (b *bench) logs(ctx context.Context, c *dockerd.Container, o container.LogsOptions) (*answer, error) {
	if !o.ShowStdout && !o.ShowStderr {
		o.ShowStdout, o.ShowStderr = true, true
	}
	o.Timestamps = true
	body, err := b.Client().ContainerLogs(ctx, c.ID, o)
	if err != nil {
		return nil, fmt.Errorf("ask for the log of %s: %w", c.Name, err)
	}
	return newAnswer(body), nil
}

// records reads what logs answers, to its end.
func (b *bench) records(ctx context.Context, c *dockerd.Container, o container.LogsOptions) ([]record, error) {
	a, err := b.logs(ctx, c, o)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	return a.all()
}

// cpu returns the processor time that the daemon takes while f runs.
func (b *bench) cpu(f func() error) (time.Duration, error) {
	before, err := b.CPU()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := b.CPU()
	return after - before, err
}

// startFile returns the flag that makes a generator wait, and a function that lets it begin.
func (b *bench) startFile() (flag string, begin func() error) {
	name := fmt.Sprint("start-", b.count)
	return "--start-file=/shared/" + name, func() error { return os.WriteFile(filepath.Join(b.shared, name), nil, 0o644) }
}
