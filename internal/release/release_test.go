// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const repository = "../.."

var (
	commitTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	targets    = []target{{os: "linux", arch: "amd64"}, {os: "linux", arch: "arm64"}, {os: "linux", arch: "arm", arm: "7"}, {os: "windows", arch: "amd64"}}
)

// makeRelease makes one of this very program, in place of the distribution. The files that it takes from the repository get
// the mode.
func makeRelease(t *testing.T, mode fs.FileMode) release {
	t.Helper()
	r := release{root: t.TempDir(), version: "1.2.3", commit: "c0ffee", time: commitTime}
	r.out = filepath.Join(r.root, "dist/release")
	for _, name := range []string{"deploy", "LICENSE", "README.md", "CHANGELOG.md", "otelcol-config.yaml"} {
		output, err := exec.Command("cp", "-r", filepath.Join(repository, name), r.root).CombinedOutput()
		require.NoError(t, err, "%s", output)
	}
	require.NoError(t, filepath.WalkDir(r.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, mode)
	}))
	host := targets[0]
	program := filepath.Join(t.TempDir(), "otelcol-dockerlogs")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, ".")
	cmd.Env = host.env()
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", output)
	modules, err := listModules(host, ".", ".")
	require.NoError(t, err)
	unit, err := r.packagedUnit()
	require.NoError(t, err)
	require.NoError(t, r.make(targets, func(target) (parts, error) {
		sbom, err := r.sbom([]string{program}, modules)
		return parts{commands: []string{program}, licences: notice(modules), sbom: sbom, unit: unit}, err
	}))
	return r
}

// TestRelease makes a release twice, in two places, of files with other times and modes, and looks into it.
func TestRelease(t *testing.T) {
	r := makeRelease(t, 0o644)
	t.Run("SameBytes", func(t *testing.T) { testSameBytes(t, r, makeRelease(t, 0o600)) })
	t.Run("Contents", func(t *testing.T) { testContents(t, r) })
	t.Run("SBOM", func(t *testing.T) { testSBOM(t, r) })
}

func testSameBytes(t *testing.T, releases ...release) {
	sums := make([]string, len(releases))
	for i, r := range releases {
		text, err := os.ReadFile(filepath.Join(r.out, "SHA256SUMS"))
		require.NoError(t, err)
		sums[i] = string(text)
	}
	assert.Equal(t, sums[0], sums[1])
	var files []string
	for line := range strings.Lines(sums[0]) {
		files = append(files, strings.Fields(line)[1])
	}
	assert.ElementsMatch(t, []string{
		"otelcol-dockerlogs_1.2.3_linux_amd64.tar.gz", "otelcol-dockerlogs_1.2.3_linux_amd64.cdx.json", "otelcol-dockerlogs_1.2.3_linux_amd64_image.tar",
		"otelcol-dockerlogs_1.2.3_linux_arm64.tar.gz", "otelcol-dockerlogs_1.2.3_linux_arm64.cdx.json", "otelcol-dockerlogs_1.2.3_linux_arm64_image.tar",
		"otelcol-dockerlogs_1.2.3_linux_armv7.tar.gz", "otelcol-dockerlogs_1.2.3_linux_armv7.cdx.json", "otelcol-dockerlogs_1.2.3_images.tar",
		"otelcol-dockerlogs_1.2.3_windows_amd64.zip", "otelcol-dockerlogs_1.2.3_windows_amd64.cdx.json",
		"otelcol-dockerlogs_1.2.3-1_amd64.deb", "otelcol-dockerlogs_1.2.3-1_arm64.deb", "otelcol-dockerlogs_1.2.3-1_armhf.deb",
		"otelcol-dockerlogs-1.2.3-1.x86_64.rpm", "otelcol-dockerlogs-1.2.3-1.aarch64.rpm", "otelcol-dockerlogs-1.2.3-1.armv7hl.rpm",
		"otelcol-dockerlogs_1.2.3-r1_x86_64.apk", "otelcol-dockerlogs_1.2.3-r1_aarch64.apk", "otelcol-dockerlogs_1.2.3-r1_armv7.apk",
	}, files)
}

