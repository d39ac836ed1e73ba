// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command containers prints what docker_logs does with each container, from the receiver's
// status endpoint:
//
//	otelcol-dockerlogs-containers [flags] [name ...]
//
// A name shows the containers whose names contain it; that of one container shows all that
// is known of it. It exits with 1 if no container has the name, with 2 if it cannot ask.
//
// The collector itself has no such subcommand: its main is made by ocb, which leaves no
// place for one.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/terminal"
)

const (
	program         = "otelcol-dockerlogs-containers"
	defaultEndpoint = "http://localhost:13135"
)

const (
	exitNone  = 1 // no container has the name
	exitError = 2 // also for wrong arguments
)

var errNone = errors.New("no such container")

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if err == nil {
		o.colours = terminal.Colours(os.Stdout)
		err = o.run(os.Stdout, os.Stderr)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %s\n", program, terminal.Text(err.Error(), ""))
		}
	}
	os.Exit(exitCode(err))
}

func exitCode(err error) int {
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errNone):
		return exitNone
	default:
		return exitError
	}
}

type options struct {
	endpoint            *url.URL
	json, wide, colours bool
	names               []string
}

// parse reads the arguments, flags behind names too. It prints what is wrong with them.
func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet(program, flag.ContinueOnError)
	flags.SetOutput(stderr)
	endpoint := flags.String("endpoint", defaultEndpoint, "`URL` of status.endpoint of docker_logs")
	flags.BoolVar(&o.json, "json", false, "print the answer itself, one for each name")
	flags.BoolVar(&o.wide, "wide", false, "add id, image, source and the time of the last line")
	flags.Usage = func() {
		fmt.Fprintf(stderr, "Usage: %s [flags] [name ...]\n\nPrints what docker_logs does with each container, or with those whose names contain one of these.\nThe name of one container prints all that is known of it.\n\n", program)
		flags.PrintDefaults()
	}
	for {
		if err := flags.Parse(args); err != nil {
			return o, err
		}
		if flags.NArg() == 0 {
			break
		}
		o.names = append(o.names, flags.Arg(0))
		args = flags.Args()[1:]
	}
	if !strings.Contains(*endpoint, "://") {
		*endpoint = "http://" + *endpoint
	}
	var err error
	if o.endpoint, err = url.Parse(*endpoint); err != nil {
		err = fmt.Errorf("--endpoint: %w", errors.Unwrap(err)) // without the URL, which may hold a password
		fmt.Fprintf(stderr, "%s: %s\n", program, terminal.Text(err.Error(), ""))
	}
	return o, err
}

func (o options) run(stdout, stderr io.Writer) error {
	names := o.names
	if len(names) == 0 {
		names = []string{""} // which every name contains
	}
	var shown answer
	for _, name := range names {
		a, raw, err := find(o.endpoint, name, len(names) == 1)
		if err != nil {
			return err
		}
		if o.json {
			if _, err := fmt.Fprint(stdout, terminal.Text(string(raw), "\n\t\x7f")); err != nil { // JSON has no \x7f
				return err
			}
			continue
		}
		a.Containers = append(shown.Containers, a.Containers...)
		shown = a
	}
	if o.json {
		return nil
	}
	shown.warn(stderr)
	if shown.Container != nil {
		return shown.view(stdout)
	}
	return shown.table(stdout, o.wide, o.colours)
}
