// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
)

// loads are what used the machine, by profile: cores on average, while the cells were measured.
func loads(lab *losslab.Lab) (rows [][]string) {
	for _, profile := range profiles(lab) {
		var elapsed time.Duration
		var used losslab.CPU
		var lag time.Duration
		for _, c := range of(lab, profile) {
			elapsed += c.Elapsed
			used.Client += c.CPU.Client
			used.Daemon += c.CPU.Daemon
			used.Generator += c.CPU.Generator
			used.Others += c.CPU.Others
			lag = max(lag, c.Generator.MaxLag)
		}
		cores := func(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()/elapsed.Seconds()) }
		rows = append(rows, []string{
			profile, elapsed.Round(time.Second).String(), cores(used.Client), cores(used.Daemon), cores(used.Generator), cores(used.Others), age(lag),
		})
	}
	return rows
}
