// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/pem"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// user is who runs the image, as in deploy/Dockerfile.
const user = 10001

type platformImage struct {
	v1.Image
	platform v1.Platform
}

// image is what deploy/Dockerfile makes, without a daemon; and it has the certificates of authorities, and licences.
func (r release) image(t target, p parts) (platformImage, error) {
	entries, err := r.imageEntries(p)
	if err != nil {
		return platformImage{}, err
	}
	var layer bytes.Buffer
	if err := writeTar(&layer, r.time, entries); err != nil {
		return platformImage{}, err
	}
	files, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil },
		tarball.WithCompressedCaching, tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(6))
	if err != nil {
		return platformImage{}, err
	}
	platform := v1.Platform{OS: t.os, Architecture: t.arch}
	if t.arch == "arm64" {
		platform.Variant = "v8"
	}
	image, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), &v1.ConfigFile{
		OS: platform.OS, Architecture: platform.Architecture, Variant: platform.Variant,
		Created: v1.Time{Time: r.time},
		RootFS:  v1.RootFS{Type: "layers"},
		Config: v1.Config{
			Entrypoint:   []string{"/otelcol-dockerlogs"},
			Cmd:          []string{"--config=/etc/otelcol-dockerlogs/config.yaml"},
			User:         "10001:10001",
			ExposedPorts: map[string]struct{}{"13134/tcp": {}, "13135/tcp": {}, "8888/tcp": {}},
			Volumes:      map[string]struct{}{"/var/lib/otelcol-dockerlogs": {}},
			Labels:       r.labels(),
			Healthcheck:  &v1.HealthConfig{Test: []string{"CMD", "/healthcheck"}, Interval: 15 * time.Second, Timeout: 15 * time.Second, StartPeriod: 15 * time.Second},
		},
	})
	if err != nil {
		return platformImage{}, err
	}
	image, err = mutate.Append(image, mutate.Addendum{Layer: files, History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: "make release"}})
	return platformImage{Image: image, platform: platform}, err
}

// labels are also the annotations of the index.
func (r release) labels() map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":         "otelcol-dockerlogs",
		"org.opencontainers.image.description":   "OpenTelemetry Collector that captures container logs over the Docker Engine API",
		"org.opencontainers.image.version":       r.version,
		"org.opencontainers.image.revision":      r.commit,
		"org.opencontainers.image.created":       r.time.Format(time.RFC3339),
		"org.opencontainers.image.source":        "https://" + ours,
		"org.opencontainers.image.url":           "https://" + ours,
		"org.opencontainers.image.documentation": "https://" + ours + "/blob/main/docs/operations.md",
		"org.opencontainers.image.licenses":      "Apache-2.0",
	}
}

// imageEntries are the files of the image, with the directories that they are in.
func (r release) imageEntries(p parts) ([]entry, error) {
	const doc, state = "usr/share/doc/otelcol-dockerlogs/", "var/lib/otelcol-dockerlogs/"
	of := func(name string) string { return filepath.Join(r.root, name) }
	files := []entry{
		{name: "etc/otelcol-dockerlogs/config.yaml", mode: 0o644, source: of("deploy/collector.yaml")},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, text: authorities()},
		{name: doc + "LICENSE", mode: 0o644, source: of("LICENSE")},
		{name: doc + "THIRD_PARTY_LICENSES", mode: 0o644, text: p.licences},
		{name: state + "README", mode: 0o644, source: of("deploy/image/" + state + "README"), uid: user},
	}
	for _, command := range p.commands {
		name := filepath.Base(command)
		if helper, ok := strings.CutPrefix(name, "otelcol-dockerlogs-"); ok {
			name = helper
		}
		files = append(files, entry{name: name, mode: 0o755, source: command})
	}
	dirs := make(map[string]entry)
	for _, file := range files {
		for dir := filepath.Dir(file.name); dir != "."; dir = filepath.Dir(dir) {
			e := entry{name: dir + "/", mode: fs.FileMode(0o755)}
			if e.name == state {
				e.uid = user
			}
			dirs[dir] = e
		}
	}
	var entries []entry
	for _, dir := range slices.Sorted(maps.Keys(dirs)) { // a directory before what is in it
		entries = append(entries, dirs[dir])
	}
	return append(entries, files...), nil
}

// authorities are those that Mozilla trusts, at the version of their module, and not those of this machine.
func authorities() []byte {
	var b bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil { // PEM cannot say that a root may vouch for some names only
			_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate})
		}
	}
	return b.Bytes()
}
