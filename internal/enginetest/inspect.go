// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/go-units"
)

// find looks a container up as the engine does: by id, by name, by a prefix of the id that only one has. mu is held.
func (e *Engine) find(name string) (*Container, error) {
	var byPrefix []*Container
	for _, c := range e.containers {
		if c.spec.ID == name || c.spec.Name == strings.TrimPrefix(name, "/") {
			return c, nil
		}
		if name != "" && strings.HasPrefix(c.spec.ID, name) {
			byPrefix = append(byPrefix, c)
		}
	}
	switch {
	case len(byPrefix) == 1:
		return byPrefix[0], nil
	case len(byPrefix) == 0:
		return nil, &statusError{http.StatusNotFound, "No such container: " + name}
	case e.modern:
		return nil, &statusError{http.StatusBadRequest, "multiple IDs found with provided prefix: " + name}
	default:
		return nil, errors.New("Multiple IDs found with provided prefix: " + name) //nolint:staticcheck // the engine's words
	}
}

// inspect serves GET /containers/{name}/json.
func (x *exchange) inspect(name string) error {
	x.engine.mu.Lock()
	c, err := x.engine.find(name)
	if err != nil {
		x.engine.mu.Unlock()
		return err
	}
	x.req.Container = c.spec.ID
	answer := c.details()
	x.engine.mu.Unlock()
	x.json(http.StatusOK, answer)
	return nil
}

// object is a JSON object.
type object map[string]any

// details is what inspect tells of the container. mu is held.
func (c *Container) details() object {
	s := c.spec
	return object{
		"Id":      s.ID,
		"Created": rfc3339(s.Created),
		"Path":    "/app",
		"Args":    []string{},
		"State": object{
			"Status": c.status, "Running": c.running(), "Paused": c.status == statusPaused, "Restarting": c.status == statusRestarting,
			"OOMKilled": false, "Dead": false, "Pid": c.pid, "ExitCode": c.exitCode, "Error": "",
			"StartedAt": rfc3339(c.startedAt), "FinishedAt": rfc3339(c.finishedAt),
		},
		"Image":        s.ImageID,
		"LogPath":      c.logPath(),
		"Name":         "/" + s.Name,
		"RestartCount": 0,
		"Driver":       "overlay2",
		"Platform":     "linux",
		"HostConfig": object{
			"LogConfig":     object{"Type": s.Driver, "Config": orEmpty(s.DriverOpts)},
			"NetworkMode":   s.Network,
			"RestartPolicy": object{"Name": "no", "MaximumRetryCount": 0},
			"AutoRemove":    s.AutoRemove,
		},
		"GraphDriver": c.storage(),
		"Mounts":      c.mounts(),
		"Config": object{
			"Hostname": s.Hostname, "Domainname": "", "User": "", "Tty": s.TTY, "OpenStdin": false, "StdinOnce": false,
			"AttachStdin": false, "AttachStdout": false, "AttachStderr": false,
			"Env": s.Env, "Cmd": []string{"/app"}, "Image": s.Image, "WorkingDir": "", "Labels": orEmpty(s.Labels),
		},
		"NetworkSettings": object{"Networks": object{"none": object{"NetworkID": networkID, "IPAddress": ""}}},
	}
}

// storage is where the root file system is. An engine that has its images in containerd does not tell.
func (c *Container) storage() object {
	if c.spec.UpperDir == "" {
		return object{"Name": "overlayfs", "Data": nil}
	}
	return object{"Name": "overlay2", "Data": object{"UpperDir": c.spec.UpperDir}}
}

// mounts are the volumes and what else is mounted on request, ordered by where.
func (c *Container) mounts() []object {
	list := []object{}
	for _, destination := range slices.Sorted(maps.Keys(c.spec.Mounts)) {
		list = append(list, object{"Type": "bind", "Source": c.spec.Mounts[destination], "Destination": destination, "RW": true})
	}
	return list
}

