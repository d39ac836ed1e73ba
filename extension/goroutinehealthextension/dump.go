// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
)

const (
	dumpPrefix     = "goroutines-"
	profileSuffix  = ".pb.gz"
	reportSuffix   = ".txt"
	dumpTimeLayout = "20060102T150405.000Z"
	// reportedLines bounds each table of a report, loggedLines those of a report in the
	// log.
	reportedLines = 200
	loggedLines   = 10
)

// dump writes a profile and a report and removes the oldest ones, or logs the report. A
// failure must not keep the extension from acting, so it is only logged.
func (h *goroutineHealth) dump(snap *snapshot) {
	if h.cfg.DumpDirectory == "" {
		var report strings.Builder
		_ = writeReport(&report, snap, loggedLines)
		h.set.Logger.Warn("report on goroutines", zap.String("report", report.String()),
			zap.String("remedy", "set dump_directory to get the whole report and a profile as files"))
		return
	}
	name := dumpPrefix + time.Now().UTC().Format(dumpTimeLayout)
	err := errors.Join(
		os.MkdirAll(h.cfg.DumpDirectory, 0o700),
		h.writeFile(name+profileSuffix, func(w io.Writer) error { return pprof.Lookup("goroutine").WriteTo(w, 0) }),
		h.writeFile(name+reportSuffix, func(w io.Writer) error { return writeReport(w, snap, reportedLines) }),
		h.pruneDumps(),
	)
	if err != nil {
		h.set.Logger.Warn("cannot write a dump of goroutines", zap.String("dump_directory", h.cfg.DumpDirectory), zap.Error(err),
			zap.String("remedy", "let the collector write to dump_directory"))
		return
	}
	h.set.Logger.Warn("wrote a dump of goroutines", zap.String("profile", filepath.Join(h.cfg.DumpDirectory, name+profileSuffix)))
}

func (h *goroutineHealth) writeFile(name string, content func(io.Writer) error) (err error) {
	file, err := os.OpenFile(filepath.Join(h.cfg.DumpDirectory, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return content(file)
}

// pruneDumps removes all but the last dumps.
func (h *goroutineHealth) pruneDumps() error {
	dumps, err := h.listDumps()
	if err != nil || len(dumps) <= h.cfg.MaxDumps {
		return err
	}
	for _, d := range dumps[h.cfg.MaxDumps:] {
		for _, suffix := range []string{profileSuffix, reportSuffix} {
			if e := os.Remove(filepath.Join(h.cfg.DumpDirectory, d.Name+suffix)); e != nil && !os.IsNotExist(e) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// dumpInfo describes a dump in the API.
type dumpInfo struct {
	Name string    `json:"name"` // of its files, without suffix
	At   time.Time `json:"at"`
	Size int64     `json:"size"` // of its files together, in bytes
}

// listDumps returns the dumps, the last one first.
func (h *goroutineHealth) listDumps() ([]dumpInfo, error) {
	if h.cfg.DumpDirectory == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(h.cfg.DumpDirectory)
	if err != nil {
		if os.IsNotExist(err) {
			err = nil
		}
		return nil, err
	}
	byName := make(map[string]*dumpInfo)
	for _, entry := range entries {
		name := strings.TrimSuffix(strings.TrimSuffix(entry.Name(), profileSuffix), reportSuffix)
		at, err := time.Parse(dumpTimeLayout, strings.TrimPrefix(name, dumpPrefix))
		if err != nil || name == entry.Name() || !strings.HasPrefix(name, dumpPrefix) {
			continue // not a dump
		}
		if byName[name] == nil {
			byName[name] = &dumpInfo{Name: name, At: at}
		}
		if info, err := entry.Info(); err == nil {
			byName[name].Size += info.Size()
		}
	}
	list := make([]dumpInfo, 0, len(byName))
	for _, d := range byName {
		list = append(list, *d)
	}
	slices.SortFunc(list, func(a, b dumpInfo) int { return cmp.Compare(b.Name, a.Name) })
	return list, nil
}

// writeReport writes what has been found for a person to read.
func writeReport(w io.Writer, snap *snapshot, lines int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", snap.finding.Level, snap.reason)
	fmt.Fprintf(&b, "goroutines %d, above what the captures need %d, growth %+.1f/min\n", snap.counts.Total, snap.finding.Excess, snap.finding.Growth)
	if snap.leaked != nil {
		fmt.Fprintf(&b, "proven never to wake %d (looked for at %s)\n", snap.leaked.Total, snap.leaked.Taken.UTC().Format(time.RFC3339))
	}
	if snap.census == nil {
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "\n%-30s %10s\n", "COMPONENT", "GOROUTINES")
	for _, component := range first(componentsBySize(snap.census.Components), lines) {
		fmt.Fprintf(&b, "%-30s %10d\n", component, sum(snap.census.Components[component]))
	}
	fmt.Fprintf(&b, "\n%10s %10s  %-30s FUNCTION\n", "ABOVE", "GROWN", "COMPONENT")
	for _, origin := range first(descending(snap.census.Above), lines) {
		fmt.Fprintf(&b, "%10d %+10d  %-30s %s", snap.census.Above[origin], snap.grown[origin], origin.Component, origin.Function)
		if creator := snap.creators.of(origin.Function); creator != "" {
			fmt.Fprintf(&b, ", created by %s", creator)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\n%10s %10s  CONTAINER\n", "ABOVE", "GOROUTINES")
	for _, c := range first(containersByExcess(snap.census), lines) {
		if c.Excess() > 0 {
			fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%10d %10d  %.12s  %s", c.Excess(), c.Count, c.ID, c.Name), " "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func descending(m map[census.Origin]int) []census.Origin {
	return slices.SortedFunc(maps.Keys(m), func(a, b census.Origin) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), a.Compare(b))
	})
}
