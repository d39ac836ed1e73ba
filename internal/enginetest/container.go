// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ContainerSpec is what a container is made from. Every field has a default.
type ContainerSpec struct {
	ID         string            // 64 hex digits; default: a hash of how many were added before
	Name       string            // without the slash; default: container-N
	Image      string            // default: busybox:1.36
	ImageID    string            // default: a hash of Image
	Hostname   string            // default: the first 12 digits of ID
	Labels     map[string]string //
	Env        []string          //
	TTY        bool              // raw log bytes, no frames
	Driver     string            // log driver; default: json-file. none answers logs with 501
	DriverOpts map[string]string // max-size, max-file, ...
	Network    string            // its network mode, as container:ID; default: none
	Mounts     map[string]string // what is mounted into it: sources by destination
	UpperDir   string            // of its root file system; default: the engine does not tell
	AutoRemove bool              // started with --rm: removed when it stops
	Running    bool              // started at once
	Created    time.Time         // default: now
}

// The states of a container.
const (
	statusCreated    = "created"
	statusRunning    = "running"
	statusPaused     = "paused"
	statusRestarting = "restarting"
	statusExited     = "exited"
)

// Container is a container of a fake engine. Its state is guarded by Engine.mu.
type Container struct {
	engine *Engine
	spec   ContainerSpec // but for the name, it never changes

	status     string
	removed    bool
	pid        int
	exitCode   int
	startedAt  time.Time
	finishedAt time.Time

	records  []Record // that the log still holds
	written  int      // records ever written
	unstable map[int]unreadable
	lastNow  time.Time // of the last record that Write stamped
	ticks    int       // records that Write stamped in the same instant since
	follows  map[*follow]struct{}
	faults   *Faults // nil: the engine's
	raw      []byte  // if not nil, the answer to logs
}

