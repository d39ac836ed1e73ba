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
	"strings"
	"syscall"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

const usage = `usage: losslab [flags]          measure
       losslab report [flags]   make reports of what was measured

Measures strategies on profiles against a real engine: a private one, which needs root and dockerd, or --engine.
Build it with GOEXPERIMENT=goroutineleakprofile, else leaks are not proven.

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
		case "client": // of the laboratory, which starts itself
			return client.Run(os.Stdin, os.Stdout)
		case "report":
			return remake(args[1:])
		}
	}
	return measure(ctx, args)
}

func measure(ctx context.Context, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find the client: %w", err)
	}
	o := losslab.Options{
		Strategies: losslab.Strategies, Profiles: losslab.ProfileNames(),
		Client: []string{self, "client"}, Progress: os.Stderr, Calm: true,
	}
	fs := flag.NewFlagSet("losslab", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), usage)
		fs.PrintDefaults()
	}
	list(fs, &o.Strategies, "strategies", "Measure these `strategies`.")
	list(fs, &o.Profiles, "profiles", "Measure them on these `profiles`.")
	fs.IntVar(&o.Containers, "containers", 50, "Run this `number` of containers for the profile fleet.")
	fs.DurationVar(&o.Duration, "duration", 20*time.Second, "Let containers write for this `time` in each cell.")
	fs.DurationVar(&o.Lifetime, "lifetime", 5*time.Second, "Let follows that are short-lived live for this `time`; 30s is the default of the receiver.")
	fs.Uint64Var(&o.Seed, "seed", 1, "Vary the lines by this `number`.")
	fs.StringVar(&o.Endpoint, "engine", "", "Use the engine at this `endpoint`, on this machine, instead of a private one.")
	fs.BoolVar(&o.Claims, "claims", true, "Try the single claims of the analysis, too.")
	out := fs.String("out", "losslab", "Write lab.json and report.html into this `directory`.")
	quick := fs.Bool("quick", false, "Measure in less than three minutes what matters most, unless other flags say what.")
	keep := fs.String("keep", "", "Take from this `file` of an earlier measurement what was neither invalid nor disturbed.")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *keep != "" {
		if o.Keep, err = losslab.Load(*keep); err != nil {
			return err
		}
	}
	if *quick {
		quicken(fs, &o)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fmt.Errorf("make the directory for results: %w", err)
	}
	path := filepath.Join(*out, "lab.json")
	o.Done = func(lab *losslab.Lab) { _ = lab.Save(path) } // for one who looks meanwhile
	lab, err := losslab.Run(ctx, o)
	if lab == nil {
		return err
	}
	return errors.Join(err, lab.Save(path), publish(lab, *out))
}

// quicken leaves out what takes long, but for what was asked for.
func quicken(fs *flag.FlagSet, o *losslab.Options) {
	given := make(map[string]bool)
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["profiles"] {
		o.Profiles = []string{"high"}
	}
	if !given["strategies"] {
		o.Strategies = append(client.Ours, "careless-streaming", "careless-short-lived", "careless-poll-5s")
	}
	if !given["duration"] {
		o.Duration = 8 * time.Second
	}
	if !given["lifetime"] {
		o.Lifetime = 3 * time.Second
	}
	o.Calm = false
	if !given["claims"] {
		o.Claims = false
	}
}

// list is a flag with words separated by commas.
func list(fs *flag.FlagSet, words *[]string, name, about string) {
	fs.Func(name, about+" (default "+strings.Join(*words, ",")+")", func(text string) error {
		*words = strings.Split(text, ",")
		return nil
	})
}
