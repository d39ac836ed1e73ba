// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// parts is what archives, packages and images of a target are put together from.
type parts struct {
	commands []string // paths; the first is the collector's
	licences []byte   // of all that is in the commands
	sbom     []byte
	unit     []byte // of systemd, for a package
}

func (r release) parts(t target) (parts, error) {
	dir := filepath.Join(r.root, "dist/build", t.id())
	commands, err := filepath.Glob(filepath.Join(dir, "otelcol-dockerlogs*"))
	if err != nil {
		return parts{}, err
	}
	if len(commands) == 0 {
		return parts{}, fmt.Errorf("no commands in %s: make release builds them", dir)
	}
	slices.SortFunc(commands, func(a, b string) int { return len(a) - len(b) })
	p := parts{commands: commands}
	modules, err := listModules(t, filepath.Join(r.root, "dist"), ".")
	if err != nil {
		return parts{}, err
	}
	p.licences = notice(modules)
	if p.sbom, err = r.sbom(commands, modules); err != nil {
		return parts{}, err
	}
	p.unit, err = r.packagedUnit()
	return p, err
}

// packagedUnit is the unit of systemd for a package, which brings a user for it: so the configuration may hold secrets.
func (r release) packagedUnit() ([]byte, error) {
	unit, err := os.ReadFile(filepath.Join(r.root, "deploy/systemd/otelcol-dockerlogs.service"))
	if err != nil {
		return nil, err
	}
	_, unit, found := bytes.Cut(unit, []byte("[Unit]\n"))
	text := "# Settings of your own: systemctl edit otelcol-dockerlogs\n[Unit]\n" + string(unit)
	for old, new := range map[string]string{
		"ExecStart=/usr/local/bin/": "ExecStart=/usr/bin/",
		"DynamicUser=yes\n":         "User=otelcol-dockerlogs\n",
	} {
		if !found || strings.Count(text, old) != 1 {
			return nil, fmt.Errorf("deploy/systemd/otelcol-dockerlogs.service must have %q once", old)
		}
		text = strings.Replace(text, old, new, 1)
	}
	return []byte(text), nil
}
