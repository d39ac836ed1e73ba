// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"
)

// entry is a file of an archive or of an image, of a path or of bytes; or a directory if the name ends in a slash.
type entry struct {
	name   string
	mode   fs.FileMode
	source string // a path; empty: text
	text   []byte
	uid    int // and gid
}

// open gives what is in the file, and how much it is.
func (e entry) open() (io.ReadCloser, int64, error) {
	if e.source == "" {
		return io.NopCloser(bytes.NewReader(e.text)), int64(len(e.text)), nil
	}
	f, err := os.Open(e.source)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// archive writes what a person unpacks: .zip for Windows, else .tar.gz.
func (r release) archive(t target, p parts) error {
	dir := filepath.Base(r.name(t.id()))
	at := func(name string) string { return path.Join(dir, name) }
	of := func(name string) string { return filepath.Join(r.root, name) }
	var entries []entry
	for _, command := range p.commands {
		entries = append(entries, entry{name: at(filepath.Base(command)), mode: 0o755, source: command})
	}
	entries = append(entries, []entry{
		{name: at("otelcol-config.yaml"), mode: 0o644, source: of("otelcol-config.yaml")},
		{name: at("README.md"), mode: 0o644, source: of("README.md")},
		{name: at("CHANGELOG.md"), mode: 0o644, source: of("CHANGELOG.md")},
		{name: at("LICENSE"), mode: 0o644, source: of("LICENSE")},
		{name: at("THIRD_PARTY_LICENSES"), mode: 0o644, text: p.licences},
	}...)
	if t.os == "linux" {
		for _, name := range []string{"config.yaml", "otelcol-dockerlogs.service", "otelcol-dockerlogs.service.d/files.conf"} {
			entries = append(entries, entry{name: at("deploy/systemd/" + name), mode: 0o644, source: of("deploy/systemd/" + name)})
		}
	}
	if t.os == "windows" {
		return writeFile(r.name(t.id()+".zip"), func(w io.Writer) error { return writeZip(w, r.time, entries) })
	}
	return writeFile(r.name(t.id()+".tar.gz"), func(w io.Writer) error {
		gz := gzip.NewWriter(w)
		if err := writeTar(gz, r.time, entries); err != nil {
			return err
		}
		return gz.Close()
	})
}

func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func writeTar(w io.Writer, at time.Time, entries []entry) error {
	archive := tar.NewWriter(w)
	for _, e := range entries {
		content, size, err := e.open()
		if err != nil {
			return err
		}
		header := &tar.Header{Name: e.name, Mode: int64(e.mode), Size: size, ModTime: at, Uid: e.uid, Gid: e.uid}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(archive, content); err != nil {
			return err
		}
		_ = content.Close()
	}
	return archive.Close()
}

func writeZip(w io.Writer, at time.Time, entries []entry) error {
	archive := zip.NewWriter(w)
	for _, e := range entries {
		content, _, err := e.open()
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: at}
		header.SetMode(e.mode)
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := io.Copy(file, content); err != nil {
			return err
		}
		_ = content.Close()
	}
	return archive.Close()
}