func testContents(t *testing.T, r release) {
	archive := tarEntries(t, r.name("linux_armv7.tar.gz"), true)
	const dir = "otelcol-dockerlogs_1.2.3_linux_armv7/"
	assert.EqualValues(t, 0o755, archive[dir+"otelcol-dockerlogs"].Mode)
	for _, name := range []string{"LICENSE", "THIRD_PARTY_LICENSES", "otelcol-config.yaml", "deploy/systemd/otelcol-dockerlogs.service"} {
		assert.Contains(t, archive, dir+name)
	}
	for name, header := range archive {
		assert.True(t, header.ModTime.Equal(commitTime), name)
	}
	windows, err := zip.OpenReader(r.name("windows_amd64.zip"))
	require.NoError(t, err)
	defer func() { _ = windows.Close() }()
	for _, file := range windows.File {
		assert.NotContains(t, file.Name, "systemd")
	}

	alpine := tarEntries(t, filepath.Join(r.out, "otelcol-dockerlogs_1.2.3-r1_x86_64.apk"), true)
	for name, mode := range map[string]int64{
		"usr/bin/otelcol-dockerlogs": 0o755, "etc/init.d/otelcol-dockerlogs": 0o755, "etc/otelcol-dockerlogs/config.yaml": 0o640,
		".post-install": 0o755, ".post-upgrade": 0o755,
	} {
		if assert.Contains(t, alpine, name) {
			assert.Equal(t, mode, alpine[name].Mode, name)
		}
	}

	// As engines that know no OCI layout read it.
	image, err := tarball.ImageFromPath(r.name("linux_arm64_image.tar"), nil)
	require.NoError(t, err)
	require.NoError(t, validate.Image(image))
	config, err := image.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, "arm64", config.Architecture)
	assert.Equal(t, "10001:10001", config.Config.User)
	assert.Equal(t, "c0ffee", config.Config.Labels["org.opencontainers.image.revision"])
	dockerfile, err := os.ReadFile(filepath.Join(repository, "deploy/Dockerfile"))
	require.NoError(t, err)
	_, exposed, _ := strings.Cut(string(dockerfile), "\nEXPOSE ")
	exposed, _, _ = strings.Cut(exposed, "\n")
	var ports []string
	for port := range config.Config.ExposedPorts {
		ports = append(ports, strings.TrimSuffix(port, "/tcp"))
	}
	assert.ElementsMatch(t, strings.Fields(exposed), ports, "as the other image has them")

	// And as all others do.
	index := readLayout(t, r.name("images.tar"))
	require.NoError(t, validate.Index(index))
	all, err := index.IndexManifest()
	require.NoError(t, err)
	require.Len(t, all.Manifests, 1)
	child, err := index.ImageIndex(all.Manifests[0].Digest)
	require.NoError(t, err)
	platforms, err := child.IndexManifest()
	require.NoError(t, err)
	var names []string
	for _, manifest := range platforms.Manifests {
		names = append(names, manifest.Platform.String())
	}
	assert.Equal(t, []string{"linux/amd64", "linux/arm64/v8"}, names)
}

func testSBOM(t *testing.T, r release) {
	f, err := os.Open(r.name("linux_amd64.cdx.json"))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	var bom cdx.BOM
	require.NoError(t, cdx.NewBOMDecoder(f, cdx.BOMFileFormatJSON).Decode(&bom))
	assert.Equal(t, "v1.2.3", bom.Metadata.Component.Version)
	assert.Equal(t, "2026-01-02T03:04:05Z", bom.Metadata.Timestamp)
	licensed := make(map[string]string)
	for _, c := range *bom.Components {
		require.NotNil(t, c.Licenses, c.Name)
		licensed[c.Name] = (*c.Licenses)[0].License.ID
		assert.Equal(t, c.Name != "std", c.Hashes != nil, "%s has no sum in go.sum", c.Name)
	}
	assert.Equal(t, "MIT", licensed["github.com/goreleaser/nfpm/v2"])
	assert.Equal(t, "BSD-3-Clause", licensed["std"])

	_, err = r.sbom([]string{os.Args[0]}, nil)
	assert.ErrorContains(t, err, "which go list does not")
}

// tarEntries reads a tar; of an .apk, the streams that follow on one another too.
func tarEntries(t *testing.T, path string, compressed bool) map[string]*tar.Header {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var in io.Reader = bytes.NewReader(data)
	if compressed {
		in, err = gzip.NewReader(in)
		require.NoError(t, err)
	}
	entries := make(map[string]*tar.Header)
	for archive := tar.NewReader(in); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return entries
		}
		require.NoError(t, err)
		entries[header.Name] = header
	}
}

func readLayout(t *testing.T, path string) v1.ImageIndex {
	t.Helper()
	dir := t.TempDir()
	output, err := exec.Command("tar", "-xf", path, "-C", dir).CombinedOutput()
	require.NoError(t, err, "%s", output)
	index, err := layout.ImageIndexFromPath(dir)
	require.NoError(t, err)
	return index
}
