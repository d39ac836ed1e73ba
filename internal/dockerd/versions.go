// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// daemonPath is where Debian's package has the daemon.
const daemonPath = "/usr/sbin/dockerd"

// daemon is what to run: a program, in a root file system of its own or, if that is empty, in this machine's.
type daemon struct{ binary, rootfs string }

// errNotBrought is for an engine whose root file system is not there.
var errNotBrought = errors.New("run make engines")

// version returns the version that the options, else the environment, name; empty if it is a binary or nothing.
func (o Options) version() string {
	switch {
	case o.Binary != "":
		return ""
	case o.Version != "":
		return o.Version
	case os.Getenv("DOCKERLOGS_DOCKERD") != "":
		return ""
	}
	return os.Getenv("DOCKERLOGS_ENGINE")
}

// findDaemon returns the daemon that the options, else the environment, name.
func findDaemon(opts Options) (daemon, error) {
	if version := opts.version(); version != "" {
		rootfs, err := Rootfs("docker-" + version)
		return daemon{binary: daemonPath, rootfs: rootfs}, err
	}
	path, err := exec.LookPath(cmp.Or(opts.Binary, os.Getenv("DOCKERLOGS_DOCKERD"), "dockerd"))
	if err != nil {
		return daemon{}, fmt.Errorf("find the Docker daemon (install it, or name it in DOCKERLOGS_DOCKERD): %w", err)
	}
	path, err = filepath.Abs(path) // PATH may be another one inside the namespaces
	return daemon{binary: path}, err
}

// Rootfs returns the root file system of that name that make engines has brought: docker-26.1, podman-5 and so on, in
// the directory that DOCKERLOGS_ENGINES names, by default in the user's directory for caches.
func Rootfs(name string) (string, error) {
	dir := os.Getenv("DOCKERLOGS_ENGINES")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("find the engines, name their directory in DOCKERLOGS_ENGINES: %w", err)
		}
		dir = filepath.Join(cache, "otelcol-dockerlogs", "engines")
	}
	rootfs := filepath.Join(dir, name)
	// The script that brings it renames it last.
	if _, err := os.Stat(rootfs); errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("there is no %s in %s: %w", name, dir, errNotBrought)
	} else if err != nil {
		return "", err
	}
	return rootfs, nil
}
