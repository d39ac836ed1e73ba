// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest

import (
	"cmp"
	"net/http"
	"time"
)

// engineID and engineName are what /info tells of the engine.
const (
	engineID   = "ENGI:NETE:ST00:0000:0000:0000:0000:0000:0000:0000:0000:0001"
	engineName = "enginetest"
	osName     = "Debian GNU/Linux 12 (bookworm)"
	kernel     = "6.1.0"
)

func (x *exchange) ping(string) error {
	h := x.w.Header()
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Pragma", "no-cache")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if x.r.Method == http.MethodHead {
		h.Set("Content-Length", "0")
		x.answer(http.StatusOK, nil)
		return nil
	}
	x.answer(http.StatusOK, []byte("OK"))
	return nil
}

type component struct {
	Name    string
	Version string
	Details map[string]string
}

func (x *exchange) version(string) error {
	e := x.engine
	details := map[string]string{"ApiVersion": e.apiVersion, "MinAPIVersion": e.minAPIVersion, "Os": "linux"}
	x.json(http.StatusOK, struct {
		Platform      struct{ Name string }
		Components    []component
		Version       string
		ApiVersion    string //nolint:revive // the field's name in JSON
		MinAPIVersion string
		GitCommit     string
		GoVersion     string
		Os            string
		Arch          string
		KernelVersion string
	}{
		Platform:      struct{ Name string }{e.platform},
		Components:    []component{{e.component, e.version, details}},
		Version:       e.version,
		ApiVersion:    e.apiVersion,
		MinAPIVersion: e.minAPIVersion,
		GitCommit:     "5d6db84",
		GoVersion:     "go1.19.8",
		Os:            "linux",
		Arch:          "amd64",
		KernelVersion: kernel,
	})
	return nil
}

// info tells as many goroutines and file descriptors as an engine has for what it serves: they are back at the base when
// nothing is open.
func (x *exchange) info(string) error {
	e := x.engine
	e.mu.Lock()
	byState := map[bool]int{}
	paused := 0
	for _, c := range e.containers {
		byState[c.running()]++
		if c.status == statusPaused {
			paused++
		}
	}
	answer := struct {
		ID                string
		Containers        int
		ContainersRunning int
		ContainersPaused  int
		ContainersStopped int
		NFd               int
		NGoroutines       int
		SystemTime        string
		LoggingDriver     string
		NEventsListener   int
		KernelVersion     string
		OperatingSystem   string
		OSVersion         string
		OSType            string
		Architecture      string
		NCPU              int
		Name              string
		Labels            []string
		ServerVersion     string
		DockerRootDir     string
	}{
		ID: engineID, Name: cmp.Or(e.hostName, engineName), ServerVersion: e.version, DockerRootDir: e.dataRoot,
		Containers: len(e.containers), ContainersRunning: byState[true] - paused, ContainersPaused: paused, ContainersStopped: byState[false],
		NFd: 24 + e.open, NGoroutines: 40 + 2*e.open + 2*e.follows,
		SystemTime: e.Now().UTC().Format(time.RFC3339Nano), NEventsListener: len(e.subscribers),
		LoggingDriver: "json-file", KernelVersion: kernel, OperatingSystem: osName, OSVersion: "12", OSType: "linux",
		Architecture: "x86_64", NCPU: 2, Labels: []string{},
	}
	e.mu.Unlock()
	x.json(http.StatusOK, answer)
	return nil
}
