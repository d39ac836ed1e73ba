// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// sinceFigures are how since compares.
type sinceFigures struct {
	Inclusive   bool `json:"inclusive"`
	Nanoseconds bool `json:"nanoseconds"`
}

func (f sinceFigures) String() string {
	unit, bound := "whole seconds", "leaves the record at that instant out"
	if f.Nanoseconds {
		unit = "nanoseconds"
	}
	if f.Inclusive {
		bound = "the record at that instant is the first to come"
	}
	return unit + "; " + bound
}

func measureSince(ctx context.Context, b *bench) (f sinceFigures, err error) {
	c, err := b.forged(ctx, forgedLog(1, 10), nil)
	if err != nil {
		return f, err
	}
	records, err := b.records(ctx, c, container.LogsOptions{Since: sinceOf(forgedAt(6))})
	got := numbers(records)
	return sinceFigures{Inclusive: slices.Contains(got, 6), Nanoseconds: !slices.Contains(got, 5)}, err
}

// lateFigures are what since leaves out of a log whose seventh record has the time of the third.
type lateFigures struct {
	Missing []int `json:"missing"` // of 6 to 10, which are at or behind the first that passes
}

func (f lateFigures) String() string {
	if len(f.Missing) == 0 {
		return "a filter up to the first record that passes: the late record is there"
	}
	return "a filter for each record: the late record is missing"
}

func measureLate(ctx context.Context, b *bench) (f lateFigures, err error) {
	log := forgedLog(1, 6)
	log = append(log, forgedLine(7, forgedAt(3))+"\n"...)
	c, err := b.forged(ctx, append(log, forgedLog(8, 10)...), nil)
	if err != nil {
		return f, err
	}
	records, err := b.records(ctx, c, container.LogsOptions{Since: sinceOf(forgedAt(6))})
	got := numbers(records)
	for n := 6; n <= 10; n++ {
		if !slices.Contains(got, n) {
			f.Missing = append(f.Missing, n)
		}
	}
	return f, err
}

// tailFigures are how many records come back of a log of ten, in which stdout and stderr alternate.
type tailFigures struct {
	ThreeSinceSixth int `json:"three_since_sixth"` // tail=3 and since= the time of the sixth
	NineSinceSixth  int `json:"nine_since_sixth"`  // tail=9 and the same
	FourOfStdout    int `json:"four_of_stdout"`    // tail=4 of stdout alone
}

func (f tailFigures) String() string {
	order := "since is applied before tail"
	if f.ThreeSinceSixth == 3 && f.NineSinceSixth == 5 {
		order = "tail is applied before since"
	}
	counts := "counts the records of both streams, also where only one is asked for"
	if f.FourOfStdout == 4 {
		counts = "counts the records of the streams that are asked for"
	}
	return fmt.Sprintf("%s (3 asked for, %d come; 9 asked for, %d come); tail %s (4 asked for, %d come)",
		order, f.ThreeSinceSixth, f.NineSinceSixth, counts, f.FourOfStdout)
}

func measureTail(ctx context.Context, b *bench) (f tailFigures, err error) {
	c, err := b.forged(ctx, forgedLog(1, 10), nil)
	if err != nil {
		return f, err
	}
	sixth := sinceOf(forgedAt(6))
	for _, ask := range []struct {
		into    *int
		options container.LogsOptions
	}{
		{&f.ThreeSinceSixth, container.LogsOptions{Tail: "3", Since: sixth}},
		{&f.NineSinceSixth, container.LogsOptions{Tail: "9", Since: sixth}},
		{&f.FourOfStdout, container.LogsOptions{Tail: "4", ShowStdout: true}},
	} {
		records, err := b.records(ctx, c, ask.options)
		if err != nil {
			return f, err
		}
		*ask.into = len(records)
	}
	return f, nil
}

// seekFigures are the daemon's processor time, in nanoseconds, for one request on a large log.
type seekFigures struct {
	Lines uint64        `json:"lines"`
	Whole time.Duration `json:"whole_ns"`
	Since time.Duration `json:"since_ns"` // since=now, which returns nothing
	Tail  time.Duration `json:"tail_ns"`  // tail=100
}

func (f seekFigures) String() string {
	of := func(part time.Duration) string { return words.Percent(part.Seconds() / f.Whole.Seconds()) }
	kind := "a filter"
	if f.Since < f.Whole/20 {
		kind = "a seek"
	}
	return fmt.Sprintf("%s: since=now takes %s of the time for all %s lines, tail=100 takes %s", kind, of(f.Since), words.Count(f.Lines), of(f.Tail))
}

// largeLog is how many lines a log has that reads are timed on.
const largeLog = 600_000

// largeLogs returns a container that does not run, with a log of largeLog lines in one json-file.
func (b *bench) largeLogs(ctx context.Context) (*dockerd.Container, error) {
	if b.large != nil {
		return b.large, nil
	}
	c, err := b.written(ctx, loggen.Options{Lines: largeLog}, dockerd.ContainerSpec{})
	if err == nil {
		b.large = c
	}
	return c, err
}

// discard reads an answer and keeps nothing.
func (b *bench) discard(ctx context.Context, c *dockerd.Container, o container.LogsOptions) error {
	a, err := b.logs(ctx, c, o)
	if err != nil {
		return err
	}
	defer a.Close()
	_, err = io.Copy(io.Discard, a.r)
	return err
}

func measureSeek(ctx context.Context, b *bench) (f seekFigures, err error) {
	c, err := b.largeLogs(ctx)
	if err != nil {
		return f, err
	}
	f.Lines = largeLog
	for _, ask := range []struct {
		into    *time.Duration
		times   int // more where one is too short for the kernel's clock, which ticks every 10 ms
		options container.LogsOptions
	}{
		{&f.Whole, 1, container.LogsOptions{}},
		{&f.Since, 2, container.LogsOptions{Since: sinceOf(time.Now())}},
		{&f.Tail, 50, container.LogsOptions{Tail: "100"}},
	} {
		used, err := b.cpu(func() error {
			for range ask.times {
				if err := b.discard(ctx, c, ask.options); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return f, err
		}
		*ask.into = used / time.Duration(ask.times)
	}
	return f, nil
}
