// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginefacts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/words"
)

// rotations are the cases of a log that rotates while one follow reads it.
var rotations = []rotation{
	{Megabytes: 1, Files: 3, Rate: 5_000, Lines: 60_000},
	{Megabytes: 1, Files: 3, Rate: 20_000, Lines: 240_000},
	{Megabytes: 1, Files: 3, Lines: 400_000},
	{Megabytes: 10, Files: 3, Rate: 20_000, Lines: 240_000},
	{Megabytes: 10, Files: 3, Rate: 20_000, Lines: 240_000, Slow: true},
	{Megabytes: 1, Files: 3, Rate: 5_000, Lines: 60_000, Slow: true},
	{Megabytes: 1, Files: 1, Rate: 5_000, Lines: 60_000},
	{Megabytes: 1, Files: 1, Rate: 5_000, Lines: 60_000, Slow: true},
}

const (
	// followSilence is how long a follow may bring nothing before it counts as hanging; the containers write all the time.
	followSilence = 30 * time.Second
	// rotationAttempts is how often a follow is measured where the container wrote in bursts.
	rotationAttempts = 3
	// slowShare is what a slow reader reads a second, of what is written a second.
	slowShare = 0.5
)

// rotation is one follow of a log that rotates.
type rotation struct {
	Megabytes int     `json:"megabytes"` // max-size
	Files     int     `json:"files"`     // max-file
	Rate      float64 `json:"rate"`      // lines a second; 0 is flat out
	Slow      bool    `json:"slow"`      // the reader
	Lines     uint64  `json:"lines"`

	KeptRate     bool          `json:"kept_rate"`     // the container wrote as evenly as it should
	Missing      uint64        `json:"missing"`       // lines that did not come
	Repeats      int           `json:"repeats"`       // records that came again
	Runs         int           `json:"runs"`          // that the repeats came in
	ReachRecords int           `json:"reach_records"` // how far back the furthest repeat was, in records
	ReachTime    time.Duration `json:"reach_ns"`      // and in the time of the log
	End          string        `json:"end"`           // what ended the follow but the container's end
	Logged       string        `json:"logged"`        // the daemon's first warning meanwhile, in its own log
}

func (r rotation) name() string {
	name := fmt.Sprintf("%d x %d MB, flat out", r.Files, r.Megabytes)
	if r.Rate > 0 {
		name = fmt.Sprintf("%d x %d MB, %s lines/s", r.Files, r.Megabytes, words.Count(uint64(r.Rate)))
	}
	if r.Slow {
		name += ", slow reader"
	}
	return name
}

func (r rotation) words() string {
	text := missing(r.Missing, r.Lines)
	switch r.Repeats {
	case 0:
		text += ", no repeats"
	case 1:
		text += ", 1 repeat"
	default:
		text += fmt.Sprintf(", %s repeats, back to %s records and %.2f s before the newest",
			words.Count(uint64(r.Repeats)), words.Count(uint64(r.ReachRecords)), r.ReachTime.Seconds())
	}
	if r.End != "" {
		text += ", **" + r.End + "**"
	}
	if !r.KeptRate {
		text += " (written in bursts)"
	}
	if r.Logged != "" {
		text += "; the daemon's own log says so"
	}
	return text
}

func missing(n, of uint64) string {
	if n == 0 {
		return "no line missing"
	}
	return words.Percent(float64(n)/float64(of)) + " of the lines missing"
}

// rotationFigures are one follow for each of the rotations.
type rotationFigures = series[rotation]

func measureRotation(ctx context.Context, b *bench) (f rotationFigures, err error) {
	for _, each := range rotations {
		r := each
		for range rotationAttempts {
			r = each
			if err := errors.Join(r.measure(ctx, b), b.tidy()); err != nil {
				return f, fmt.Errorf("%s: %w", r.name(), err)
			}
			if r.KeptRate {
				break
			}
		}
		f = append(f, r)
	}
	return f, nil
}

