// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Command release makes the files of a release from commands that `make release` has built: archives, packages, images,
// a bill of materials and the licences, and the checksums of all. It takes the time of the files from the commit, and nothing
// from the machine, so that the same commit gives the same bytes.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("release", flag.ExitOnError)
	r := release{}
	flags.StringVar(&r.root, "root", ".", "the root of the repository")
	flags.StringVar(&r.version, "version", "", "the version, without a v")
	flags.StringVar(&r.commit, "commit", "", "the commit")
	epoch := flags.Int64("epoch", 0, "the time of the commit, in seconds since 1970; all files get it")
	_ = flags.Parse(args)
	r.time = time.Unix(*epoch, 0).UTC()
	r.out = filepath.Join(r.root, "dist/release")
	var targets []target
	for _, platform := range flags.Args() {
		t, err := parseTarget(platform)
		if err != nil {
			return err
		}
		targets = append(targets, t)
	}
	return r.make(targets, r.parts)
}

// release says what is released, and where its files come from and go to.
type release struct {
	root, out       string
	version, commit string
	time            time.Time
}

// name is that of a file of the release.
func (r release) name(suffix string) string {
	return filepath.Join(r.out, "otelcol-dockerlogs_"+r.version+"_"+suffix)
}

// make writes all files for the targets into r.out. The parts of each come from the function.
func (r release) make(targets []target, parts func(target) (parts, error)) error {
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	var images []platformImage
	for _, t := range targets {
		p, err := parts(t)
		if err != nil {
			return fmt.Errorf("%s: %w", t, err)
		}
		if err := r.archive(t, p); err != nil {
			return fmt.Errorf("%s: archive: %w", t, err)
		}
		if err := os.WriteFile(r.name(t.id()+".cdx.json"), p.sbom, 0o644); err != nil {
			return err
		}
		if t.os != "linux" {
			continue
		}
		if err := r.packages(t, p); err != nil {
			return fmt.Errorf("%s: packages: %w", t, err)
		}
		if t.hasImage() {
			image, err := r.image(t, p)
			if err != nil {
				return fmt.Errorf("%s: image: %w", t, err)
			}
			images = append(images, image)
		}
	}
	if err := r.images(images); err != nil {
		return fmt.Errorf("images: %w", err)
	}
	return checksums(r.out)
}

// checksums writes SHA256SUMS of the other files of a directory, for `sha256sum --check`.
func checksums(dir string) error {
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, entry := range entries {
		sum, err := fileSum(filepath.Join(dir, entry.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sum, entry.Name())
	}
	return os.WriteFile(filepath.Join(dir, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

func fileSum(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return h.Sum(nil), err
}

// target is a platform that a release is for.
type target struct {
	os, arch, arm string // GOOS, GOARCH, GOARM
}

func parseTarget(platform string) (target, error) {
	known := []string{"linux/amd64", "linux/arm64", "linux/armv7", "darwin/amd64", "darwin/arm64", "windows/amd64", "windows/arm64"}
	if !slices.Contains(known, platform) {
		return target{}, fmt.Errorf("the platform %q is none of %s", platform, strings.Join(known, ", "))
	}
	os, arch, _ := strings.Cut(platform, "/")
	if arch == "armv7" {
		return target{os: os, arch: "arm", arm: "7"}, nil
	}
	return target{os: os, arch: arch}, nil
}

func (t target) String() string { return t.os + "/" + t.cpu() }
func (t target) id() string     { return t.os + "_" + t.cpu() }

func (t target) cpu() string {
	if t.arm != "" {
		return t.arch + "v" + t.arm
	}
	return t.arch
}

// hasImage is for the platforms that the index of the images has.
func (t target) hasImage() bool { return t.os == "linux" && t.arm == "" }

// env has the go command take the target for its own platform.
func (t target) env() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOOS="+t.os, "GOARCH="+t.arch, "GOARM="+t.arm)
}
