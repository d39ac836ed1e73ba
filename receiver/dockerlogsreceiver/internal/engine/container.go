// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
)

// Info describes an engine.
type Info struct {
	Name       string // its host's name
	Runtime    string // docker or podman
	Version    string
	APIVersion string
	Now        time.Time // its clock; zero where it does not tell
	DataRoot   string    // the directory of its files, as the engine sees it
}

// LogsFirst reports whether the log of a container may be opened without a look at whether it
// is being removed. Engine 20.10 would make the log's file anew, and then could not remove the
// container's directory: 3 of some 1,300 short containers with --rm stayed there, dead.
func (i Info) LogsFirst() bool {
	return i.Runtime == "docker" && versions.GreaterThanOrEqualTo(i.APIVersion, "1.45") // Engine 26
}

// Info asks the engine what it is, in two requests. The error is a VersionError if it does
// not serve the version of the API.
func (c *Client) Info(ctx context.Context) (Info, error) {
	return unary(ctx, c, func(ctx context.Context, api *client.Client) (Info, error) {
		version, err := api.ServerVersion(ctx)
		if err != nil {
			return Info{}, c.explain(ctx, api.ClientVersion(), fmt.Errorf("version: %w", err))
		}
		system, err := api.Info(ctx)
		if err != nil {
			return Info{}, fmt.Errorf("info: %w", err)
		}
		info := Info{
			Name: system.Name, Runtime: "docker", Version: version.Version, APIVersion: api.ClientVersion(),
			DataRoot: system.DockerRootDir,
		}
		for _, part := range version.Components {
			if strings.Contains(strings.ToLower(part.Name), "podman") {
				info.Runtime = "podman"
			}
		}
		info.Now, _ = time.Parse(time.RFC3339Nano, system.SystemTime)
		return info, nil
	})
}

// Summary is what a list says of a container.
type Summary struct {
	ID      string
	Name    string
	Image   string // as the container was created with
	Labels  map[string]string
	Running bool // paused ones too
	// NetworkOf is the container whose network it shares, by its id or its name; "" if none.
	// Not by Events.
	NetworkOf string
	// Only by List: Created has whole seconds. Ended is set where it has ended less than two
	// minutes ago, EndedThisHour where less than an hour ago.
	Created              time.Time
	Ended, EndedThisHour bool
}

// List returns all containers, also those that do not run.
func (c *Client) List(ctx context.Context) ([]Summary, error) {
	return unary(ctx, c, func(ctx context.Context, api *client.Client) ([]Summary, error) {
		list, err := api.ContainerList(ctx, container.ListOptions{All: true})
		if err != nil {
			return nil, fmt.Errorf("list containers: %w", err)
		}
		summaries := make([]Summary, len(list))
		for i, s := range list {
			summaries[i] = Summary{
				ID: s.ID, Name: nameOf(s.Names), Image: s.Image, Labels: s.Labels, Created: time.Unix(s.Created, 0),
				Running: running(s.State), Ended: endedLately(s.Status), EndedThisHour: endedThisHour(s.Status),
				NetworkOf: container.NetworkMode(s.HostConfig.NetworkMode).ConnectedContainer(),
			}
		}
		return summaries, nil
	})
}

// Container is what an inspection says of a container.
type Container struct {
	Summary
	// Unseen is set where it has not been inspected: an event has told the Summary.
	Unseen     bool
	ImageID    string // sha256:...
	Env        map[string]string
	TTY        bool
	Driver     string // of its log
	LogOptions map[string]string
	AutoRemove bool      // it is removed when it ends
	StartedAt  time.Time // zero before the first start
	FinishedAt time.Time // zero before the first end
	Mounts     []Mount   // volumes, and what the user has mounted
	UpperDir   string    // of its root file system; "" where the engine does not tell
}

// Mount is something that is mounted into a container.
type Mount struct {
	Source      string // a path of the engine's host; "" where it has none
	Destination string // a path in the container
}

