// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"context"
	"fmt"
	"io"
	"time"
)

const (
	// bufferSize is the number of bytes that lines of one stream are gathered to before they are written: what a pipe takes at once.
	bufferSize = 64 << 10
	// minWait is the shortest wait. Waking for every line would cost more than the lines above some thousand a second.
	minWait = time.Millisecond
	// partialPause is how long the second part of a cut line is kept back.
	partialPause = 10 * time.Millisecond
)

// Run writes the lines that o asks for, until they are written or the context ends: then the line in hand is finished. Lines that
// are due together and of one stream share one Write. The report is valid on an error too.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) (Report, error) {
	if err := o.Validate(); err != nil {
		return Report{}, err
	}
	w := &writer{options: &o, streams: [2]io.Writer{stdout, stderr}}
	w.schedule = schedule{rate: o.Rate, burstSize: o.BurstSize, burstEvery: o.BurstEvery}
	sleep(ctx, o.StartDelay)
	w.start = time.Now()
	err := w.run(ctx)
	return w.report(), err
}

// writer belongs to the goroutine that calls Run.
type writer struct {
	options  *Options
	schedule schedule
	streams  [2]io.Writer // stdout, stderr
	start    time.Time    // when the first line was due

	buf     []byte // lines of one stream, not written yet
	stream  int    // whose
	lines   uint64 // appended to buf so far, in all
	written uint64 // lines that are out
	tally   Report
}

func (w *writer) run(ctx context.Context) error {
	last := w.options.Lines
	if last == 0 {
		last = maxSeq
	}
	due := uint64(0)
	for seq := uint64(1); seq <= last && ctx.Err() == nil; seq++ {
		if seq > due {
			due = w.schedule.due(time.Since(w.start))
		}
		for seq > due {
			if err := w.flush(); err != nil {
				return err
			}
			// The write may have taken so long that the line is due by now.
			if wait := w.schedule.at(seq) - time.Since(w.start); wait > 0 && !sleep(ctx, max(wait, minWait)) {
				return nil
			}
			due = w.schedule.due(time.Since(w.start))
		}
		if err := w.line(seq, seq == last); err != nil {
			return err
		}
	}
	return w.flush()
}

// line appends line seq and what belongs to it to the buffer, writing what the buffer should not hold any longer.
func (w *writer) line(seq uint64, last bool) error {
	start := len(w.buf)
	buf, stderr := w.options.AppendLine(w.buf, seq)
	stream := 0
	if stderr {
		stream = 1
	}
	if stream != w.stream && start > 0 {
		// Lines of the other stream go out first, then what is new moves to the front.
		if err := w.flush(); err != nil {
			return err
		}
		buf = buf[:copy(buf, buf[start:])]
		start = 0
	}
	w.buf, w.stream = buf, stream

	if every := w.options.PartialEvery; every > 0 && seq%every == 0 {
		if err := w.cut(start); err != nil {
			return err
		}
	}
	w.lines++
	if !last || !w.options.NoFinalNewline {
		w.endLine()
		if every := w.options.BlankEvery; every > 0 && seq%every == 0 {
			w.endLine()
		}
	}
	if len(w.buf) >= bufferSize {
		return w.flush()
	}
	return nil
}

func (w *writer) endLine() {
	if w.options.CRLF {
		w.buf = append(w.buf, '\r')
	}
	w.buf = append(w.buf, '\n')
}

// cut writes the first half of the line that begins at start and keeps the rest back for a moment. A signal does not shorten it: the
// line in hand is finished as every other.
func (w *writer) cut(start int) error {
	half := start + (len(w.buf)-start)/2
	rest := append([]byte(nil), w.buf[half:]...)
	w.buf = w.buf[:half]
	if err := w.flush(); err != nil {
		return err
	}
	time.Sleep(partialPause)
	w.buf = append(w.buf, rest...)
	return nil
}

// flush writes the buffer. Lines count once their end is out.
func (w *writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	n, err := w.streams[w.stream].Write(w.buf)
	w.buf = w.buf[:0]
	w.tally.Writes++
	w.tally.Bytes += uint64(n)
	if err != nil {
		return fmt.Errorf("write std%s: %w", [2]string{"out", "err"}[w.stream], err)
	}
	w.tally.late(w.schedule, w.written, w.lines, time.Since(w.start))
	w.written = w.lines
	return nil
}

func (w *writer) report() Report {
	r := w.tally
	r.Source = w.options.Source
	r.Lines = w.written
	r.Blank = w.options.Blanks(w.written)
	r.WantRate = w.options.Rate
	r.Elapsed = time.Since(w.start)
	if r.Elapsed > 0 {
		r.Rate = float64(r.Lines) / r.Elapsed.Seconds()
	}
	r.KeptRate = r.LateLines*100 <= r.Lines
	return r
}
