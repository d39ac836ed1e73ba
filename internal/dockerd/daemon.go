// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// pollInterval is how often a condition that gives no event is looked at again.
const pollInterval = 5 * time.Millisecond

// logTailLines is how much of the daemon's log explains a failure.
const logTailLines = 50

// process is a running dockerd, our child.
type process struct {
	*os.Process
	ended chan struct{} // closed once it has been waited for; err is valid then
	err   error
}

// Start starts the engine again after Stop, Kill or a crash, on the same directory and socket, and waits until it
// answers. If the daemon runs, there is only the wait.
func (e *Engine) Start(ctx context.Context) error {
	p, err := e.running()
	if errors.Is(err, ErrNotRunning) {
		p, err = e.launch(ctx)
	}
	if err != nil {
		return err
	}
	if err := e.awaitReady(ctx, p); err != nil {
		return fmt.Errorf("start %s: %w; the end of its log:\n%s", e.opts.Binary, err, e.LogTail(logTailLines))
	}
	return nil
}

// installScript hides what is on the usual paths of an installed engine behind the engine's own, whose directory it is given.
const installScript = `
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib &&
	mkdir -p /var/lib/docker "$1/data" && mount --bind "$1/data" /var/lib/docker`

// launch starts dockerd inside the namespaces.
func (e *Engine) launch(ctx context.Context) (*process, error) {
	if err := e.awaitContainerdGone(ctx); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(e.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the daemon's log: %w", err)
	}
	defer log.Close()
	// Without a file of its own, dockerd reads the machine's /etc/docker/daemon.json.
	config := filepath.Join(e.root, "daemon.json")
	if err := os.WriteFile(config, []byte("{}"), 0o600); err != nil {
		return nil, fmt.Errorf("write the daemon's configuration: %w", err)
	}
	args := []string{
		"--config-file", config,
		"--data-root", e.DataRoot(),
		"--exec-root", filepath.Join(e.root, "run"),
		"--pidfile", filepath.Join(e.root, "docker.pid"),
		"--host", e.host,
		"--bridge=none", "--iptables=false", "--ip6tables=false",
		"--storage-driver", e.keeper.storageDriver,
		// Cgroups that only this engine uses can be removed with it. They belong to no systemd unit.
		"--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", "/" + e.cgroup,
	}
	if e.opts.LogDriver != "" {
		args = append(args, "--log-driver", e.opts.LogDriver)
	}
	if e.opts.Installed {
		args = append(args, "--data-root", "/var/lib/docker", "--host", "unix:///var/run/docker.sock")
	}
	cmd := exec.Command(e.opts.Binary, append(args, e.opts.ExtraArgs...)...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(e.opts.Binary)+string(os.PathListSeparator)+os.Getenv("PATH"))
	cmd.Env = append(cmd.Env, e.opts.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := e.keeper.start(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", e.opts.Binary, err)
	}
	p := &process{Process: cmd.Process, ended: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	e.daemon.Store(p)
	return p, nil
}

// awaitReady waits until the engine answers, and no longer than p lives.
func (e *Engine) awaitReady(ctx context.Context, p *process) error {
	for {
		// The daemon listens before it is ready, and answers once it is: from then on the request itself is the wait.
		_, err := e.cli.Ping(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.ended:
			return fmt.Errorf("dockerd ended before it answered (%w)", p.err)
		case <-ctx.Done():
			return fmt.Errorf("wait for an answer to /_ping: %w", ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// awaitContainerdGone waits for the end of the previous daemon's containerd. The kernel kills it with its parent, but a
// new dockerd that comes sooner finds its pid file and waits for that one instead of starting another.
func (e *Engine) awaitContainerdGone(ctx context.Context) error {
	pid, err := os.ReadFile(filepath.Join(e.root, "run/containerd/containerd.pid"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the previous containerd: %w", err)
	}
	// The pid counts in the engine's namespace, so look it up in the /proc of pid 1's.
	dir := fmt.Sprintf("/proc/%d/root/proc/%s", e.keeper.pid1, bytes.TrimSpace(pid))
	for {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the previous containerd, pid %s, to end: %w", bytes.TrimSpace(pid), ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// Stop ends the daemon as a service manager would. It gives running containers their time to stop, then takes about a
// second for its containerd.
func (e *Engine) Stop(ctx context.Context) error {
	return e.end(ctx, syscall.SIGTERM)
}

// Kill ends the daemon at once. Its containers run on, blocked once the pipe for their output is full, until the next
// Start, which stops them unless the daemon is given --live-restore.
func (e *Engine) Kill() error {
	return e.end(context.Background(), syscall.SIGKILL)
}

func (e *Engine) end(ctx context.Context, sig syscall.Signal) error {
	p, err := e.running()
	if errors.Is(err, ErrNotRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	_ = p.Signal(sig)       // it can only fail because the process has ended, which is what the wait is for
	_ = p.Signal(sigResume) // a frozen daemon would not hear the other one
	select {
	case <-p.ended:
	case <-ctx.Done():
		return fmt.Errorf("wait for dockerd to stop, else Kill it: %w", ctx.Err())
	}
	return e.cli.Close() // idle connections to the daemon that is gone; the client goes on
}

// powerCutScript kills all in the pid namespace but itself, pid 1 and its cat, until there is nothing else.
const powerCutScript = `
while [ -z "$dark" ]; do
	dark=1
	for dir in /proc/[0-9]*; do
		pid=${dir#/proc/}
		{ read -r name <"$dir/comm"; } 2>/dev/null || continue
		case $pid.$name in 1.*|$$.*|*.cat) continue ;; esac
		if kill -9 "$pid" 2>/dev/null; then dark=; fi
	done
done`

// PowerCut kills the daemon, its containerd and all containers at once. What they have written to files is there when Start
// starts the daemon again; that includes what a true power cut would take out of the kernel's cache.
func (e *Engine) PowerCut() error {
	p, err := e.running()
	if err != nil {
		return err
	}
	if err := e.keeper.run(exec.Command("/bin/sh", "-c", powerCutScript)); err != nil {
		return err
	}
	<-p.ended
	return e.cli.Close()
}

// Restart stops the daemon and starts it again, as a service manager would.
func (e *Engine) Restart(ctx context.Context) error {
	if err := e.Stop(ctx); err != nil {
		return err
	}
	return e.Start(ctx)
}

// Pause freezes the daemon, and only it: containers run on, connections stay open and nobody answers.
func (e *Engine) Pause() error {
	p, err := e.signal(sigPause)
	if err != nil {
		return err
	}
	for { // the signal only begins it: threads stop one by one, and the last ones may still answer a request
		if done, err := stopped(p.Pid); done || err != nil {
			return err
		}
		select {
		case <-p.ended:
			return ErrNotRunning
		case <-time.After(pollInterval):
		}
	}
}

// Resume thaws the daemon.
func (e *Engine) Resume() error {
	_, err := e.signal(sigResume)
	return err
}

func (e *Engine) signal(sig os.Signal) (*process, error) {
	p, err := e.running()
	if err != nil {
		return nil, err
	}
	if err := p.Signal(sig); err != nil {
		return nil, fmt.Errorf("send %v to dockerd: %w", sig, err)
	}
	return p, nil
}

func (e *Engine) running() (*process, error) {
	if !e.Private() {
		return nil, ErrNotPrivate
	}
	p := e.daemon.Load()
	if p == nil {
		return nil, ErrNotRunning
	}
	select {
	case <-p.ended: // perhaps on its own
		return nil, ErrNotRunning
	default:
		return p, nil
	}
}

// Pid is the daemon's process id, 0 while it does not run and for an engine that is not private.
func (e *Engine) Pid() int {
	p, err := e.running()
	if err != nil {
		return 0
	}
	return p.Pid
}

// CPU is the processor time that the daemon has taken, user and system, since it was last started. Its containerd and
// the containers do not count.
func (e *Engine) CPU() (time.Duration, error) {
	p, err := e.running()
	if err != nil {
		return 0, err
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid))
	if err != nil {
		return 0, fmt.Errorf("read the daemon's processor time: %w", err)
	}
	// The second field is the command in brackets and may contain anything; utime and stime are the 14th and 15th.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("read the daemon's processor time: %q is not a stat line", stat)
	}
	user, userErr := strconv.ParseInt(fields[utime], 10, 64)
	system, systemErr := strconv.ParseInt(fields[stime], 10, 64)
	if err := errors.Join(userErr, systemErr); err != nil {
		return 0, fmt.Errorf("read the daemon's processor time: %w", err)
	}
	const tick = time.Second / 100 // USER_HZ, the same on every architecture that Docker runs on
	return time.Duration(user+system) * tick, nil
}

// Goroutines is how many goroutines the daemon has.
func (e *Engine) Goroutines(ctx context.Context) (int, error) {
	info, err := e.cli.Info(ctx)
	return info.NGoroutines, err
}

// FDs is how many file descriptors the daemon has open.
func (e *Engine) FDs(ctx context.Context) (int, error) {
	info, err := e.cli.Info(ctx)
	return info.NFd, err
}

func (e *Engine) logFile() string { return filepath.Join(e.root, "dockerd.log") }

// LogTail gives the last lines of the daemon's log, without those that every start repeats by the dozen. It is empty
// for an engine that is not private.
func (e *Engine) LogTail(lines int) string {
	if !e.Private() {
		return ""
	}
	text, err := os.ReadFile(e.logFile())
	if err != nil {
		return err.Error()
	}
	var tail []string
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, "loading plugin") && !strings.Contains(line, "module=grpc") {
			tail = append(tail, line)
		}
	}
	return strings.Join(tail[max(0, len(tail)-lines):], "")
}
