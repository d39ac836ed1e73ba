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
	"runtime"
	"time"
)

const (
	sampleEvery = 250 * time.Millisecond
	// requestsEvery samples have the number of requests, which is dearer to get.
	requestsEvery = 4
	lookEvery     = 20 * time.Millisecond
	stopPatience  = time.Minute // for a reader to end
)

// reader is what reads the logs. Its stop may leave something behind: that is measured.
type reader interface {
	start() error
	stop(context.Context) error
	counts() counts
}

// counts are what a reader knows of itself.
type counts struct {
	requests, gaps, suppressed int64
}

// Run is the process: it does the job that it reads from in, and reports to out.
func Run(in io.Reader, out io.Writer) error {
	orders := json.NewDecoder(in)
	reports := json.NewEncoder(out)
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
		_ = orders.Decode(&finish) // blocks until the laboratory lets go
		os.Exit(1)
	}()
	result, err := measure(r, sink, finishes, func(m Message) { _ = reports.Encode(m) })
	if err != nil {
		return err
	}
	return reports.Encode(Message{Result: result})
}

// measure runs the reader until the finish, and looks at what it leaves.
func measure(r reader, sink *sink, finishes <-chan Finish, report func(Message)) (*Result, error) {
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	runtime.GC()
	goroutines, cpu := runtime.NumGoroutine(), processorTime()
	began := time.Now()
	if err := r.start(); err != nil {
		return nil, fmt.Errorf("start the reader: %w", err)
	}
	report(Message{Ready: &Ready{Resident: resident()}})

	var finish Finish
	for i, waiting := 0, true; waiting; i++ {
		select {
		case <-ticker.C:
			s := Sample{
				At: time.Since(began), Goroutines: runtime.NumGoroutine() - goroutines, Resident: resident(),
				Delivered: sink.delivered.Load(), Requests: -1,
			}
			if i%requestsEvery == 0 {
				s.Requests = r.counts().requests
			}
			report(Message{Sample: &s})
		case finish = <-finishes:
			waiting = false
		}
	}
	sink.expect(finish.Written)
	last := sink.drain(finish.Quiet)
	known := r.counts() // before the end: what ends a reader is not part of its work
	result := &Result{
		Elapsed: time.Since(began), LastLine: last.Sub(began), CPU: processorTime() - cpu,
		Requests: known.requests, Gaps: known.gaps, Suppressed: known.suppressed,
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	stopping := time.Now()
	err := r.stop(ctx)
	result.Stopped = time.Since(stopping)
	if err != nil && !errors.Is(err, context.Canceled) {
		result.Error = err.Error()
	}
	result.Left, result.Leaked = settle(goroutines, finish.Settle)
	sink.tell(result)
	return result, nil
}

// settle waits until there are no more goroutines than before, and counts what is left if that does not happen.
func settle(before int, patience time.Duration) (left, leaked int) {
	deadline := time.Now().Add(patience)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		time.Sleep(lookEvery)
	}
	return max(0, runtime.NumGoroutine()-before), provenLeaks()
}
