// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command enginefacts finds out what Docker Engines do with logs: see package internal/enginefacts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginefacts"
)

const usage = `usage: enginefacts [flags]          measure
       enginefacts report [flags]   make docs/engines.md of what was measured

Measures private engines, which needs root and the engines that internal/dockerd/engines.sh brings.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second one kills
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "enginefacts:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "report" {
		return report(args[1:])
	}
	return measure(ctx, args)
}

func measure(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("enginefacts", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), usage)
		fs.PrintDefaults()
	}
	engines := fs.String("engines", "20.10,26.1,28.5", "Measure the engines of these `versions`; empty is the dockerd in PATH.")
	ids := fs.String("facts", "", "Measure these `facts` alone, by their names in the JSON; the others stay as they are.")
	out := fs.String("out", "docs/engine-facts.json", "Add the figures to this `file`.")
	if err := fs.Parse(args); err != nil {
		return err
	}
	facts, err := enginefacts.Find(strings.FieldsFunc(*ids, func(r rune) bool { return r == ',' }))
	if err != nil {
		return err
	}
	var errs []error
	for version := range strings.SplitSeq(*engines, ",") {
		errs = append(errs, measureEngine(ctx, version, facts, *out))
	}
	return errors.Join(errs...)
}

// measureEngine adds the facts of one engine to the file, each as soon as it is measured.
func measureEngine(ctx context.Context, version string, facts []enginefacts.Fact, path string) (err error) {
	results, err := enginefacts.ReadFile(path)
	if err != nil {
		return err
	}
	e, err := dockerd.Start(ctx, enginefacts.EngineOptions(version))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	began := time.Now()
	_, err = enginefacts.Measure(ctx, e, facts, func(engine enginefacts.Engine, f enginefacts.Fact, figures fmt.Stringer) {
		fmt.Fprintf(os.Stderr, "%v  %s  %s: %s\n", time.Since(began).Truncate(time.Second), engine.Version, f.ID, figures)
		results.Add(engine)
		_ = results.Save(path) // for those who look meanwhile
	})
	return errors.Join(err, results.Save(path))
}

// report makes the document.
func report(args []string) error {
	fs := flag.NewFlagSet("enginefacts report", flag.ContinueOnError)
	root := fs.String("root", ".", "Read docs/engine-facts.json and write docs/engines.md below this `directory`.")
	if err := fs.Parse(args); err != nil {
		return err
	}
	results, err := enginefacts.ReadFile(filepath.Join(*root, enginefacts.FiguresPath))
	if err != nil {
		return err
	}
	text, err := enginefacts.Document(results)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(*root, enginefacts.DocumentPath), text, 0o644)
}