// Inspect looks at one container. The error of one that is gone is IsNotFound.
func (c *Client) Inspect(ctx context.Context, id string) (Container, error) {
	return unary(ctx, c, func(ctx context.Context, api *client.Client) (Container, error) {
		r, err := api.ContainerInspect(ctx, id)
		if err != nil {
			return Container{}, fmt.Errorf("inspect container: %w", err)
		}
		if r.ContainerJSONBase == nil || r.State == nil || r.Config == nil {
			return Container{}, fmt.Errorf("inspect container: the engine's answer lacks its state or its config")
		}
		found := Container{
			Summary: Summary{
				ID: r.ID, Name: strings.TrimPrefix(r.Name, "/"), Image: r.Config.Image, Labels: r.Config.Labels,
				Running: r.State.Running,
			},
			ImageID: r.Image, Env: parseEnv(r.Config.Env), TTY: r.Config.Tty, UpperDir: r.GraphDriver.Data["UpperDir"],
			StartedAt: parseTime(r.State.StartedAt), FinishedAt: parseTime(r.State.FinishedAt),
		}
		if r.HostConfig != nil {
			found.Driver, found.LogOptions = r.HostConfig.LogConfig.Type, r.HostConfig.LogConfig.Config
			found.AutoRemove = r.HostConfig.AutoRemove
			found.NetworkOf = r.HostConfig.NetworkMode.ConnectedContainer()
		}
		for _, m := range r.Mounts {
			found.Mounts = append(found.Mounts, Mount{Source: m.Source, Destination: m.Destination})
		}
		return found, nil
	})
}

func parseEnv(list []string) map[string]string {
	env := make(map[string]string, len(list))
	for _, entry := range list {
		name, value, _ := strings.Cut(entry, "=")
		env[name] = value
	}
	return env
}

// parseTime returns the zero time for the engine's "0001-01-01T00:00:00Z".
func parseTime(s string) time.Time {
	t, _ := time.Parse(time.RFC3339Nano, s)
	return t
}

func running(state container.ContainerState) bool {
	return state == container.StateRunning || state == container.StatePaused || state == container.StateRestarting
}

// endedLately understands the engine's "Exited (0) 5 seconds ago", whose next unit is
// "About a minute ago". The list has the time in no other form.
func endedLately(status string) bool {
	return strings.HasPrefix(status, "Exited ") && (strings.Contains(status, " second") || strings.Contains(status, "About a minute"))
}

// endedThisHour understands what endedLately does, and "5 minutes ago", whose next unit is
// "About an hour ago".
func endedThisHour(status string) bool {
	return strings.HasPrefix(status, "Exited ") && (strings.Contains(status, " second") || strings.Contains(status, " minute"))
}

// nameOf picks the container's own name; the others, with a second slash, are links
// that other containers have to it.
func nameOf(names []string) string {
	for _, name := range names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

// ImageName splits the reference of an image, as "ghcr.io/acme/web:1.2@sha256:...",
// into its name and its tag. A bare digest has neither.
func ImageName(image string) (name, tag string) {
	if strings.HasPrefix(image, "sha256:") {
		return "", ""
	}
	ref, err := reference.Parse(image)
	if err != nil {
		return image, ""
	}
	if named, ok := ref.(reference.Named); ok {
		name = named.Name()
	}
	if tagged, ok := ref.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	return name, tag
}

// IsNotFound reports that the container does not exist any more.
func IsNotFound(err error) bool { return errdefs.IsNotFound(err) }

// IsUnreadable reports that the container's log driver cannot be read, ever.
func IsUnreadable(err error) bool { return errdefs.IsNotImplemented(err) }

// IsDenied reports that the engine, or a proxy before it, does not answer such requests.
func IsDenied(err error) bool {
	return errdefs.IsPermissionDenied(err) || errdefs.IsUnauthorized(err) || errdefs.IsNotFound(err) || errdefs.IsNotImplemented(err)
}
