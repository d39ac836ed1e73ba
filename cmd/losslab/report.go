// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/report"
)

// publish prints the table and writes the page.
func publish(lab *losslab.Lab, dir string) error {
	path := filepath.Join(dir, "report.html")
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	err = errors.Join(report.Page(file, lab), file.Close(), report.Table(os.Stdout, lab))
	fmt.Printf("\n%s has the figures with charts, %s the raw ones.\n", path, filepath.Join(dir, "lab.json"))
	return err
}

// remake makes reports of a file that was measured before.
func remake(args []string) error {
	fs := flag.NewFlagSet("losslab report", flag.ContinueOnError)
	in := fs.String("in", "docs/lab.json", "Take the figures from the `file` that a measurement has left.")
	out := fs.String("out", "", "Write report.html into this `directory`, and print the table.")
	root := fs.String("root", "", "Write docs/loss-analysis.md, its pictures and the README's summary below this `directory`.")
	if err := fs.Parse(args); err != nil {
		return err
	}
	lab, err := losslab.Load(*in)
	if err != nil {
		return err
	}
	if *out != "" {
		err = publish(lab, *out)
	}
	if *root != "" {
		err = errors.Join(err, report.WriteDocs(lab, *root))
	}
	return err
}
