// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"strings"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab"
)

// markdown is a table, its first row the heads.
func markdown(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		b.WriteString("| " + strings.Join(row, " | ") + " |\n")
		if i == 0 {
			b.WriteString("|" + strings.Repeat(" --- |", len(row)) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func code(s string) string { return "`" + s + "`" }

// summary has a line for each reader, over all profiles.
func (f *figures) summary() (string, error) {
	rows := [][]string{{
		"Reader", "Lost", "Repeated", "Goroutines left behind", "Latency at profile high, p50 / p99",
		"Client, daemon: s per million lines", "Memory", "Requests a minute of the fleet",
	}}
	for _, strategy := range losslab.Readers {
		row := []string{code(strategy)}
		for _, what := range []string{"lost", "repeated", "left"} {
			text, err := f.total(what, strategy)
			if err != nil {
				return "", err
			}
			row = append(row, text)
		}
		c, err := f.where(strategy, "high")
		if err != nil {
			return "", err
		}
		daemon, err := f.daemon(strategy, "high")
		if err != nil {
			return "", err
		}
		requests, err := f.of(func(c *losslab.Cell) string { return count(uint64(max(0, c.RequestsPerMinute) + 0.5)) })(strategy, "claim")
		if err != nil {
			return "", err
		}
		rows = append(rows, append(row, age(c.Age(0.5))+" / "+age(c.Age(0.99)),
			seconds(c.PerMillion(c.CPU.Client))+", "+strings.TrimSuffix(daemon, " s"), mebibytes(c.Resident.Peak)+" MiB", requests))
	}
	return markdown(rows), nil
}

// all has every figure of a profile.
func (f *figures) all(profile string) string {
	rows := [][]string{columns}
	for _, c := range of(f.lab, profile) {
		r := row(f.lab, c)
		r[0] = code(c.Strategy)
		rows = append(rows, r)
	}
	return markdown(rows)
}

// load is what used the machine.
func (f *figures) load() string {
	return markdown(append([][]string{{"Profile", "Measured for", "Clients", "Daemon", "Generator", "Others", "Latest line"}}, loads(f.lab)...))
}

// profiles are what containers write.
func (f *figures) profiles() string {
	rows := [][]string{{"Profile", "Containers"}}
	for _, name := range profiles(f.lab) {
		what, text, _ := strings.Cut(about(name, f.lab), ": ")
		rows = append(rows, []string{code(what), text})
	}
	return markdown(rows)
}
