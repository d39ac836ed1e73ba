// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/client"
)

// ErrNotPrivate is returned by the methods that would stop, freeze or measure an engine that others use too.
var ErrNotPrivate = errors.New("not a private engine: run as root with a dockerd in PATH or in DOCKERLOGS_DOCKERD")

// ErrNotRunning is returned by methods that need the daemon while it is stopped, killed or has crashed.
var ErrNotRunning = errors.New("dockerd is not running: Start the engine")

// maxRoot leaves room for the longest of the sockets in the engine's directory: the kernel takes paths of 107 bytes.
const maxRoot = 107 - len("/run/containerd/containerd.sock.ttrpc")

// Options of a private engine. The zero value is good.
type Options struct {
	// Binary is the daemon to run; by default what DOCKERLOGS_DOCKERD names, else dockerd from PATH. Its own directory
	// is put first in PATH, so that it finds the containerd and runc that it came with.
	Binary string
	// Version is that of an engine that make engines has brought, "20.10", "26.1" or "28.5", to be run instead of a
	// Binary; by default what DOCKERLOGS_ENGINE names.
	Version string
	// Root is the directory for everything that the daemon writes. It must be empty or not exist, and is deleted by
	// Close. By default a new one in the directory for temporary files. On a tmpfs a fleet ends twice as fast.
	Root string
	// LogDriver is the logging driver of containers that name none; by default the engine's own, json-file.
	LogDriver string
	// Env has variables for the daemon, NAME=value, beside those of this process.
	Env []string
	// Journald starts a journal beside the engine, for the log driver journald. It takes a Version.
	Journald bool
	// Installed gives the engine the paths of one that is installed, /var/lib/docker and /var/run/docker.sock, which are its
	// own in its namespaces: what is deployed names them. From outside they are DataRoot and Socket, as always.
	Installed bool
	// ExtraArgs are given to dockerd last, so they also override what this package passes.
	ExtraArgs []string
}

// Engine is a Docker engine. Start, Stop, Kill, Restart, Pause and Resume are for one goroutine at a time, everything
// else for any.
type Engine struct {
	cli    *client.Client
	host   string
	ctx    context.Context // ends with Close: for requests that outlive the call that made them
	cancel context.CancelFunc
	close  func() error // once

	// Of a private engine; keeper is nil when it is not one.
	opts   Options
	root   string
	cgroup string
	keeper *keeper
	daemon atomic.Pointer[process] // the last dockerd started; see running

	// Of one that is not private: what Close has to remove.
	made made
}

// Start starts a private engine and waits until it answers. Ending ctx gives up the wait; a started engine runs until
// Close, or until this process ends.
func Start(ctx context.Context, opts Options) (*Engine, error) {
	daemon, err := findDaemon(opts)
	if err != nil {
		return nil, err
	}
	opts.Binary = daemon.binary
	root, err := makeRoot(opts.Root)
	if err != nil {
		return nil, err
	}
	e, err := newEngine("unix://" + filepath.Join(root, "docker.sock"))
	if err != nil {
		return nil, err
	}
	e.opts, e.root = opts, root
	e.cgroup = newCgroup()
	if e.keeper, err = startKeeper(ctx, root, e.cgroup, daemon.rootfs); err != nil {
		return nil, errors.Join(err, os.RemoveAll(root))
	}
	e.close = sync.OnceValue(e.closePrivate)
	if opts.Installed {
		if err := e.keeper.run(exec.Command("/bin/sh", "-c", installScript, "sh", root)); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	if opts.Journald {
		if err := e.startJournald(ctx, daemon.rootfs); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	if err := e.Start(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Connect uses the engine at host, in the notation of DOCKER_HOST, which also gives the default. It is not private:
// Close only removes the containers and images made through it.
func Connect(ctx context.Context, host string) (*Engine, error) {
	if host == "" {
		host = os.Getenv(client.EnvOverrideHost)
	}
	e, err := newEngine(host, client.FromEnv) // for its TLS settings; a private engine must not see them
	if err != nil {
		return nil, err
	}
	e.close = sync.OnceValue(e.closeShared)
	if _, err := e.cli.Ping(ctx); err != nil {
		return nil, fmt.Errorf("reach the engine at %s: %w", host, errors.Join(err, e.Close()))
	}
	return e, nil
}

func newEngine(host string, opts ...client.Opt) (*Engine, error) {
	opts = append(opts, client.WithHost(host), client.WithAPIVersionNegotiation())
	cli, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, fmt.Errorf("make a client for %q: %w", host, err)
	}
	e := &Engine{cli: cli, host: host}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e, nil
}

// Private tells whether the engine may be stopped, restarted, frozen and killed.
func (e *Engine) Private() bool { return e.keeper != nil }

// Host is the engine's address, as DOCKER_HOST would name it.
func (e *Engine) Host() string { return e.host }

// Socket is the path of the engine's unix socket, empty if it listens elsewhere.
func (e *Engine) Socket() string {
	path, ok := strings.CutPrefix(e.host, "unix://")
	if !ok {
		return ""
	}
	return path
}

// Client is a client of the engine. Close closes it.
func (e *Engine) Client() *client.Client { return e.cli }

// Version says what the engine is: "Docker Engine 28.5.2".
func (e *Engine) Version(ctx context.Context) (string, error) { return version(ctx, e.cli) }

func version(ctx context.Context, cli *client.Client) (string, error) {
	v, err := cli.ServerVersion(ctx)
	if err != nil {
		return "", fmt.Errorf("ask the engine for its version: %w", err)
	}
	for _, c := range v.Components {
		if c.Name == "Podman Engine" {
			return "Podman " + c.Version, nil
		}
	}
	// Debian's is 20.10.24+dfsg1.
	number, _, _ := strings.Cut(v.Version, "+")
	return "Docker Engine " + number, nil
}

// DataRoot is the directory of a private engine's images, containers and logs, empty for another.
func (e *Engine) DataRoot() string {
	if !e.Private() {
		return ""
	}
	return filepath.Join(e.root, "data")
}

// Close ends a private engine with all its containers, in whatever state it is, and deletes its directory. Of another
// engine, it removes the containers and images made through this Engine. Only the first call does anything; all return
// the same.
func (e *Engine) Close() error { return e.close() }

func (e *Engine) closePrivate() error {
	e.cancel()
	err := e.keeper.close() // nobody is told to stop, everything is killed: dockerd alone takes a second to stop
	if p := e.daemon.Swap(nil); p != nil && err == nil {
		<-p.ended
	}
	return errors.Join(err, e.cli.Close())
}

func (e *Engine) closeShared() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := e.removeMade(ctx)
	e.cancel()
	return errors.Join(err, e.cli.Close())
}

// makeRoot makes the engine's directory, or checks that the one given is empty, because it will be deleted.
func makeRoot(root string) (string, error) {
	var err error
	if root == "" {
		root, err = os.MkdirTemp("", "dl")
	} else {
		root, err = filepath.Abs(root)
	}
	if err != nil {
		return "", fmt.Errorf("make the engine's directory: %w", err)
	}
	if len(root) > maxRoot {
		_ = os.Remove(root) // succeeds for what MkdirTemp has just made
		return "", fmt.Errorf("engine directory %s is too long for the unix sockets below it: use at most %d bytes", root, maxRoot)
	}
	if err := os.MkdirAll(root, 0o711); err != nil {
		return "", fmt.Errorf("make the engine's directory: %w", err)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return "", fmt.Errorf("read the engine's directory: %w", err)
	}
	if len(entries) > 0 {
		return "", fmt.Errorf("engine directory %s is not empty, and Close would delete it: name another", root)
	}
	return root, nil
}
