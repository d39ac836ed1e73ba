// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	sigPause  = unix.SIGSTOP
	sigResume = unix.SIGCONT
)

// keeperTimeout bounds the wait for the keeper. Its longest task is to delete the engine's directory: every overlay mount
// that goes syncs the file system, which took 26 s in all for a thousand containers.
const keeperTimeout = 5 * time.Minute

// keeperScript holds the namespaces of one engine open until its standard input ends, then removes what is left of it.
// It prints pid 1's number as seen from outside, and the storage driver that works in the engine's directory. Where it
// is given a root file system, the engine sees that as its own, with what it shares with us on the same paths: its own
// directory, that for temporary files, and the devices.
//
//   - A root that was only changed, and not pivoted to, would not do: the engine remounts / where it unpacks images.
//   - /proc still shows the outer pids when pid 1 reads its own number there, and the inner ones once it is mounted anew.
//     A newer umount needs it to let go of the old root.
//   - An empty /run/containerd keeps the shims' sockets, whose path is fixed, out of the host's, and hides the system's
//     containerd, which dockerd would use instead of starting one.
//   - Pid 1 waits for cat instead of being cat: it has to reap the orphans of a killed daemon, since dockerd takes a
//     zombie for a live containerd. cat reads a copy of the descriptor: the shell gives background commands /dev/null.
//   - unshare returns once every process in the pid namespace is gone, so nothing is in use when the removal begins.
const keeperScript = `
unshare --net --pid --mount --fork sh -c '
	read -r pid rest </proc/self/stat
	if [ -n "$2" ]; then
		mount --bind "$2" "$2" && mount -t tmpfs tmpfs "$2/run" || exit
		for dir in /dev /sys "${TMPDIR:-/tmp}" "$1"; do
			mkdir -p "$2$dir" && mount --rbind "$dir" "$2$dir" || exit
		done
		cd "$2" && mkdir -p .outside && pivot_root . .outside || exit
	fi
	mount -t proc proc /proc || exit
	if [ -n "$2" ]; then umount -l /.outside || exit; fi
	mkdir -p /run/containerd && mount -t tmpfs tmpfs /run/containerd || exit
	cd "$1" && mkdir lower upper work merged || exit
	driver=vfs
	if mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged 2>/dev/null; then
		driver=overlay2
		umount merged
	fi
	rm -r lower upper work merged
	cd / && echo "$pid $driver"
	exec 3<&0 >/dev/null
	cat <&3 &
	wait $!
' sh "$1" "$3"
rm -rf -- "$1" || failed=1
for dir in /sys/fs/cgroup/"$2" /sys/fs/cgroup/*/"$2"; do
	if [ -d "$dir" ]; then find "$dir" -depth -type d -exec rmdir {} + || failed=1; fi
done
exit ${failed:-0}`

// keeper is the process that owns the namespaces, the directory and the cgroup of one engine.
type keeper struct {
	storageDriver string
	pid1          int // pid 1 of the namespaces, as we count

	cmd      *exec.Cmd
	lifeline io.Closer // the write end of the keeper's standard input
	stderr   bytes.Buffer
	ended    chan struct{} // closed once cmd has been waited for; stderr and err are ours to read then
	err      error
}

// startKeeper makes the namespaces, with the root file system of this machine if rootfs is empty. From here on root and
// the cgroup belong to the keeper.
func startKeeper(ctx context.Context, root, cgroup, rootfs string) (*keeper, error) {
	k := &keeper{cmd: exec.Command("sh", "-c", keeperScript, "sh", root, cgroup, rootfs), ended: make(chan struct{})}
	k.cmd.Stderr = &k.stderr
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a Ctrl-C is for us: the keeper has yet to clean up
	stdin, err := k.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open the keeper's lifeline: %w", err)
	}
	k.lifeline = stdin
	stdout, err := k.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("open the keeper's output: %w", err)
	}
	if err := k.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the keeper: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = stdin.Close() })
	_, err = fmt.Fscan(bufio.NewReader(stdout), &k.pid1, &k.storageDriver)
	stop()
	go func() {
		k.err = k.cmd.Wait()
		close(k.ended)
	}()
	if err := errors.Join(err, ctx.Err()); err != nil {
		closeErr := k.close()
		return nil, fmt.Errorf("make namespaces for the engine, which takes root with CAP_SYS_ADMIN: %w: %s",
			errors.Join(err, closeErr), bytes.TrimSpace(k.stderr.Bytes()))
	}
	return k, nil
}

// close cuts the lifeline and waits until nothing is left.
func (k *keeper) close() error {
	_ = k.lifeline.Close() // the only error is that it is cut already
	select {
	case <-k.ended:
	case <-time.After(keeperTimeout):
		return fmt.Errorf("engine not gone after %v: see what pid %d waits for", keeperTimeout, k.cmd.Process.Pid)
	}
	if k.err != nil {
		return fmt.Errorf("clean up after the engine: %w: %s", k.err, bytes.TrimSpace(k.stderr.Bytes()))
	}
	return nil
}

// start starts cmd as our child, but inside the namespaces: a child inherits those of the thread that forks it.
func (k *keeper) start(cmd *exec.Cmd) error {
	return onSpareThread(func() error {
		pidfd, err := unix.PidfdOpen(k.pid1, 0)
		if err != nil {
			return fmt.Errorf("find the engine's namespaces: %w", err)
		}
		defer unix.Close(pidfd)
		// A thread that shares its root and working directory with others may not change its mount namespace.
		if err := unix.Unshare(unix.CLONE_FS); err != nil {
			return fmt.Errorf("detach a thread: %w", err)
		}
		if err := unix.Setns(pidfd, unix.CLONE_NEWNS|unix.CLONE_NEWPID|unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter the engine's namespaces: %w", err)
		}
		if err := loopbackUp(); err != nil {
			return fmt.Errorf("set the engine's loopback up, for published ports: %w", err)
		}
		return cmd.Start()
	})
}

// onItsNetwork calls fn on a thread that is in the network namespace, and in no other.
func (k *keeper) onItsNetwork(fn func() error) error {
	return onSpareThread(func() error {
		pidfd, err := unix.PidfdOpen(k.pid1, 0)
		if err != nil {
			return fmt.Errorf("find the network namespace: %w", err)
		}
		defer unix.Close(pidfd)
		if err := unix.Setns(pidfd, unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter the network namespace: %w", err)
		}
		return fn()
	})
}

// loopbackUp sets lo up, which is down in a new network namespace.
func loopbackUp() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// stopped tells whether all threads of our child are. Its waiter must not see the answer, hence WNOWAIT.
func stopped(pid int) (bool, error) {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_PID, pid, &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT, nil)
	return info.Signo != 0, err
}

// onSpareThread calls fn on a thread that ends with it: the goroutine ends without unlocking its thread. The main
// thread is spared, because /proc/self shows its state and because it cannot end; while it is locked, the next
// goroutine cannot land on it.
func onSpareThread(fn func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			defer runtime.UnlockOSThread()
			done <- onSpareThread(fn)
			return
		}
		done <- fn()
	}()
	return <-done
}
