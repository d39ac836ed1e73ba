// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"runtime/pprof"
	"slices"
	"time"
)

// perConnection is how many goroutines net/http's transport has for a connection: one
// reads, one writes.
const perConnection = 2

// Origin is where goroutines come from.
type Origin struct {
	Component string
	Kind      string // of the component; empty for libraries and the runtime
	// Function is the function that the goroutine was started to run, launchers like
	// sync.(*WaitGroup).Go aside.
	Function string
}

// State is what a goroutine waits for.
type State string

// The states, as a metric names them.
const (
	Running State = "running"
	IO      State = "io"
	Select  State = "select"
	Channel State = "channel"
	Lock    State = "lock"
	Sleep   State = "sleep"
	Syscall State = "syscall"
)

// Container counts the goroutines that work for one captured container.
type Container struct {
	ID, Name, Component string
	Count               int
	// Need is the part of Count that the capture needs: one goroutine for each role
	// that its goroutines name, and two for a connection.
	// Revoke takes it away.
	Need int

	roles     []string
	functions map[Origin]int
}

// Excess returns the part of Count that the capture does not need.
func (c *Container) Excess() int { return c.Count - c.Need }

// Census counts goroutines by owner.
type Census struct {
	Taken time.Time
	Took  time.Duration
	Total int
	Need  int // of the captured containers together

	Origins    map[Origin]int
	Components map[string]map[State]int
	Containers map[string]*Container
	// Above counts the goroutines that no capture needs.
	Above map[Origin]int
}

// Excess returns the number of goroutines that no capture needs.
func (c *Census) Excess() int { return c.Total - c.Need }

// ErrUnsupported is returned where the runtime was built without a profile.
var ErrUnsupported = errors.New("not supported by this build")

// Take counts the goroutines.
func Take() (*Census, error) { return take("goroutine") }

// Leaked counts the goroutines of which the garbage collector proves that they can never
// wake. It runs the garbage collector.
func Leaked() (*Census, error) { return take("goroutineleak") }

// CanFindLeaks reports whether this build supports Leaked.
func CanFindLeaks() bool { return pprof.Lookup("goroutineleak") != nil }

func take(name string) (*Census, error) {
	source := pprof.Lookup(name)
	if source == nil {
		return nil, fmt.Errorf("profile %s: %w", name, ErrUnsupported)
	}
	began := time.Now()
	var buf bytes.Buffer
	if err := source.WriteTo(&buf, 0); err != nil {
		return nil, fmt.Errorf("take profile %s: %w", name, err)
	}
	c, err := read(buf.Bytes())
	if err != nil {
		return nil, fmt.Errorf("read profile %s: %w", name, err)
	}
	c.Taken, c.Took = began, time.Since(began)
	return c, nil
}

// read counts the goroutines of a goroutine profile.
func read(compressed []byte) (*Census, error) {
	c := &Census{
		Origins: make(map[Origin]int), Above: make(map[Origin]int),
		Components: make(map[string]map[State]int), Containers: make(map[string]*Container),
	}
	if err := eachSample(compressed, c.add); err != nil {
		return nil, err
	}
	c.computeNeed()
	return c, nil
}

func (c *Census) add(s *sample) {
	c.Total += s.n
	origin := s.origin()
	c.Origins[origin] += s.n
	states := c.Components[origin.Component]
	if states == nil {
		states = make(map[State]int)
		c.Components[origin.Component] = states
	}
	states[s.state()] += s.n

	if s.containerID == "" {
		c.Above[origin] += s.n
		return
	}
	container := c.Containers[s.containerID]
	if container == nil {
		container = &Container{ID: s.containerID, Component: origin.Component, functions: make(map[Origin]int)}
		c.Containers[s.containerID] = container
	}
	if s.containerName != "" {
		container.Name = s.containerName
	}
	container.Count += s.n
	container.functions[origin] += s.n
	container.addRole(s.role)
}

func (c *Container) addRole(role string) {
	if !slices.Contains(c.roles, role) {
		c.roles = append(c.roles, role)
	}
}

// computeNeed splits the goroutines into those that the captures need and those above.
// The code fixes the number of roles, so a leak does not raise the need of a container, and
// what one leaves unused does not cover the excess of another. Each container that a label names needs its
// part until Revoke says that it has ended.
func (c *Census) computeNeed() {
	for _, container := range c.Containers {
		c.setNeed(container, min(container.Count, len(container.roles)+perConnection))
		for origin, n := range container.above() {
			c.Above[origin] += n
		}
	}
}

// setNeed keeps the sum in step.
func (c *Census) setNeed(container *Container, need int) {
	c.Need += need - container.Need
	container.Need = need
}

// above returns the goroutines that the capture does not need.
func (c *Container) above() map[Origin]int {
	above, spare := make(map[Origin]int), c.Need
	// The origin with the most goroutines is the one that leaks, so it comes last.
	for _, origin := range ascending(c.functions) {
		n := c.functions[origin]
		used := min(spare, n)
		spare -= used
		if n > used {
			above[origin] = n - used
		}
	}
	return above
}

// Revoke takes their need away from containers that have ended. A connection that is used
// again stays labelled with the container that opened it. So a connection of theirs is still
// needed for each of the others that has none of its own.
func (c *Census) Revoke(ended map[string]bool) {
	spare := 0
	for id, container := range c.Containers {
		if !ended[id] {
			spare += max(0, len(container.roles)+perConnection-container.Need)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(ended)) {
		container := c.Containers[id]
		if container == nil {
			continue
		}
		before := container.above()
		need := min(container.Need, perConnection, spare)
		spare -= need
		c.setNeed(container, need)
		for origin, n := range container.above() {
			c.Above[origin] += n - before[origin]
		}
	}
}
