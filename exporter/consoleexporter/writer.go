// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package consoleexporter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.opentelemetry.io/collector/component"
)

// shutdownGrace is how long a shutdown without a deadline waits for what is being written.
const shutdownGrace = 5 * time.Second

var (
	errNotRead = errors.New("stdout is not read, and the end of the output may be missing")
	errStopped = errors.New("the exporter has been shut down")
)

// writer writes in a goroutine of its own. A Write to a pipe that nobody reads, or to a
// terminal that is stopped, does not return, and nothing interrupts it; whoever waits for
// it can give up.
type writer struct {
	out   io.Writer
	texts chan text
	stop  chan struct{}
	ended chan struct{} // nil until start
}

// text is to be written, and the error goes to written.
type text struct {
	bytes   []byte
	written chan<- error
}

func newWriter(out io.Writer) *writer {
	return &writer{out: out, texts: make(chan text), stop: make(chan struct{})}
}

func (w *writer) start(context.Context, component.Host) error {
	w.ended = make(chan struct{})
	go func() {
		defer close(w.ended)
		for {
			select {
			case t := <-w.texts:
				_, err := w.out.Write(t.bytes)
				t.written <- err
			case <-w.stop:
				return
			}
		}
	}()
	return nil
}

// write waits until ctx ends. After an error it may still read bytes, and write them.
func (w *writer) write(ctx context.Context, bytes []byte) error {
	written := make(chan error, 1) // so that the goroutine does not wait for who has given up
	select {
	case w.texts <- text{bytes, written}:
	case <-w.stop:
		return errStopped
	case <-ctx.Done():
		return notWritten(ctx)
	}
	select {
	case err := <-written:
		return err
	case <-ctx.Done():
		return notWritten(ctx)
	}
}

func notWritten(ctx context.Context) error {
	return fmt.Errorf("waiting for stdout: %w", ctx.Err())
}

// shutdown returns errNotRead where what is being written has not ended in time. Its
// goroutine then ends with the process, or when somebody reads.
func (w *writer) shutdown(ctx context.Context) error {
	close(w.stop)
	if w.ended == nil {
		return nil
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, shutdownGrace)
		defer cancel()
	}
	select {
	case <-w.ended:
		return nil
	case <-ctx.Done():
		return errNotRead
	}
}
