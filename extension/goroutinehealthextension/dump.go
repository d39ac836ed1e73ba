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
	// reportedOrigins bounds the lines of a report, and loggedOrigins those of one
	// that goes to the log.
	reportedOrigins = 200
	loggedOrigins   = 10
)

// dump writes a profile and a report, and removes the oldest ones. It must not keep
// the extension from acting, so it only warns.
func (h *goroutineHealth) dump(f *snapshot) {
	if h.cfg.DumpDirectory == "" {
		var report strings.Builder
		_ = writeReport(&report, f, loggedOrigins)
		h.set.Logger.Warn("report on goroutines; set dump_directory for more", zap.String("report", report.String()))
		return
	}
	name := dumpPrefix + time.Now().UTC().Format(dumpTimeLayout)
	err := errors.Join(
		os.MkdirAll(h.cfg.DumpDirectory, 0o700),
		h.writeFile(name+profileSuffix, func(w io.Writer) error { return pprof.Lookup("goroutine").WriteTo(w, 0) }),
		h.writeFile(name+reportSuffix, func(w io.Writer) error { return writeReport(w, f, reportedOrigins) }),
		h.prune(),
	)
	if err != nil {
		h.set.Logger.Warn("cannot write a dump of goroutines", zap.String("dump_directory", h.cfg.DumpDirectory), zap.Error(err))
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

// prune removes the files of all but the last dumps.
func (h *goroutineHealth) prune() error {
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

// dumpInfo is a dump as the API tells it.
type dumpInfo struct {
	Name string    `json:"name"` // of its files, without suffix
	At   time.Time `json:"at"`
	Size int64     `json:"size"` // of its files together, in bytes
}

// listDumps lists the dumps, the last one first.
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
			continue // not ours
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

// writeReport tells a person what has been found.
func writeReport(w io.Writer, f *snapshot, lines int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", f.finding.Level, f.reason)
	fmt.Fprintf(&b, "goroutines %d, above what the captures need %d, growth %+.1f/min\n", f.counts.Total, f.finding.Excess, f.finding.Growth)
	if f.leaked != nil {
		fmt.Fprintf(&b, "proven never to wake %d (looked %s)\n", f.leaked.Total, f.leaked.Taken.UTC().Format(time.RFC3339))
	}
	if f.census == nil {
		_, err := io.WriteString(w, b.String())
		return err
	}
	fmt.Fprintf(&b, "\n%-30s %10s\n", "COMPONENT", "GOROUTINES")
	for _, component := range first(componentsBySize(f.census.Components), lines) {
		fmt.Fprintf(&b, "%-30s %10d\n", component, sum(f.census.Components[component]))
	}
	fmt.Fprintf(&b, "\n%10s %10s  %-30s FUNCTION\n", "ABOVE", "GROWN", "COMPONENT")
	for _, origin := range first(descending(f.census.Above), lines) {
		fmt.Fprintf(&b, "%10d %+10d  %-30s %s", f.census.Above[origin], f.grown[origin], origin.Component, origin.Function)
		if creator := f.creators.of(origin.Function); creator != "" {
			fmt.Fprintf(&b, ", created by %s", creator)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "\n%10s %10s  CONTAINER\n", "ABOVE", "GOROUTINES")
	for _, c := range first(containersByExcess(f.census), lines) {
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
