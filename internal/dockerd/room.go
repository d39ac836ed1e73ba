// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
)

// Room is for engines without a daemon that this package knows: namespaces like those of a private engine, in which the
// caller starts programs. It goes as a private engine goes.
type Room struct {
	// Dir has the same path inside and outside, short enough for sockets. It is deleted by Close.
	Dir string
	// Cgroup is the parent that containers are to be given: Close removes it.
	Cgroup string

	keeper *keeper
	close  func() error // once
}

// OpenRoom makes a room. rootfs is its root file system, see [Rootfs]; if it is empty, this machine's.
func OpenRoom(ctx context.Context, rootfs string) (*Room, error) {
	dir, err := makeRoot("")
	if err != nil {
		return nil, err
	}
	cgroup := newCgroup()
	k, err := startKeeper(ctx, dir, cgroup, rootfs)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &Room{Dir: dir, Cgroup: "/" + cgroup, keeper: k, close: sync.OnceValue(k.close)}, nil
}

// newCgroup is a name that no other engine has.
func newCgroup() string { return fmt.Sprintf("dl%016x", rand.Uint64()) }

// Start starts a command as our child, inside the room; its program is named by its path there. wait waits until it has
// ended, at the latest with the room. The room waits too, since it cannot end before its last process has been waited for.
func (r *Room) Start(cmd *exec.Cmd) (wait func() error, err error) {
	if err := r.keeper.start(cmd); err != nil {
		return nil, err
	}
	var ended error
	known := make(chan struct{})
	go func() {
		ended = cmd.Wait()
		close(known)
	}()
	return func() error {
		<-known
		return ended
	}, nil
}

// Run runs a command inside the room to its end. The error has what it has printed.
func (r *Room) Run(cmd *exec.Cmd) error { return r.keeper.run(cmd) }

func (k *keeper) run(cmd *exec.Cmd) error {
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := k.start(cmd)
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return fmt.Errorf("run %s: %w: %s", cmd, err, bytes.TrimSpace(output.Bytes()))
	}
	return nil
}

// Close kills all that runs in the room and deletes its directory. Only the first call does anything; all return the same.
func (r *Room) Close() error { return r.close() }
