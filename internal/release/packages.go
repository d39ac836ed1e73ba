// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/apk"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// pinned copies a script into a directory, since an .apk has the mode and the time of the file. It returns the copy's path.
func (r release) pinned(dir, script string) (string, error) {
	text, err := os.ReadFile(filepath.Join(r.root, script))
	if err != nil {
		return "", err
	}
	pinned := filepath.Join(dir, filepath.Base(script))
	if err := os.WriteFile(pinned, text, 0o755); err != nil {
		return "", err
	}
	if err := os.Chmod(pinned, 0o755); err != nil { // whatever the umask is
		return "", err
	}
	return pinned, os.Chtimes(pinned, r.time, r.time)
}

// packages writes a .deb, an .rpm and an .apk, which deploy/packages/nfpm.yaml describes.
func (r release) packages(t target, p parts) error {
	made, err := os.MkdirTemp("", "otelcol-dockerlogs-packages-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(made) }()
	for name, text := range map[string][]byte{"otelcol-dockerlogs.service": p.unit, "THIRD_PARTY_LICENSES": p.licences} {
		if err := os.WriteFile(filepath.Join(made, name), text, 0o644); err != nil {
			return err
		}
	}
	variables := map[string]string{
		"VERSION":  r.version,
		"ARCH":     t.arch + t.arm, // nfpm's names are Go's, and arm7
		"ROOT":     r.root,
		"COMMANDS": filepath.Dir(p.commands[0]),
		"MADE":     made,
	}
	config, err := nfpm.ParseFileWithEnvMapping(filepath.Join(r.root, "deploy/packages/nfpm.yaml"), func(name string) string { return variables[name] })
	if err != nil {
		return err
	}
	for _, format := range []string{"deb", "rpm", "apk"} {
		info, err := config.Get(format)
		if err != nil {
			return err
		}
		info.MTime = r.time
		for _, script := range []*string{&info.Scripts.PostInstall, &info.Scripts.PreRemove, &info.Scripts.PostRemove, &info.APK.Scripts.PostUpgrade} {
			if *script == "" {
				continue
			}
			if *script, err = r.pinned(made, *script); err != nil {
				return err
			}
		}
		info = nfpm.WithDefaults(info)
		if err := nfpm.PrepareForPackager(info, format); err != nil {
			return err
		}
		packager, err := nfpm.Get(format)
		if err != nil {
			return err
		}
		name := filepath.Join(r.out, packager.ConventionalFileName(info))
		if err := writeFile(name, func(w io.Writer) error { return packager.Package(info, w) }); err != nil {
			return err
		}
	}
	return nil
}
