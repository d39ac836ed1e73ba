// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// images writes all images as one index, for registries, and each by itself, for `docker load` of any engine.
func (r release) images(images []platformImage) error {
	if len(images) == 0 {
		return nil
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, image := range images {
		platform := image.platform
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image.Image, Descriptor: v1.Descriptor{Platform: &platform}})
		one := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: image.Image, Descriptor: v1.Descriptor{Platform: &platform, Annotations: r.reference()}})
		manifest, err := r.dockerManifest(image.Image)
		if err != nil {
			return err
		}
		if err := r.writeLayout(r.name(platform.OS+"_"+platform.Architecture+"_image.tar"), one, manifest); err != nil {
			return err
		}
	}
	index = mutate.Annotations(index, r.labels()).(v1.ImageIndex)
	all := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: index, Descriptor: v1.Descriptor{Annotations: r.reference()}})
	return r.writeLayout(r.name("images.tar"), all, nil)
}

// reference names an image in an OCI layout, for skopeo and for engines that keep images in containerd.
func (r release) reference() map[string]string {
	return map[string]string{
		"org.opencontainers.image.ref.name": r.version,
		"io.containerd.image.name":          "docker.io/library/otelcol-dockerlogs:" + r.version,
	}
}

// dockerManifest is the manifest.json by which engines that know no OCI layout find the same blobs.
func (r release) dockerManifest(image v1.Image) ([]byte, error) {
	m, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
	d := tarball.Descriptor{Config: blob(m.Config.Digest), RepoTags: []string{"otelcol-dockerlogs:" + r.version}}
	for _, layer := range m.Layers {
		d.Layers = append(d.Layers, blob(layer.Digest))
	}
	return json.Marshal(tarball.Manifest{d})
}

// writeLayout writes an OCI layout as a tar, with a manifest.json if there is one.
func (r release) writeLayout(name string, index v1.ImageIndex, manifest []byte) error {
	dir, err := os.MkdirTemp(r.out, ".layout-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	written, err := layout.Write(dir, index)
	if err != nil {
		return err
	}
	if manifest != nil {
		if err := written.WriteFile("manifest.json", manifest, 0o644); err != nil {
			return err
		}
	}
	var entries []entry
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		e := entry{name: path, mode: 0o644, source: filepath.Join(dir, path)}
		if d.IsDir() {
			e = entry{name: path + "/", mode: 0o755}
		}
		entries = append(entries, e)
		return nil
	})
	if err != nil {
		return err
	}
	return writeFile(name, func(w io.Writer) error { return writeTar(w, r.time, entries) })
}