func (r *rotation) measure(ctx context.Context, b *bench) error {
	o := loggen.Options{Lines: r.Lines, Rate: r.Rate}
	c, err := b.create(ctx, &o, dockerd.ContainerSpec{
		LogOpts: map[string]string{"max-size": fmt.Sprint(r.Megabytes, "m"), "max-file": strconv.Itoa(r.Files)},
		Cmd:     []string{"--report=/shared/report"},
	})
	if err != nil {
		return err
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a, err := b.logs(ctx, c, container.LogsOptions{Follow: true})
	if err != nil {
		return err
	}
	defer a.Close()
	hangs := time.AfterFunc(followSilence, func() { cancel(errHangs) })
	defer hangs.Stop()

	before := strings.Count(b.LogTail(math.MaxInt32), "\n")
	seen, pace := newRepeats(), time.Now()
	for n := 0; ; n++ {
		rec, err := a.next()
		if err != nil {
			r.End = endOf(ctx, err)
			break
		}
		hangs.Reset(followSilence)
		seen.add(rec)
		if r.Slow && n%100 == 0 { // how slow a reader is, is a matter of time
			due := time.Duration(float64(n) / (slowShare * r.Rate) * float64(time.Second))
			time.Sleep(time.Until(pace.Add(due)))
		}
	}
	r.Repeats, r.Runs, r.ReachRecords, r.ReachTime = seen.again, seen.runs, seen.reachRecords, seen.reachTime
	r.Missing = r.Lines - uint64(len(seen.at))
	r.Logged = firstWarning(b.LogTail(math.MaxInt32), before)
	if _, err := c.Wait(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(b.shared, "report"))
	if err != nil {
		return err
	}
	var report loggen.Report
	err = json.Unmarshal(text, &report)
	r.KeptRate = report.KeptRate
	return err
}

// warning finds the message of a warning or an error about logs in a line of the daemon's own log, which has those of
// its containerd too.
var warning = regexp.MustCompile(`level=(?:warning|error) msg="((?:[^"\\]|\\.)*\blogs?\b(?:[^"\\]|\\.)*)"`)

// firstWarning returns the first in the daemon's log behind its first lines.
func firstWarning(log string, behind int) string {
	n := 0
	for line := range strings.Lines(log) {
		if n++; n > behind {
			if match := warning.FindStringSubmatch(line); match != nil {
				return match[1]
			}
		}
	}
	return ""
}

var errHangs = errors.New("hangs")

// endOf says what ended a follow; nothing where it was the end of the answer.
func endOf(ctx context.Context, err error) string {
	switch {
	case errors.Is(context.Cause(ctx), errHangs):
		return "it hangs"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends inside a record"
	case errors.Is(err, io.EOF):
		return ""
	default:
		return err.Error()
	}
}

// repeats finds the records of an answer that came before, and how far back that was.
type repeats struct {
	at     map[uint64]int // where each record, its time stamp included, came first
	seed   maphash.Seed
	n      int // records
	again  int
	runs   int
	inRun  bool
	newest time.Time

	reachRecords int
	reachTime    time.Duration
}

func newRepeats() *repeats { return &repeats{at: make(map[uint64]int), seed: maphash.MakeSeed()} }

func (r *repeats) add(rec record) {
	var h maphash.Hash
	h.SetSeed(r.seed)
	_, _ = h.WriteString(rec.stamp)
	_ = h.WriteByte(rec.kind)
	_, _ = h.Write(rec.text)
	first, again := r.at[h.Sum64()]
	if again {
		r.again++
		r.reachRecords = max(r.reachRecords, r.n-first)
		r.reachTime = max(r.reachTime, r.newest.Sub(rec.at))
		if !r.inRun {
			r.runs++
		}
	} else {
		r.at[h.Sum64()] = r.n
		if rec.at.After(r.newest) {
			r.newest = rec.at
		}
	}
	r.inRun = again
	r.n++
}
