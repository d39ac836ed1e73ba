// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

// headerWait is how long the headers of an answer without a record may take before they count as held back: that
// nothing comes can only be waited for.
const headerWait = 3 * time.Second

// headerFigures are whether an answer begins before there is anything to answer.
type headerFigures struct {
	FollowAtOnce bool `json:"follow_at_once"` // of a follow of a container that has written nothing
}

func (f headerFigures) String() string {
	if f.FollowAtOnce {
		return "at once"
	}
	return "with the first record"
}

func measureHeaders(ctx context.Context, b *bench) (f headerFigures, err error) {
	flag, begin := b.startFile()
	c, err := b.run(ctx, loggen.Options{Lines: 1, UntilSignal: true}, dockerd.ContainerSpec{Cmd: []string{flag}})
	if err != nil {
		return f, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type result struct {
		*answer
		err error
	}
	headers := make(chan result, 1)
	go func() {
		a, err := b.logs(ctx, c, container.LogsOptions{Follow: true})
		headers <- result{a, err}
	}()
	var got result
	select {
	case got = <-headers:
		f.FollowAtOnce = true
	case <-time.After(headerWait):
	}
	if err := begin(); err != nil {
		return f, err
	}
	if !f.FollowAtOnce {
		got = <-headers
	}
	if got.err != nil {
		return f, got.err
	}
	defer got.Close()
	_, err = got.next() // the follow is a good one, its record comes
	return f, err
}

// followFigures are what follows of silent containers cost the daemon, and what is left of them.
type followFigures struct {
	Goroutines     float64 `json:"goroutines"` // for each open follow
	Descriptors    float64 `json:"descriptors"`
	Opened         int     `json:"opened"` // and cancelled
	LeftGoroutines int     `json:"left_goroutines"`
	LeftFiles      int     `json:"left_descriptors"`
}

func (f followFigures) String() string {
	return fmt.Sprintf("%.1f goroutines and %.1f descriptors for each; of %d opened and cancelled %d goroutines and %d descriptors are left",
		f.Goroutines, f.Descriptors, f.Opened, f.LeftGoroutines, f.LeftFiles)
}

// counts are what the daemon says it has.
type counts struct{ goroutines, files int }

// settled returns what the daemon has once that does not change for a while, or not even after settleWait.
func (b *bench) settled(ctx context.Context) (c counts, err error) {
	const same = 5 // looks in a row
	deadline := time.Now().Add(settleWait)
	for n := 0; n < same && time.Now().Before(deadline); {
		info, err := b.Client().Info(ctx)
		if err != nil {
			return c, err
		}
		now := counts{info.NGoroutines, info.NFd}
		if now != c {
			n = 0
		}
		c, n = now, n+1
		time.Sleep(100 * time.Millisecond) // the daemon announces nothing
	}
	return c, nil
}

const settleWait = 15 * time.Second

func measureFollows(ctx context.Context, b *bench) (f followFigures, err error) {
	const open, rounds = 50, 4
	c, err := b.run(ctx, loggen.Options{Lines: 1, UntilSignal: true}, dockerd.ContainerSpec{})
	if err != nil {
		return f, err
	}
	if err := b.follows(ctx, c, 1, nil); err != nil { // what the first one brings for good is not of each
		return f, err
	}
	base, err := b.settled(ctx)
	if err != nil {
		return f, err
	}
	for range rounds {
		err := b.follows(ctx, c, open, func() error {
			now, err := b.settled(ctx)
			f.Goroutines = float64(now.goroutines-base.goroutines) / open
			f.Descriptors = float64(now.files-base.files) / open
			return err
		})
		if err != nil {
			return f, err
		}
		f.Opened += open
	}
	left, err := b.settled(ctx)
	f.LeftGoroutines, f.LeftFiles = max(0, left.goroutines-base.goroutines), max(0, left.files-base.files)
	return f, err
}

// follows opens n follows, calls meanwhile once each has brought a record, and cancels them.
func (b *bench) follows(ctx context.Context, c *dockerd.Container, n int, meanwhile func() error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range n {
		a, err := b.logs(ctx, c, container.LogsOptions{Follow: true, Tail: "1"})
		if err != nil {
			return err
		}
		defer a.Close()
		if _, err := a.next(); err != nil {
			return err
		}
	}
	if meanwhile == nil {
		return nil
	}
	return meanwhile()
}
