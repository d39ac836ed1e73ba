// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// fileDrivers are the log drivers that keep files which the engine reads.
var fileDrivers = []string{"json-file", "local"}

// chunks are the records of a line of 50,000 bytes and its line end.
type chunks struct {
	Driver   string `json:"driver"`
	Sizes    []int  `json:"sizes"`     // in bytes, line end included
	OneStamp bool   `json:"one_stamp"` // they have the same time stamp
	Ended    []bool `json:"ended"`     // whether each has a line end
	TailOne  int    `json:"tail_one"`  // how many of them come with tail=1
	TailTwo  int    `json:"tail_two"`  // and with tail=2
}

func (c chunks) words() string {
	sizes := make([]string, len(c.Sizes))
	for i, size := range c.Sizes {
		sizes[i] = words.Count(uint64(size))
	}
	stamp, end := "different time stamps", "a line end in "+fmt.Sprint(c.Ended)
	if c.OneStamp {
		stamp = "one time stamp"
	}
	switch n := len(c.Ended); {
	case !slices.Contains(c.Ended, true):
		end = "**no line end, not even behind the last**"
	case slices.Index(c.Ended, true) == n-1:
		end = "the line end in the last"
	}
	return fmt.Sprintf("%s bytes; %s; %s; tail=1 brings %d of them, tail=2 %d", strings.Join(sizes, " + "), stamp, end, c.TailOne, c.TailTwo)
}

func (c chunks) name() string { return c.Driver }

type chunkFigures = series[chunks]

func measureChunks(ctx context.Context, b *bench) (f chunkFigures, err error) {
	for _, driver := range fileDrivers {
		long := loggen.Options{Lines: 1, Sizes: loggen.Sizes{{Min: 50_000}}}
		c, err := b.written(ctx, long, dockerd.ContainerSpec{LogDriver: driver})
		if err != nil {
			return f, err
		}
		records, err := b.records(ctx, c, container.LogsOptions{})
		if err != nil {
			return f, err
		}
		one := chunks{Driver: driver, OneStamp: true}
		for _, rec := range records {
			one.Sizes = append(one.Sizes, len(rec.text))
			one.Ended = append(one.Ended, bytes.HasSuffix(rec.text, []byte{'\n'}))
			one.OneStamp = one.OneStamp && rec.stamp == records[0].stamp
		}
		last, err := b.records(ctx, c, container.LogsOptions{Tail: "1"})
		if err != nil {
			return f, err
		}
		lastTwo, err := b.records(ctx, c, container.LogsOptions{Tail: "2"})
		if err != nil {
			return f, err
		}
		one.TailOne, one.TailTwo = len(last), len(lastTwo)
		f = append(f, one)
	}
	return f, nil
}

// ttyText is the log of a container with a terminal that wrote a line of 40,000 bytes.
type ttyText struct {
	Driver string `json:"driver"`
	Stamps []int  `json:"stamps"` // the offsets at which its time stamp stands
	Width  int    `json:"width"`  // of the time stamp and the space behind it
	End    string `json:"end"`    // what is behind the text of the line
}

func (t ttyText) words() string {
	offsets := make([]string, len(t.Stamps))
	for i, offset := range t.Stamps {
		offsets[i] = words.Count(uint64(offset))
	}
	return fmt.Sprintf("the time stamp, %d bytes with its space, at offset %s; the line ends with `%s`", t.Width, strings.Join(offsets, ", "), strings.Trim(strconv.Quote(t.End), `"`))
}

func (t ttyText) name() string { return t.Driver }

type ttyFigures = series[ttyText]

