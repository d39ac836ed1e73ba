// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
)

// ContainerSpec describes a container. Only Image is needed.
type ContainerSpec struct {
	Name          string // by default a random one
	Image         string
	Cmd           []string
	Env           map[string]string
	Labels        map[string]string
	User          string
	TTY           bool
	LogDriver     string // by default the engine's
	LogOpts       map[string]string
	AutoRemove    bool
	Binds         []string // host path:container path[:ro]
	NetworkMode   string   // by default none: a private engine has no other but host, which is its own namespace, and container:NAME
	CgroupnsMode  string   // private or host; by default the engine's
	RestartPolicy string   // no, always, unless-stopped, on-failure or on-failure:N
	ReadOnly      bool     // the root file system
	Memory        int64    // bytes that it may use; 0 is no limit
	HealthCheck   []string // a command that is run each second, and says how it is by its exit code
}

// Container is a container of an Engine.
type Container struct {
	ID   string
	Name string

	engine     *Engine
	autoRemove bool
	removed    *exit // of a container that is removed when it ends: asked for before it starts, too late afterwards
}

// exit is the answer to a wait, valid once known is closed.
type exit struct {
	known chan struct{}
	code  int
	err   error
}

// Run creates a container and starts it. One that does not start is removed.
func (e *Engine) Run(ctx context.Context, spec ContainerSpec) (*Container, error) {
	c, err := e.Create(ctx, spec)
	if err != nil {
		return nil, err
	}
	if err := c.Start(ctx); err != nil {
		return nil, errors.Join(err, c.Remove(context.WithoutCancel(ctx), true))
	}
	return c, nil
}

// Create creates a container without starting it.
func (e *Engine) Create(ctx context.Context, spec ContainerSpec) (*Container, error) {
	if spec.Name == "" {
		spec.Name = fmt.Sprintf("dl-%08x", rand.Uint32())
	}
	if spec.NetworkMode == "" {
		spec.NetworkMode = "none"
	}
	restart, err := parseRestartPolicy(spec.RestartPolicy)
	if err != nil {
		return nil, fmt.Errorf("create container %s: %w", spec.Name, err)
	}
	env := make([]string, 0, len(spec.Env))
	for key, value := range spec.Env {
		env = append(env, key+"="+value)
	}
	config := &container.Config{
		Image: spec.Image, Cmd: spec.Cmd, Env: env, Labels: spec.Labels, User: spec.User, Tty: spec.TTY,
	}
	if len(spec.HealthCheck) > 0 {
		config.Healthcheck = &container.HealthConfig{
			Test: append([]string{"CMD"}, spec.HealthCheck...), Interval: time.Second, Timeout: 10 * time.Second, Retries: 1,
		}
	}
	hostConfig := &container.HostConfig{
		Resources:      container.Resources{Memory: spec.Memory},
		LogConfig:      container.LogConfig{Type: spec.LogDriver, Config: spec.LogOpts},
		AutoRemove:     spec.AutoRemove,
		Binds:          spec.Binds,
		NetworkMode:    container.NetworkMode(spec.NetworkMode),
		CgroupnsMode:   container.CgroupnsMode(spec.CgroupnsMode),
		RestartPolicy:  restart,
		ReadonlyRootfs: spec.ReadOnly,
	}
	created, err := e.cli.ContainerCreate(ctx, config, hostConfig, nil, nil, spec.Name)
	if err != nil {
		return nil, fmt.Errorf("create container %s: %w", spec.Name, err)
	}
	e.made.addContainer(created.ID)
	return &Container{ID: created.ID, Name: spec.Name, engine: e, autoRemove: spec.AutoRemove}, nil
}

func parseRestartPolicy(text string) (container.RestartPolicy, error) {
	mode, retries, counted := strings.Cut(text, ":")
	policy := container.RestartPolicy{Name: container.RestartPolicyMode(mode)}
	if counted {
		var err error
		if policy.MaximumRetryCount, err = strconv.Atoi(retries); err != nil {
			return policy, fmt.Errorf("restart policy %q: want a number after the colon: %w", text, err)
		}
	}
	return policy, nil
}

