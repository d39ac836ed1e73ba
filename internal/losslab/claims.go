// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/careless"
)

// Claims are the experiments on single claims of the analysis. That of 200 requests a minute needs none of its own: the
// profile fleet counts them.
type Claims struct {
	Interrupt Interrupt `json:"interrupt"`
	Buffer    Buffer    `json:"buffer"`
	// Fleet has all readers side by side on a fleet, for long enough to see what grows, with follows of 30 s as in the
	// analysis. Their costs are not comparable.
	Fleet []Cell `json:"fleet"`
	// Overrun has our readers that do not follow on containers that write more between two reads than the engine keeps.
	Overrun []Cell `json:"overrun"`
}

// Interrupt is whether a read of a silent container can be interrupted.
type Interrupt struct {
	Reads    int           `json:"reads"`
	ByCancel time.Duration `json:"by_cancel_ns"` // from cancelling all requests until the last read had returned
	ByClose  time.Duration `json:"by_close_ns"`  // from closing all bodies
	Left     int           `json:"left"`         // goroutines, afterwards
}

// Buffer is whether the engine drops what is not read at once.
type Buffer struct {
	Lines   uint64        `json:"lines"`
	Bytes   uint64        `json:"bytes"`
	Late    uint64        `json:"late_lost"`    // of them, by who reads when all has been written
	Stalled uint64        `json:"stalled_lost"` // by who follows, and stops to read while it is written
	Stall   time.Duration `json:"stall_ns"`
}

const (
	interruptReads = 30
	bufferLines    = 100_000
	bufferRate     = 10_000 // lines per second
	// fleetLife and fleetLength are the analysis' lifetime, and four such lives: growth is that from the third to the fourth.
	fleetLife   = 30 * time.Second
	fleetLength = 4 * fleetLife
)

// overrun writes 30,000 lines at once, where the engine keeps some 15,000.
var overrun = Profile{
	Name: "overrun", Containers: 2, OneStream: true, LogOpts: map[string]string{"max-size": "1m", "max-file": "3"},
	lines: func(int, int) loggen.Options { return loggen.Options{Rate: 50, BurstSize: 30_000} },
}

func (l *laboratory) claims(ctx context.Context) (*Claims, error) {
	c := &Claims{}
	var err error
	l.say("        can a read be interrupted?")
	if c.Interrupt, err = l.interrupt(ctx); err != nil {
		return nil, err
	}
	l.say("        does the engine drop what is not read at once?")
	if c.Buffer, err = l.buffer(ctx); err != nil {
		return nil, err
	}
	l.say("        how many goroutines do %d containers leak, how many requests do they take? (%v)", l.Containers, fleetLength)
	c.Fleet, err = l.try(ctx, trial{strategies: Readers, profile: Profiles[len(Profiles)-1], length: fleetLength, lifetime: fleetLife})
	if err != nil {
		return nil, err
	}
	l.say("        is it noticed when the engine has thrown lines away?")
	c.Overrun, err = l.try(ctx, trial{strategies: []string{"polling", "hybrid"}, profile: overrun, length: l.Duration, lifetime: l.Lifetime, lossy: true})
	return c, err
}

// interrupt blocks reads on a silent container and ends them, in both ways there are.
func (l *laboratory) interrupt(ctx context.Context) (Interrupt, error) {
	result := Interrupt{Reads: interruptReads}
	c, err := l.writer(ctx, loggen.Options{Source: "losslab-silent", Lines: 1, UntilSignal: true})
	if err != nil {
		return result, err
	}
	defer func() { l.warn(c.Remove(context.Background(), true)) }()
	api, err := client.NewClientWithOpts(client.WithHost(l.engine.Host()), client.WithAPIVersionNegotiation())
	if err != nil {
		return result, fmt.Errorf("make a client: %w", err)
	}
	defer func() { _ = api.Close() }()
	before := runtime.NumGoroutine()
	if result.ByCancel, err = blockAndEnd(ctx, api, c.ID, func(cancel func(), _ []io.Closer) { cancel() }); err != nil {
		return result, err
	}
	result.ByClose, err = blockAndEnd(ctx, api, c.ID, func(_ func(), bodies []io.Closer) {
		for _, body := range bodies {
			_ = body.Close()
		}
	})
	_ = api.Close()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	result.Left = max(0, runtime.NumGoroutine()-before)
	return result, err
}

// blockAndEnd has many reads wait for a second line, and tells how long they took to return once they were ended.
func blockAndEnd(ctx context.Context, api *client.Client, id string, end func(cancel func(), bodies []io.Closer)) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var bodies []io.Closer
	var reads sync.WaitGroup
	for range interruptReads {
		body, err := api.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
		if err != nil {
			return 0, fmt.Errorf("follow a silent container: %w", err)
		}
		defer func() { _ = body.Close() }()
		bodies = append(bodies, body)
		var first [1]byte
		if _, err := io.ReadFull(body, first[:]); err != nil {
			return 0, fmt.Errorf("read a silent container: %w", err)
		}
		reads.Go(func() { _, _ = io.Copy(io.Discard, body) })
	}
	began := time.Now()
	end(cancel, bodies)
	reads.Wait()
	return time.Since(began), nil
}

// buffer writes far more than 8 KB while nobody reads, and reads it then.
func (l *laboratory) buffer(ctx context.Context) (Buffer, error) {
	o := loggen.Options{Source: "losslab-unread", Lines: bufferLines, Rate: bufferRate, UntilSignal: true}
	result := Buffer{Lines: o.Lines, Bytes: o.Lines * 121}
	c, err := l.writer(ctx, o)
	if err != nil {
		return result, err
	}
	defer func() { l.warn(c.Remove(context.Background(), true)) }()
	ctx, cancel := context.WithTimeout(ctx, writePatience)
	defer cancel()
	began := time.Now()
	follow, err := l.engine.Client().ContainerLogs(ctx, c.ID, everything(true))
	if err != nil {
		return result, fmt.Errorf("follow: %w", err)
	}
	defer func() { _ = follow.Close() }()
	for { // until the last line is in the log: nobody reads the follow meanwhile
		body, err := l.engine.Client().ContainerLogs(ctx, c.ID, everything(false))
		if err != nil {
			return result, fmt.Errorf("read: %w", err)
		}
		tally, err := check(body, o, false)
		_ = body.Close()
		if err != nil {
			return result, err
		}
		if result.Late = tally.Lost; tally.Last == o.Lines {
			break
		}
		time.Sleep(time.Second)
	}
	result.Stall = time.Since(began)
	tally, err := check(follow, o, true)
	result.Stalled = tally.Lost
	return result, err
}

func everything(follow bool) container.LogsOptions {
	return container.LogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
}

// check reads a log to its end, or to the last line that there will be, and checks it.
func check(log io.Reader, o loggen.Options, follow bool) (loggen.Tally, error) {
	var checker loggen.Checker
	checker.Expect(o)
	last := o.Line(o.Lines).Body
	for frames := careless.NewFrames(log); ; {
		line, err := frames.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return loggen.Tally{}, fmt.Errorf("read a log: %w", err)
		}
		checker.Add(line.Body, line.Stderr)
		if follow && bytes.Equal(line.Body, last) {
			break
		}
	}
	return checker.Tallies()[o.Source], nil
}

// writer runs a container that writes.
func (l *laboratory) writer(ctx context.Context, o loggen.Options) (*dockerd.Container, error) {
	return l.engine.Run(ctx, dockerd.ContainerSpec{Name: o.Source, Image: image, Cmd: o.Args(), LogDriver: "json-file"})
}
