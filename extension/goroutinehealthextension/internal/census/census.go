// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"bytes"
	"errors"
	"fmt"
	"runtime/pprof"
	"slices"
	"time"
)

// perConnection is how many goroutines net/http's transport has for a connection,
// one that reads and one that writes.
const perConnection = 2

// Origin is where goroutines come from.
type Origin struct {
	Component string
	Kind      string // of the component; empty for what is none
	// Function is what the goroutine was started to run, launchers like
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

// Container is what there is for one captured container.
type Container struct {
	ID, Name, Component string
	Count               int
	// Need is the part of Count that the capture needs: a goroutine for each of the
	// roles that it has named, and two for a connection.
	Need int

	roles     []string
	functions map[Origin]int
}

// Excess is the part of Count that the capture does not need.
func (c *Container) Excess() int { return c.Count - c.Need }

// Census is how many goroutines there are, and whose.
type Census struct {
	Taken time.Time
	Took  time.Duration
	Total int
	// Need is how many of them the captured containers need.
	Need       int
	Origins    map[Origin]int
	Components map[string]map[State]int
	Containers map[string]*Container
	// Above holds the origins of goroutines that the captures do not need.
	Above map[Origin]int
}

// Excess is how many goroutines there are that the captured containers do not need.
func (c *Census) Excess() int { return c.Total - c.Need }

// ErrUnsupported tells that the runtime was built without a profile.
var ErrUnsupported = errors.New("not supported by this build")

// Take counts the goroutines.
func Take() (*Census, error) { return take("goroutine") }

// Leaked counts the goroutines that the garbage collector proves can never wake. It
// runs the garbage collector.
func Leaked() (*Census, error) { return take("goroutineleak") }

// CanFindLeaks tells whether Leaked is supported.
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
	p, err := parse(compressed)
	if err != nil {
		return nil, err
	}
	c := &Census{
		Origins: make(map[Origin]int), Above: make(map[Origin]int),
		Components: make(map[string]map[State]int), Containers: make(map[string]*Container),
	}
	if err := p.each(c.add); err != nil {
		return nil, err
	}
	c.judge()
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

// judge tells what the captures need from what they do not. The number of roles is
// fixed by the code that names them, so a leak does not raise what is needed; and
// what one container leaves unused is not to another's credit.
func (c *Census) judge() {
	for _, container := range c.Containers {
		container.Need = min(container.Count, len(container.roles)+perConnection)
		c.Need += container.Need
		spare := container.Need
		// What a container has many of is what leaks.
		for _, origin := range sorted(container.functions) {
			n := container.functions[origin]
			used := min(spare, n)
			spare -= used
			if n > used {
				c.Above[origin] += n - used
			}
		}
	}
}
