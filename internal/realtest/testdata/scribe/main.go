// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command scribe writes to stdout what it reads from the named pipe that its argument
// names, until the other end is closed.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	pipe, err := os.Open(os.Args[1])
	if err == nil {
		_, err = io.Copy(os.Stdout, pipe)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
