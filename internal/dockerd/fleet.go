// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
)

// maxParallel is how many containers are started or removed at a time: with more, each only takes longer.
const maxParallel = 4

// RunMany runs n containers, spec(0) to spec(n-1), a few at a time. When one fails, no more are begun. It returns those
// that run, in order, with the first error; a container that does not run is nil.
func (e *Engine) RunMany(ctx context.Context, n int, spec func(i int) ContainerSpec) ([]*Container, error) {
	containers := make([]*Container, n)
	err := parallel(ctx, n, func(i int) error {
		c, err := e.Run(ctx, spec(i))
		containers[i] = c
		return err
	})
	return containers, err
}

// parallel calls fn for 0 to n-1, maxParallel at a time. When one fails it begins no more, but lets the others finish:
// of a request that is cut off we would not know what it has made.
func parallel(ctx context.Context, n int, fn func(i int) error) error {
	more, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, maxParallel) {
		wg.Go(func() {
			for more.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := fn(i); err != nil {
					stop(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(more)
}

// made is what was made on an engine, so that it can be removed from one that stays.
type made struct {
	mu         sync.Mutex
	containers []string
	images     []string
}

func (m *made) addContainer(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.containers = append(m.containers, id)
}

func (m *made) addImage(ref string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.images = append(m.images, ref)
}

// removeMade removes every container, then every image made through e. What is gone already is no error.
func (e *Engine) removeMade(ctx context.Context) error {
	e.made.mu.Lock()
	containers, images := slices.Clone(e.made.containers), slices.Clone(e.made.images)
	e.made.mu.Unlock()
	err := parallel(ctx, len(containers), func(i int) error {
		err := e.cli.ContainerRemove(ctx, containers[i], container.RemoveOptions{Force: true, RemoveVolumes: true})
		return ignoreGone(err)
	})
	if err != nil {
		return err
	}
	return parallel(ctx, len(images), func(i int) error {
		_, err := e.cli.ImageRemove(ctx, images[i], image.RemoveOptions{Force: true})
		return ignoreGone(err)
	})
}

// ignoreGone drops the errors of removing what is gone (404) or is being removed by somebody else (409).
func ignoreGone(err error) error {
	if cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) {
		return nil
	}
	return err
}
