// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command loggen writes numbered, checksummed log lines to stdout and stderr, as its flags ask. It needs nothing but a kernel: it
// runs as PID 1 of an image built FROM scratch.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
)

func main() {
	// Installed first: as PID 1 a signal without a handler is ignored.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	context.AfterFunc(ctx, stop) // so that the second one kills, should nobody read what is being written
	code, err := run(ctx, os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "loggen:", err)
	}
	os.Exit(code)
}

// Statuses for what went wrong here, as opposed to what --exit-code asks for.
const (
	failed = 1 // a line or the report could not be written
	misuse = 2
)

func run(ctx context.Context, args []string) (code int, err error) {
	var o loggen.Options
	fs := flag.NewFlagSet("loggen", flag.ContinueOnError)
	o.RegisterFlags(fs)
	report := fs.String("report", "", "Write a report of what was written, as JSON, to the file at this `path` after the last line.")
	startFile := fs.String("start-file", "", "Wait until there is a file at this `path` before the start-delay and the first line.")
	summary := fs.Bool("summary", false, "Write the same report to stderr, as one more line, which is no part of the log.")
	switch err := fs.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0, nil
	case err != nil:
		return misuse, nil // fs has said why
	case fs.NArg() > 0:
		return misuse, fmt.Errorf("%q is no flag: see --help", fs.Arg(0))
	}
	if o.Source == "" {
		if o.Source, err = os.Hostname(); err != nil {
			return misuse, fmt.Errorf("source: give one, as the host has no name: %w", err)
		}
	}
	if err := o.Validate(); err != nil {
		return misuse, err
	}

	if !awaitFile(ctx, *startFile) {
		return o.ExitCode, nil
	}
	result, err := loggen.Run(ctx, o, os.Stdout, os.Stderr)
	// Before lingering: whoever kills the process then has the report all the same.
	if err := errors.Join(err, deliver(result, *report, *summary)); err != nil {
		return failed, err
	}
	linger(ctx, o)
	return o.ExitCode, nil
}

// awaitFile lets many that write begin together. It is false if a signal came first. An image from scratch has nothing
// that could tell when the file is there, so it is looked for.
func awaitFile(ctx context.Context, path string) bool {
	for path != "" {
		if _, err := os.Stat(path); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

// deliver writes the report where it was asked for.
func deliver(result loggen.Report, path string, summary bool) error {
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	text = append(text, '\n')
	var errs []error
	if path != "" {
		errs = append(errs, os.WriteFile(path, text, 0o644))
	}
	if summary {
		_, err := os.Stderr.Write(text)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func linger(ctx context.Context, o loggen.Options) {
	if o.UntilSignal {
		<-ctx.Done()
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(o.Linger):
	}
}