// Start starts the container, for the first time or again.
func (c *Container) Start(ctx context.Context) error {
	if c.autoRemove {
		c.removed = c.await(c.engine.ctx, container.WaitConditionRemoved)
	}
	return c.did("start", c.engine.cli.ContainerStart(ctx, c.ID, container.StartOptions{}))
}

// Wait waits until the container does not run, which is at once if it never did, and gives its exit code. For a
// container with AutoRemove it waits until it is gone.
func (c *Container) Wait(ctx context.Context) (int, error) {
	answer := c.removed
	if answer == nil {
		answer = c.await(ctx, container.WaitConditionNotRunning)
	}
	select {
	case <-answer.known:
		return answer.code, c.did("wait for", answer.err)
	case <-ctx.Done():
		return 0, c.did("wait for", ctx.Err())
	}
}

// await asks for the end of the container; the question is with the engine when it returns. A goroutine waits for the
// answer, at most until ctx ends: the client's own blocks for ever if nobody takes its answer.
func (c *Container) await(ctx context.Context, condition container.WaitCondition) *exit {
	answer := &exit{known: make(chan struct{})}
	responses, errs := c.engine.cli.ContainerWait(ctx, c.ID, condition)
	go func() {
		defer close(answer.known)
		select {
		case response := <-responses:
			answer.code = int(response.StatusCode)
			if response.Error != nil {
				answer.err = errors.New(response.Error.Message)
			}
		case answer.err = <-errs:
		}
	}()
	return answer
}

// Stop asks the container to stop, and kills it after timeout, which the engine counts in whole seconds.
func (c *Container) Stop(ctx context.Context, timeout time.Duration) error {
	return c.did("stop", c.engine.cli.ContainerStop(ctx, c.ID, stopOptions(timeout)))
}

// Restart stops the container as Stop does and starts it again.
func (c *Container) Restart(ctx context.Context, timeout time.Duration) error {
	return c.did("restart", c.engine.cli.ContainerRestart(ctx, c.ID, stopOptions(timeout)))
}

func stopOptions(timeout time.Duration) container.StopOptions {
	seconds := int(math.Ceil(timeout.Seconds()))
	return container.StopOptions{Timeout: &seconds}
}

// Kill kills the container.
func (c *Container) Kill(ctx context.Context) error {
	return c.did("kill", c.engine.cli.ContainerKill(ctx, c.ID, "KILL"))
}

// Pause freezes the container's processes.
func (c *Container) Pause(ctx context.Context) error {
	return c.did("pause", c.engine.cli.ContainerPause(ctx, c.ID))
}

// Unpause thaws them.
func (c *Container) Unpause(ctx context.Context) error {
	return c.did("unpause", c.engine.cli.ContainerUnpause(ctx, c.ID))
}

// Rename gives the container another name.
func (c *Container) Rename(ctx context.Context, name string) error {
	if err := c.engine.cli.ContainerRename(ctx, c.ID, name); err != nil {
		return c.did("rename", err)
	}
	c.Name = name
	return nil
}

// Remove removes the container, its log included. With force it may be running.
func (c *Container) Remove(ctx context.Context, force bool) error {
	return c.did("remove", c.engine.cli.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: force, RemoveVolumes: true}))
}

// LogPath is the file of the host that holds the container's newest log lines; older ones are in files whose names
// begin the same way. It fails for a driver that keeps no files.
func (c *Container) LogPath(ctx context.Context) (string, error) {
	info, err := c.engine.cli.ContainerInspect(ctx, c.ID)
	if err != nil {
		return "", c.did("inspect", err)
	}
	if info.LogPath != "" {
		return info.LogPath, nil
	}
	// The engine only tells the path of a json-file.
	if driver := info.HostConfig.LogConfig.Type; driver != "local" || !c.engine.Private() {
		return "", c.did("find the log of", fmt.Errorf("the engine tells no path for log driver %q", driver))
	}
	return filepath.Join(c.engine.DataRoot(), "containers", c.ID, "local-logs", "container.log"), nil
}

func (c *Container) did(act string, err error) error {
	if err != nil {
		return fmt.Errorf("%s container %s: %w", act, c.Name, err)
	}
	return nil
}
