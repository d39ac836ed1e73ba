// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command enginematrix makes docs/conformance.md: see package internal/matrix.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/matrix"
)

const usage = `usage: enginematrix collect [flags]   make docs/conformance.json of what tests have recorded, and the document
       enginematrix render [flags]    make the document of docs/conformance.json

`

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "enginematrix:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	fs := flag.NewFlagSet("enginematrix", flag.ContinueOnError)
	fs.Usage = func() {
		fmt.Fprint(fs.Output(), usage)
		fs.PrintDefaults()
	}
	from := fs.String("from", "dist/matrix", "Collect from this `directory`, which DOCKERLOGS_MATRIX has named.")
	root := fs.String("root", ".", "The documents are below this `directory`.")
	if len(args) == 0 {
		fs.Usage()
		return flag.ErrHelp
	}
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	figures := filepath.Join(*root, matrix.Figures)
	switch args[0] {
	case "collect":
		if err := collect(*from, figures); err != nil {
			return err
		}
	case "render":
	default:
		fs.Usage()
		return fmt.Errorf("%q is neither collect nor render", args[0])
	}
	m, err := matrix.Read(figures)
	if err != nil {
		return err
	}
	return m.WriteDocument(*root)
}

func collect(from, figures string) error {
	m, err := matrix.Collect(from)
	if err != nil {
		return err
	}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return fmt.Errorf("find the version of the kernel: %w", err)
	}
	m.Cores, m.Kernel = runtime.NumCPU(), unix.ByteSliceToString(uts.Release[:])
	return m.Save(figures)
}
