// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command losslab is the loss laboratory: see package internal/losslab.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/report"
)

const usage = `usage: losslab [flags]          measure
       losslab report [flags]   make reports of an earlier measurement

Measures strategies on profiles against a real engine: a private one, which needs root and dockerd, or --engine.
Build it with GOEXPERIMENT=goroutineleakprofile, or leaks are not proven.

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second one kills
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "losslab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "client": // the laboratory starts itself as one
			return client.Run(os.Stdin, os.Stdout)
		case "report":
			return makeReport(args[1:])
		}
	}
	return measure(ctx, args)
}

func measure(ctx context.Context, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the client: %w", err)
	}
	o := losslab.Options{Strategies: losslab.Strategies, Client: []string{self, "client"}, Progress: os.Stderr}
	profiles := losslab.ProfileNames()
	fs := flag.NewFlagSet("losslab", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), usage)
		fs.PrintDefaults()
	}
	listVar(fs, &o.Strategies, "strategies", "Measure these `strategies`.")
	listVar(fs, &profiles, "profiles", "Measure them on these `profiles`.")
	fs.IntVar(&o.Containers, "containers", 50, "Run this `number` of containers for a fleet.")
	fs.DurationVar(&o.Duration, "duration", 20*time.Second, "Let containers write for this `time` in each cell.")
	fs.DurationVar(&o.Lifetime, "lifetime", 5*time.Second, "Let short-lived follows live for this `time`; the receiver's default is 30s.")
	fs.Uint64Var(&o.Seed, "seed", 1, "Vary the lines by this `number`.")
	fs.StringVar(&o.Endpoint, "engine", "", "Use the engine at this `endpoint`, on this machine, instead of a private one.")
	fs.Func("receiver", "Configure the receiver with this `YAML` too, for example 'batch: {flush_timeout: 0s}'.", func(text string) error {
		return yaml.Unmarshal([]byte(text), &o.Receiver)
	})
	out := fs.String("out", "losslab", "Write lab.json into this `directory`.")
	quick := fs.Bool("quick", false, "Measure in less than three minutes what matters most, unless other flags say what.")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *quick {
		given := make(map[string]bool)
		fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
		quicken(given, &o, &profiles)
	}
	if o.Profiles, err = losslab.FindProfiles(profiles); err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fmt.Errorf("make the directory for results: %w", err)
	}
	path := filepath.Join(*out, "lab.json")
	o.Done = func(lab *losslab.Lab) { _ = lab.Save(path) } // for those who look meanwhile
	lab, err := losslab.Run(ctx, o)
	if lab == nil {
		return err
	}
	return errors.Join(err, lab.Save(path), report.Table(os.Stdout, lab))
}

// quicken replaces defaults that take long; what was given stays.
func quicken(given map[string]bool, o *losslab.Options, profiles *[]string) {
	if !given["profiles"] {
		*profiles = []string{"high"}
	}
	if !given["strategies"] {
		o.Strategies = append(slices.Clone(client.ReceiverStrategies), "naive-streaming", "naive-short-lived", "naive-poll-5s", client.FileLog)
	}
	if !given["duration"] {
		o.Duration = 8 * time.Second
	}
	if !given["lifetime"] {
		o.Lifetime = 3 * time.Second
	}
}

// makeReport makes the documents, or the table, of an earlier measurement.
func makeReport(args []string) error {
	fs := flag.NewFlagSet("losslab report", flag.ContinueOnError)
	in := fs.String("in", "docs/lab.json", "Take the figures from this `file`.")
	root := fs.String("root", "", "Write docs/loss-analysis.md, its pictures and the README's summary below this `directory`, instead of printing the table.")
	if err := fs.Parse(args); err != nil {
		return err
	}
	lab, err := losslab.ReadFile(*in)
	if err != nil {
		return err
	}
	if *root == "" {
		return report.Table(os.Stdout, lab)
	}
	return report.WriteDocs(lab, *root)
}

// listVar defines a flag of words separated by commas.
func listVar(fs *flag.FlagSet, words *[]string, name, about string) {
	fs.Func(name, about+" (default "+strings.Join(*words, ",")+")", func(text string) error {
		*words = strings.Split(text, ",")
		return nil
	})
}
