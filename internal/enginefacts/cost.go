// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// costFigures are the daemon's processor time for a million lines of 120 bytes, in seconds.
type costFigures struct {
	Bulk    float64 `json:"bulk"`    // of a log that is read from its beginning to its end
	Live    float64 `json:"live"`    // of a follow of a container that writes 1,000 a second, without the writing
	Writing float64 `json:"writing"` // of the same container
}

func (f costFigures) String() string {
	return fmt.Sprintf("%.1f s in bulk; followed line by line %.1f s, %.1f times as much; writing them takes %.1f s", f.Bulk, f.Live, f.Live/f.Bulk, f.Writing)
}

func measureCost(ctx context.Context, b *bench) (f costFigures, err error) {
	c, err := b.largeLogs(ctx)
	if err != nil {
		return f, err
	}
	perMillion := func(used time.Duration, lines uint64) float64 { return used.Seconds() / float64(lines) * 1e6 }
	used, err := b.cpu(func() error { return b.discard(ctx, c, container.LogsOptions{}) })
	if err != nil {
		return f, err
	}
	f.Bulk = perMillion(used, largeLog)
	o := loggen.Options{Lines: 20_000, Rate: 1_000}
	writing, err := b.cpu(func() error { return b.live(ctx, o, false) })
	if err != nil {
		return f, err
	}
	both, err := b.cpu(func() error { return b.live(ctx, o, true) })
	f.Writing, f.Live = perMillion(writing, o.Lines), perMillion(both-writing, o.Lines)
	return f, err
}

// live runs a container to its end, and follows it meanwhile if it should.
func (b *bench) live(ctx context.Context, o loggen.Options, follow bool) error {
	c, err := b.run(ctx, o, dockerd.ContainerSpec{})
	if err != nil {
		return err
	}
	if follow {
		a, err := b.logs(ctx, c, container.LogsOptions{Follow: true})
		if err != nil {
			return err
		}
		defer a.Close()
		if _, err := io.Copy(io.Discard, a.r); err != nil {
			return err
		}
	}
	_, err = c.Wait(ctx)
	return err
}
