// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package loggen

import (
	"flag"
	"io"
)

// RegisterFlags binds the options to the flags of cmd/loggen, what they hold being the defaults.
func (o *Options) RegisterFlags(fs *flag.FlagSet) {
	fs.Uint64Var(&o.Seed, "seed", o.Seed, "Vary sizes, streams and payloads by this `number`; equal seeds give equal lines.")
	fs.StringVar(&o.Source, "source", o.Source, "Bear this `name` in every line (default: the host's name, in a container its short id).")
	fs.Uint64Var(&o.Lines, "lines", o.Lines, "Write this `number` of lines; 0 is until a signal.")
	fs.Float64Var(&o.Rate, "rate", o.Rate, "Write this many `lines` per second; 0 is flat out, or bursts alone.")
	fs.Uint64Var(&o.BurstSize, "burst-size", o.BurstSize, "Write this `number` of lines at once at the start and after each burst-every, on top of rate.")
	fs.DurationVar(&o.BurstEvery, "burst-every", o.BurstEvery, "Wait this `duration` between the beginnings of two bursts.")
	fs.Var(&o.Sizes, "size", "Make lines this many `bytes` long without their end: 120, 80-400, or by weight 120:95,20000:4,1000000:1.")
	fs.Float64Var(&o.StderrShare, "stderr-share", o.StderrShare, "Write this `share` of the lines, 0 to 1, to stderr.")
	fs.StringVar((*string)(&o.Payload), "payload", string(o.Payload), "Fill lines with this `kind` of text: ascii (when empty), utf8, or binary (invalid UTF-8 and NUL).")
	fs.BoolVar(&o.CRLF, "crlf", o.CRLF, "End lines in \\r\\n.")
	fs.Uint64Var(&o.BlankEvery, "blank-every", o.BlankEvery, "Put a blank line behind every line whose number this `number` divides; 0 is none.")
	fs.Uint64Var(&o.PartialEvery, "partial-every", o.PartialEvery, "Write every line whose number this `number` divides in two parts with a pause of 10 ms; 0 is none.")
	fs.BoolVar(&o.NoFinalNewline, "no-final-newline", o.NoFinalNewline, "Leave the last line without its end.")
	fs.DurationVar(&o.StartDelay, "start-delay", o.StartDelay, "Wait this `duration` before the first line.")
	fs.DurationVar(&o.Linger, "linger", o.Linger, "Stay for this `duration` after the last line.")
	fs.BoolVar(&o.UntilSignal, "until-signal", o.UntilSignal, "Stay until SIGTERM or SIGINT after the last line.")
	fs.IntVar(&o.ExitCode, "exit-code", o.ExitCode, "Exit with this `status`, also after SIGTERM or SIGINT.")
}

// Args are the arguments that make cmd/loggen write what o says.
func (o *Options) Args() []string {
	var defaults Options
	fresh, bound := flag.NewFlagSet("", flag.ContinueOnError), flag.NewFlagSet("", flag.ContinueOnError)
	fresh.SetOutput(io.Discard)
	defaults.RegisterFlags(fresh)
	values := *o
	values.RegisterFlags(bound)
	var args []string
	bound.VisitAll(func(f *flag.Flag) {
		if value := f.Value.String(); value != fresh.Lookup(f.Name).DefValue {
			args = append(args, "--"+f.Name+"="+value)
		}
	})
	return args
}
