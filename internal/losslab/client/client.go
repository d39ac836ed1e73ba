// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"time"
)

const (
	sampleInterval = 250 * time.Millisecond
	// Only every so many samples ask the reader for its requests: that has to collect metrics.
	samplesPerCount = 4
	// The series has every second sample.
	samplesPerPoint = 2
	lookInterval    = 20 * time.Millisecond
	stopTimeout     = time.Minute
)

// reader reads the logs. What its stop leaves behind is measured.
type reader interface {
	start() error
	stop(context.Context) error
	counts() counts
}

// counts are what a reader counts itself.
type counts struct {
	requests, gaps, suppressed int64
}

// Run is the process: it reads its job from in and reports to out.
func Run(in io.Reader, out io.Writer) error {
	signal.Ignore(os.Interrupt) // a Ctrl-C is for the laboratory, which ends its clients in order
	orders, reports := json.NewDecoder(in), json.NewEncoder(out)
	var job Job
	if err := orders.Decode(&job); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	sink := newSink(job.Sources)
	r, err := newReader(job, sink)
	if err != nil {
		return err
	}
	finishes := make(chan Finish)
	go func() {
		var finish Finish
		if err := orders.Decode(&finish); err != nil {
			os.Exit(1) // the laboratory is gone
		}
		finishes <- finish
		_ = orders.Decode(&finish) // blocks until the laboratory closes the pipe
		os.Exit(1)
	}()
	result, err := measure(r, sink, finishes, func(m Message) { _ = reports.Encode(m) })
	if err != nil {
		return err
	}
	return reports.Encode(Message{Result: result})
}

// measure runs the reader until Finish has come and the lines have, and then counts what it
// leaves behind.
func measure(r reader, sink *sink, finishes <-chan Finish, report func(Message)) (*Result, error) {
	runtime.GC()
	goroutines, cpu := runtime.NumGoroutine(), processorTime()
	result := &Result{}
	began := time.Now()
	if err := r.start(); err != nil {
		return nil, fmt.Errorf("start the reader: %w", err)
	}
	result.Resident.Before = resident()
	report(Message{Ready: true})

	finish := result.sample(r, began, goroutines, finishes)
	sink.expect(finish.Written)
	last := sink.drain(finish.Quiet)
	result.Elapsed, result.LastLine = time.Since(began), last.Sub(began)
	result.CPU = processorTime() - cpu
	report(Message{Drained: true})
	known := r.counts() // before the stop, which is no part of the reader's work
	result.Requests, result.Gaps, result.Suppressed = known.requests, known.gaps, known.suppressed

	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := r.stop(ctx); err != nil && !errors.Is(err, context.Canceled) {
		result.Error = err.Error()
	}
	result.Goroutines.Left, result.Goroutines.Leaked = settle(goroutines, finish.Settle)
	sink.count(result)
	return result, nil
}

// sample records goroutines, memory and requests until all lines are written.
func (result *Result) sample(r reader, began time.Time, before int, finishes <-chan Finish) Finish {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	var goroutines, requests history
	for i := 0; ; i++ {
		select {
		case <-ticker.C:
		case finish := <-finishes:
			result.Goroutines.Growth = goroutines.growth(floor)
			result.RequestsPerMinute = requests.growth(median)
			return finish
		}
		at, n := time.Since(began), runtime.NumGoroutine()-before
		goroutines.add(at, float64(n))
		result.Goroutines.Peak = max(result.Goroutines.Peak, n)
		result.Resident.Peak = max(result.Resident.Peak, resident())
		if i%samplesPerCount == 0 {
			requests.add(at, float64(r.counts().requests))
		}
		if i%samplesPerPoint == 0 {
			result.Series.Seconds = append(result.Series.Seconds, round(at.Seconds()))
			result.Series.Goroutines = append(result.Series.Goroutines, n)
		}
	}
}

// settle waits until there are no more goroutines than before, and counts those that remain
// when the time is up.
func settle(before int, timeout time.Duration) (left, leaked int) {
	deadline := time.Now().Add(timeout)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(lookInterval)
	}
	return max(0, runtime.NumGoroutine()-before), provenLeaks()
}