// Add creates a container and, if it is to be running, starts it.
func (e *Engine) Add(spec ContainerSpec) *Container {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.added++
	n := strconv.Itoa(e.added)
	spec.ID = cmp.Or(spec.ID, hash("container "+n))
	spec.Name = cmp.Or(strings.TrimPrefix(spec.Name, "/"), "container-"+n)
	spec.Image = cmp.Or(spec.Image, "busybox:1.36")
	spec.ImageID = cmp.Or(spec.ImageID, "sha256:"+hash("image "+spec.Image))
	spec.Hostname = cmp.Or(spec.Hostname, spec.ID[:min(12, len(spec.ID))])
	if e.files {
		spec.Driver = cmp.Or(spec.Driver, "local") // keeps every byte as it is
	}
	spec.Driver = cmp.Or(spec.Driver, "json-file")
	spec.Network = cmp.Or(spec.Network, "none")
	spec.Labels = maps.Clone(spec.Labels)
	spec.DriverOpts = maps.Clone(spec.DriverOpts)
	spec.Mounts = maps.Clone(spec.Mounts)
	spec.Env = slices.Clone(spec.Env)
	if spec.Created.IsZero() {
		spec.Created = e.Now()
	}
	for _, other := range e.containers {
		if other.spec.ID == spec.ID || other.spec.Name == spec.Name {
			panic(fmt.Sprintf("enginetest: container %s (%s) exists already", spec.Name, spec.ID))
		}
	}
	c := &Container{engine: e, spec: spec, status: statusCreated, unstable: make(map[int]unreadable), follows: make(map[*follow]struct{})}
	e.containers = append(e.containers, c)
	c.emit("create")
	if spec.Running {
		c.start()
		c.startedAt = spec.Created
	}
	return c
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// ID returns the container's id, 64 hex digits.
func (c *Container) ID() string { return c.spec.ID }

// Name returns the container's name, without the slash.
func (c *Container) Name() string {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	return c.spec.Name
}

// running is what the engine means by it: paused and restarting containers are running too. mu is held.
func (c *Container) running() bool {
	return c.status == statusRunning || c.status == statusPaused || c.status == statusRestarting
}

// logging reports whether the log driver is open, without which a follow ends at the end of the log. mu is held.
func (c *Container) logging() bool {
	return c.status == statusRunning || c.status == statusPaused
}

// Start starts a container that is not running, or one that waits for its restart policy.
func (c *Container) Start() {
	c.do(func() {
		if !c.logging() {
			c.start()
		}
	})
}

// Stop is docker stop: the container gets a signal and exits with the code; 137 means that it had to be killed.
func (c *Container) Stop(exit int) {
	c.do(func() {
		if !c.running() {
			return
		}
		c.stop(exit)
		c.autoRemove()
	})
}

// Exit lets the container's process end on its own.
func (c *Container) Exit(code int) {
	c.do(func() {
		if !c.logging() {
			return
		}
		c.halt(statusExited, code)
		c.autoRemove()
	})
}

// Die is Exit, but the engine takes its time to remove the container, until Remove.
func (c *Container) Die(code int) {
	c.do(func() {
		if c.logging() {
			c.halt(statusExited, code)
		}
	})
}

// Kill is docker kill.
func (c *Container) Kill() {
	c.do(func() {
		if !c.running() {
			return
		}
		c.kill()
		c.autoRemove()
	})
}

// Crash lets the container's process end on its own and the container wait for its restart policy; Start ends the wait.
func (c *Container) Crash(code int) {
	c.do(func() {
		if c.logging() {
			c.halt(statusRestarting, code)
		}
	})
}

// Restart is docker restart. It does not remove a container that is to be removed when it stops.
func (c *Container) Restart() {
	c.do(func() {
		if c.running() {
			c.stop(0)
		}
		c.start()
		c.emit("restart")
	})
}

// RunOutOfMemory ends the container's process as the kernel does.
func (c *Container) RunOutOfMemory() {
	c.do(func() {
		if c.logging() {
			c.emit("oom")
			c.halt(statusExited, 137)
			c.autoRemove()
		}
	})
}

// Health tells that the container's health is another: healthy or unhealthy.
func (c *Container) Health(status string) {
	c.do(func() { c.emit("health_status: " + status) })
}

// Pause is docker pause: the container is running, and silent.
func (c *Container) Pause() {
	c.do(func() {
		if c.status == statusRunning {
			c.status = statusPaused
			c.emit("pause")
		}
	})
}

// Unpause is docker unpause.
func (c *Container) Unpause() {
	c.do(func() {
		if c.status == statusPaused {
			c.status = statusRunning
			c.emit("unpause")
		}
	})
}

// Rename is docker rename.
func (c *Container) Rename(name string) {
	c.do(func() {
		old := c.spec.Name
		c.spec.Name = strings.TrimPrefix(name, "/")
		c.emit("rename", "oldName", "/"+old)
	})
}

// Remove is docker rm -f: a running container is killed first.
func (c *Container) Remove() {
	c.do(func() {
		if c.running() {
			c.kill()
		}
		c.destroy()
	})
}

// do runs one act of the container's life under the lock. A removed container has no more of them.
func (c *Container) do(act func()) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if !c.removed {
		act()
	}
}

// start, stop, kill, halt, autoRemove and destroy emit the events in the order in which the engine was seen to. mu is held.
func (c *Container) start() {
	c.status = statusRunning
	c.engine.started++
	c.pid = 1000 + c.engine.started
	c.exitCode = 0
	c.startedAt = c.engine.Now()
	c.emitNetwork("connect")
	c.emit("start")
}

func (c *Container) stop(exit int) {
	c.emit("kill", "signal", "15")
	if exit == 137 {
		c.emit("kill", "signal", "9")
	}
	c.halt(statusExited, exit)
	c.emit("stop")
}

func (c *Container) kill() {
	c.emit("kill", "signal", "9")
	c.halt(statusExited, 137)
}

// halt ends the container's process: the log driver is closed, and with it every follow, before the event goes out.
func (c *Container) halt(status string, exit int) {
	wasLogging := c.logging()
	c.status = status
	if !wasLogging { // it waited for its restart policy
		return
	}
	c.pid = 0
	c.exitCode = exit
	c.finishedAt = c.engine.Now()
	for f := range c.follows {
		f.end()
	}
	attributes := []string{"exitCode", strconv.Itoa(exit)}
	if c.engine.modern {
		attributes = append(attributes, "execDuration", strconv.Itoa(int(c.finishedAt.Sub(c.startedAt).Seconds())))
	}
	c.emit("die", attributes...)
	c.emitNetwork("disconnect")
}

func (c *Container) autoRemove() {
	if c.spec.AutoRemove {
		c.destroy()
	}
}

func (c *Container) destroy() {
	c.removed = true
	c.removeFiles()
	c.engine.containers = slices.DeleteFunc(c.engine.containers, func(other *Container) bool { return other == c })
	c.emit("destroy")
}
