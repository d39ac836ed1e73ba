// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

// sbom is the bill of materials of commands, in CycloneDX: the modules that the linker has written into them, with the licences of
// those that were listed. It is an error if a module was not.
func (r release) sbom(commands []string, modules []module) ([]byte, error) {
	var components []cdx.Component
	var refs []string
	for _, command := range commands {
		info, err := buildinfo.ReadFile(command)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
		std := &debug.Module{Path: "std", Version: goVersion(info.GoVersion)}
		for _, dep := range append(info.Deps, std) {
			if dep.Path == ours {
				continue // it is the component itself
			}
			if dep.Replace != nil {
				dep = dep.Replace
			}
			i := slices.IndexFunc(modules, func(m module) bool { return m.path == dep.Path && m.version == dep.Version })
			if i < 0 {
				return nil, fmt.Errorf("%s has %s %s, which go list does not: build it again", command, dep.Path, dep.Version)
			}
			c := library(dep, modules[i].identifiers())
			if !slices.Contains(refs, c.BOMRef) {
				components = append(components, c)
				refs = append(refs, c.BOMRef)
			}
		}
	}
	sum, err := fileSum(commands[0])
	if err != nil {
		return nil, err
	}
	main := component(cdx.ComponentTypeApplication, ours, "v"+r.version)
	main.Name = "otelcol-dockerlogs"
	main.Licenses = licenses([]string{"Apache-2.0"})
	main.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
	main.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeVCS, URL: "https://" + ours, Comment: r.commit}}

	bom := cdx.NewBOM()
	bom.SerialNumber = uuid.NewHash(sha256.New(), uuid.NameSpaceURL, sum, 5).URN() // the same for the same binary
	bom.Metadata = &cdx.Metadata{Timestamp: r.time.Format(time.RFC3339), Component: &main}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: main.BOMRef, Dependencies: &refs}}
	var b bytes.Buffer
	if err := cdx.NewBOMEncoder(&b, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// library has the hash of the module's files, as in go.sum.
func library(m *debug.Module, identifiers []string) cdx.Component {
	c := component(cdx.ComponentTypeLibrary, m.Path, m.Version)
	c.Licenses = licenses(identifiers)
	if sum, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
		if raw, err := base64.StdEncoding.DecodeString(sum); err == nil {
			c.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(raw)}}
		}
	}
	return c
}

func component(kind cdx.ComponentType, path, version string) cdx.Component {
	purl := "pkg:golang/" + path + "@" + url.QueryEscape(version)
	return cdx.Component{Type: kind, BOMRef: purl, Name: path, Version: version, PackageURL: purl}
}

func licenses(identifiers []string) *cdx.Licenses {
	if len(identifiers) == 0 {
		return nil
	}
	var list cdx.Licenses
	for _, id := range identifiers {
		list = append(list, cdx.LicenseChoice{License: &cdx.License{ID: id}})
	}
	return &list
}
