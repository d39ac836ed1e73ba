// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command grafanarules makes Grafana's file of alerts from the rules of Prometheus.
package main

import (
	"fmt"
	"os"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/monitoring"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: grafanarules <rules of Prometheus> <file to write>")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	groups, err := monitoring.ReadRules(from)
	if err != nil {
		return err
	}
	text, err := monitoring.GrafanaAlerts(groups)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
