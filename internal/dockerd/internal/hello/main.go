// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command hello is what the containers of this package's tests run. It greets on both streams, then does as it is told.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	lines := flag.Int("lines", 1, "how many lines to write to standard output")
	stay := flag.Bool("stay", false, "stay until SIGTERM")
	code := flag.Int("exit", 0, "the exit code")
	flag.Parse()

	// Pid 1 of a container dies of no signal that it has not asked for.
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)

	for i := range *lines {
		fmt.Println("hello", i)
	}
	fmt.Fprintln(os.Stderr, "env", os.Getenv("GREETING"), "uid", os.Getuid())
	if *stay {
		<-stop
		fmt.Println("bye")
	}
	os.Exit(*code)
}