// logPath is where the json-file driver would have the log; other drivers have no path.
func (c *Container) logPath() string {
	if c.spec.Driver != "json-file" {
		return ""
	}
	return c.logFile()
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// rfc3339 is a time as inspect writes it, year 1 for none.
func rfc3339(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// list serves GET /containers/json, the newest container first.
func (x *exchange) list(string) error {
	values := x.r.URL.Query()
	f, err := parseFilters(values.Get("filters"))
	if err != nil {
		return err
	}
	if err := x.checkListFilters(f); err != nil {
		return err
	}
	_, byStatus := f["status"]
	all := boolValue(values.Get("all")) || byStatus
	e := x.engine
	e.mu.Lock()
	answer := []object{}
	for _, c := range slices.Backward(e.containers) {
		if (all || c.running()) && c.matches(f) {
			answer = append(answer, c.summary(e.Now()))
		}
	}
	e.mu.Unlock()
	if limit, _ := strconv.Atoi(values.Get("limit")); limit > 0 && limit < len(answer) {
		answer = answer[:limit]
	}
	x.json(http.StatusOK, answer)
	return nil
}

// checkListFilters refuses what the engine refuses, and what it knows but this fake does not.
func (x *exchange) checkListFilters(f filters) error {
	invalid := "Invalid filter"
	if x.engine.modern {
		invalid = "invalid filter"
	}
	for key, values := range f {
		switch key {
		case "id", "name", "label":
		case "status":
			for _, v := range values {
				if !slices.Contains([]string{statusCreated, statusRunning, statusPaused, statusRestarting, "removing", statusExited, "dead"}, v) {
					return &statusError{http.StatusBadRequest, fmt.Sprintf("%s 'status=%s'", invalid, v)}
				}
			}
		case "ancestor", "before", "exited", "expose", "health", "is-task", "isolation", "network", "publish", "since", "volume":
			return &statusError{http.StatusNotImplemented, "enginetest does not filter containers by " + key}
		default:
			return &statusError{http.StatusBadRequest, fmt.Sprintf("%s '%s'", invalid, key)}
		}
	}
	return nil
}

// matches reports whether the container passes the filters of a list. mu is held.
func (c *Container) matches(f filters) bool {
	return f.any("id", func(v string) bool { return strings.HasPrefix(c.spec.ID, v) }) &&
		f.any("name", func(v string) bool {
			re, err := regexp.Compile(v)
			return err == nil && (re.MatchString(c.spec.Name) || re.MatchString("/"+c.spec.Name))
		}) &&
		f.labels(c.spec.Labels) &&
		f.any("status", func(v string) bool { return v == c.status })
}

// summary is what a list tells of the container. mu is held.
func (c *Container) summary(now time.Time) object {
	s := c.spec
	return object{
		"Id":              s.ID,
		"Names":           []string{"/" + s.Name},
		"Image":           s.Image,
		"ImageID":         s.ImageID,
		"Command":         "/app",
		"Created":         s.Created.Unix(),
		"Ports":           []object{},
		"Labels":          orEmpty(s.Labels),
		"State":           c.status,
		"Status":          c.statusText(now),
		"HostConfig":      object{"NetworkMode": s.Network},
		"NetworkSettings": object{"Networks": object{"none": object{"NetworkID": networkID, "IPAddress": ""}}},
		"Mounts":          c.mounts(),
	}
}

// statusText is the state in words, the engine's.
func (c *Container) statusText(now time.Time) string {
	since := func(t time.Time) string { return units.HumanDuration(now.Sub(t)) }
	switch c.status {
	case statusRunning:
		return "Up " + since(c.startedAt)
	case statusPaused:
		return "Up " + since(c.startedAt) + " (Paused)"
	case statusRestarting:
		return fmt.Sprintf("Restarting (%d) %s ago", c.exitCode, since(c.finishedAt))
	case statusExited:
		return fmt.Sprintf("Exited (%d) %s ago", c.exitCode, since(c.finishedAt))
	default:
		return "Created"
	}
}
