// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package version answers --version of the distribution, whose main package is generated and knows its number only. The
// Makefile has that package import this one.
package version

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
)

// What the linker sets, with -X: the version as builder-config.yaml has it, and the commit that was built.
var (
	version = "unknown"
	commit  = "unknown"
)

// An init, since the generated main leaves no other place before the flags are read.
func init() {
	if asked(os.Args) {
		write(os.Stdout)
		os.Exit(0)
	}
}

// asked leaves every other command line to the generated main.
func asked(args []string) bool {
	return len(args) == 2 && slices.Contains([]string{"--version", "-v"}, args[1])
}

// write begins as the Collector's own answer does, for whoever parses that.
func write(w io.Writer) {
	_, _ = fmt.Fprintf(w, "otelcol-dockerlogs version %s\ncommit %s\n%s %s/%s\n", version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if collector := collector(); collector != "" {
		_, _ = fmt.Fprintf(w, "OpenTelemetry Collector %s\n", collector)
	}
}

func collector() string {
	info, _ := debug.ReadBuildInfo()
	if info == nil {
		return ""
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == "go.opentelemetry.io/collector/otelcol" })
	if i < 0 {
		return ""
	}
	return info.Deps[i].Version
}
