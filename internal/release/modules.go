// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// ours is the path of this project's modules, which are no third party's.
const ours = "github.com/dockerlogs/otelcol-dockerlogs"

// module is one that a command has code of, or the standard library, which has no sum.
type module struct {
	path, version string
	licences      map[string][]byte // texts, by the file's path in the module
}

// listModules finds the modules of others that a package is made of, for a target, with the licences of the packages used.
// A module without any is an error.
func listModules(t target, dir, pkg string) ([]module, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,Goroot,Standard,Module", pkg)
	cmd.Dir, cmd.Env = dir, t.env()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.String())
	}
	modules := make(map[string]module)
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct{ Path, Version, Dir string }
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		switch {
		case p.Standard:
			if err := addStandard(modules); err != nil {
				return nil, err
			}
		case p.Module.Path == ours || strings.HasPrefix(p.Module.Path, ours+"/"):
		default:
			m, ok := modules[p.Module.Path]
			if !ok {
				m = module{path: p.Module.Path, version: p.Module.Version, licences: make(map[string][]byte)}
				modules[m.path] = m
			}
			if err := m.addLicences(p.Module.Dir, p.Dir); err != nil {
				return nil, err
			}
		}
	}
	list := slices.SortedFunc(maps.Values(modules), func(a, b module) int { return strings.Compare(a.path, b.path) })
	for _, m := range list {
		if len(m.licences) == 0 {
			return nil, fmt.Errorf("the module %s %s has no file with a licence", m.path, m.version)
		}
	}
	return list, nil
}

// addStandard adds Go's own library, once.
func addStandard(modules map[string]module) error {
	if _, ok := modules["std"]; ok {
		return nil
	}
	output, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return err
	}
	root, version, _ := strings.Cut(strings.TrimSpace(string(output)), "\n")
	std := module{path: "std", version: goVersion(version), licences: make(map[string][]byte)}
	modules["std"] = std
	return std.addLicences(root, root)
}

// goVersion is the number of a release of Go, of what Go says of itself, which may have experiments behind it.
func goVersion(said string) string {
	if i := strings.IndexAny(said, " -"); i >= 0 {
		said = said[:i]
	}
	return strings.TrimPrefix(said, "go")
}

var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|patents)[^/]*$`)

// addLicences takes what is beside a package, and above it as far as its module reaches.
func (m module) addLicences(root, dir string) error {
	for ; ; dir = filepath.Dir(dir) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, entry := range entries {
			path := filepath.Join(dir, entry.Name())
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			if entry.IsDir() || !licenceFile.MatchString(entry.Name()) || filepath.Ext(name) == ".go" || m.licences[name] != nil {
				continue
			}
			if m.licences[name], err = os.ReadFile(path); err != nil {
				return err
			}
		}
		if dir == root {
			return nil
		}
	}
}

// identifiers are the SPDX identifiers of the licences that are recognized.
func (m module) identifiers() []string {
	ids := make(map[string]bool)
	for name, text := range m.licences {
		if strings.HasPrefix(strings.ToUpper(filepath.Base(name)), "PATENTS") {
			continue // a grant beside a licence, which has no identifier
		}
		coverage := licensecheck.Scan(text)
		if coverage.Percent < 75 { // of the words; a notice mentions licences too
			continue
		}
		for _, match := range coverage.Match {
			ids[match.ID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// notice has the licences of the modules, each text once.
func notice(modules []module) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "The programs of this package have code of these modules. Their licences are below.\n\n")
	users := make(map[string][]string)
	var texts []string // in the order of the modules
	for _, m := range modules {
		fmt.Fprintf(&b, "%s %s %s\n", m.path, m.version, strings.Join(m.identifiers(), " "))
		for _, name := range slices.Sorted(maps.Keys(m.licences)) {
			text := strings.TrimSpace(strings.ReplaceAll(string(m.licences[name]), "\r\n", "\n"))
			if users[text] == nil {
				texts = append(texts, text)
			}
			users[text] = append(users[text], m.path+": "+name)
		}
	}
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(users[text], "\n"), text)
	}
	return b.Bytes()
}
