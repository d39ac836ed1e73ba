// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Load is the processor time that a cell's window took, and who used it. The window begins
// when the containers may write and ends when the last client has all lines or has given up.
type Load struct {
	Window  time.Duration `json:"window_ns"`
	Clients time.Duration `json:"clients_ns"`
	// Daemon is the engine's: dockerd, containerd and the shims, the writing of the logs
	// included. It, Generator and Others are 0, not known, where the engine is not private.
	Daemon    time.Duration `json:"daemon_ns"`
	Generator time.Duration `json:"generator_ns"` // all containers
	Lab       time.Duration `json:"lab_ns"`
	Others    time.Duration `json:"others_ns"` // the rest of the machine
}

// Cores is how many cores used was of, on average over the window.
func (l Load) Cores(used time.Duration) float64 {
	if l.Window <= 0 {
		return 0
	}
	return used.Seconds() / l.Window.Seconds()
}

// usage is the processor time that everybody had used at an instant.
type usage struct {
	at                                       time.Time
	machine, clients, daemon, generator, lab time.Duration
}

// since computes the load of the window between two instants.
func (u usage) since(before usage) Load {
	l := Load{
		Window: u.at.Sub(before.at), Clients: u.clients - before.clients, Daemon: u.daemon - before.daemon,
		Generator: u.generator - before.generator, Lab: u.lab - before.lab,
	}
	l.Others = max(0, u.machine-before.machine-l.Clients-l.Daemon-l.Generator-l.Lab)
	return l
}

// readUsage reads the usage of now. dockerd is the daemon's process id, 0 if it is not known.
func readUsage(dockerd int, clients []int) (usage, error) {
	u := usage{at: time.Now()}
	processes, err := readProcesses()
	if err != nil {
		return u, err
	}
	for pid, p := range processes {
		switch {
		case pid == os.Getpid():
			u.lab += p.used
		case slices.Contains(clients, pid):
			u.clients += p.used
		case processes.belongsTo(pid, dockerd):
			u.daemon += p.used
		case processes.descendsFrom(pid, dockerd):
			u.generator += p.used
		}
	}
	u.machine, err = machineTime()
	return u, err
}

// procStat is what /proc says about a process.
type procStat struct {
	parent    int
	used      time.Duration // user and system
	namespace string        // of its process ids
}

type processTable map[int]procStat

// belongsTo reports whether a process is one of the engine's own: a private engine has a
// namespace of process ids, and its containers have theirs inside it.
func (t processTable) belongsTo(pid, dockerd int) bool {
	engine, running := t[dockerd]
	return running && engine.namespace != "" && t[pid].namespace == engine.namespace
}

// descendsFrom reports whether one of the engine's own processes, a shim, has started this one.
func (t processTable) descendsFrom(pid, dockerd int) bool {
	for parent := t[pid].parent; parent > 1; parent = t[parent].parent {
		if t.belongsTo(parent, dockerd) {
			return true
		}
	}
	return false
}

func readProcesses() (processTable, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	processes := make(processTable, len(dirs))
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(dir + "/stat")
		if err != nil {
			continue // it has ended meanwhile
		}
		p, err := parseStat(stat)
		if err != nil {
			return nil, fmt.Errorf("read %s/stat: %w", dir, err)
		}
		p.namespace, _ = os.Readlink(dir + "/ns/pid")
		processes[pid] = p
	}
	if len(processes) == 0 {
		return nil, errors.New("read /proc: there are no processes in it")
	}
	return processes, nil
}

// tick is the unit of /proc: USER_HZ is the same on every architecture that Docker runs on.
const tick = time.Second / 100

func parseStat(stat []byte) (p procStat, err error) {
	// The second field is the command in brackets and may contain anything.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const ppid, utime, stime = 4 - 3, 14 - 3, 15 - 3 // as proc(5) counts them
	if len(fields) <= stime {
		return p, fmt.Errorf("%q is too short", stat)
	}
	var user, system int64
	var errs [3]error
	p.parent, errs[0] = strconv.Atoi(fields[ppid])
	user, errs[1] = strconv.ParseInt(fields[utime], 10, 64)
	system, errs[2] = strconv.ParseInt(fields[stime], 10, 64)
	p.used = time.Duration(user+system) * tick
	return p, errors.Join(errs[:]...)
}

// machineTime is how long all processors together have not been idle since the machine
// started. What a hypervisor gave to other machines counts: it disturbs as much.
func machineTime() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(text, []byte{'\n'})
	var ticks int64
	for i, field := range strings.Fields(string(first)) {
		// cpu user nice system idle iowait irq softirq steal guest guest_nice; user includes guest.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read /proc/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