func measureTTY(ctx context.Context, b *bench) (f ttyFigures, err error) {
	for _, driver := range fileDrivers {
		long := loggen.Options{Lines: 1, Sizes: loggen.Sizes{{Min: 40_000}}}
		c, err := b.written(ctx, long, dockerd.ContainerSpec{LogDriver: driver, TTY: true})
		if err != nil {
			return f, err
		}
		a, err := b.logs(ctx, c, container.LogsOptions{})
		if err != nil {
			return f, err
		}
		text, err := io.ReadAll(a.r)
		_ = a.Close()
		if err != nil {
			return f, err
		}
		stamp, _, _ := bytes.Cut(text, []byte{' '})
		stamp = append(slices.Clone(stamp), ' ')
		one := ttyText{Driver: driver, Width: len(stamp), End: string(text[len(bytes.TrimRight(text, "\r\n")):])}
		for from := 0; ; {
			i := bytes.Index(text[from:], stamp)
			if i < 0 {
				break
			}
			one.Stamps = append(one.Stamps, from+i)
			from += i + len(stamp)
		}
		f = append(f, one)
	}
	return f, nil
}

// stampFigures are the time stamps of an engine whose zone is not UTC.
type stampFigures struct {
	EngineZone string      `json:"engine_zone"`
	Drivers    []stampForm `json:"drivers"`
}

// stampForm is how a driver's time stamps look.
type stampForm struct {
	Driver string `json:"driver"`
	Width  int    `json:"width"` // in bytes; 0 if it varies
	Zone   string `json:"zone"`
}

func (f stampFigures) String() string { return listed(f) }

func (f stampFigures) cases() []inCase {
	list := []inCase{{"zone of the engine", "`" + f.EngineZone + "`"}}
	for _, form := range f.Drivers {
		width := "of varying width"
		if form.Width > 0 {
			width = fmt.Sprintf("%d bytes", form.Width)
		}
		list = append(list, inCase{form.Driver, fmt.Sprintf("%s, zone `%s`", width, form.Zone)})
	}
	return list
}

func measureStamps(ctx context.Context, b *bench) (f stampFigures, err error) {
	info, err := b.Client().Info(ctx)
	if err != nil {
		return f, err
	}
	f.EngineZone = zoneOf(info.SystemTime)
	for _, driver := range fileDrivers {
		// Some of so many stamps end with zeros.
		c, err := b.written(ctx, loggen.Options{Lines: 1_000}, dockerd.ContainerSpec{LogDriver: driver})
		if err != nil {
			return f, err
		}
		records, err := b.records(ctx, c, container.LogsOptions{})
		if err != nil {
			return f, err
		}
		form := stampForm{Driver: driver}
		for i, rec := range records {
			if i == 0 {
				form.Width, form.Zone = len(rec.stamp), zoneOf(rec.stamp)
			} else if len(rec.stamp) != form.Width {
				form.Width = 0
			}
		}
		f.Drivers = append(f.Drivers, form)
	}
	return f, nil
}

// zoneOf returns the zone of a time stamp as it is written.
func zoneOf(stamp string) string {
	if i := strings.LastIndexAny(stamp, "Z+-"); i > len(time.DateOnly) {
		return stamp[i:]
	}
	return ""
}

// orderFigures are how far the two streams of a container overtake one another.
type orderFigures struct {
	Lines      int           `json:"lines"`
	Inversions int           `json:"inversions"`  // records with an earlier time than the one before
	Furthest   time.Duration `json:"furthest_ns"` // behind the newest before it
}

func (f orderFigures) String() string {
	return fmt.Sprintf("%s of %s records are older than the one before; the furthest is %.1f ms behind the newest",
		words.Count(uint64(f.Inversions)), words.Count(uint64(f.Lines)), float64(f.Furthest)/float64(time.Millisecond))
}

func measureOrder(ctx context.Context, b *bench) (f orderFigures, err error) {
	c, err := b.written(ctx, loggen.Options{Lines: 100_000, StderrShare: 0.5}, dockerd.ContainerSpec{})
	if err != nil {
		return f, err
	}
	a, err := b.logs(ctx, c, container.LogsOptions{})
	if err != nil {
		return f, err
	}
	defer a.Close()
	var before, newest time.Time
	for {
		rec, err := a.next()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return f, err
		}
		f.Lines++
		if rec.at.Before(before) {
			f.Inversions++
			f.Furthest = max(f.Furthest, newest.Sub(rec.at))
		}
		before = rec.at
		if rec.at.After(newest) {
			newest = rec.at
		}
	}
}
