// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// How the container that we run in was recognised, as the log says it.
const (
	byGroup   = "its control group"
	byEnvFile = "Podman's file .containerenv"
	byFiles   = "the files that the engine mounts into it"
	byRoot    = "its root file system"
	byMounts  = "what is mounted into it"
)

// containerFile is a file that the engine mounts into a container from a folder that bears
// the container's id. It may have been removed together with that folder.
var containerFile = regexp.MustCompile(`/([0-9a-f]{64})(?:/userdata)?/(?:hostname|hosts|resolv\.conf|(?:run/)?\.containerenv)(?://deleted)?$`)

// containerGroup ends the control group of a container, as in /docker/ID,
// /system.slice/docker-ID.scope or /libpod_parent/libpod-ID.
var containerGroup = regexp.MustCompile(`(?m)[/-]([0-9a-f]{64})(?:\.scope)?(?:/container)?$`)

// evidence is what the kernel tells of the container that this process runs in. The host
// name tells nothing: anybody may set it.
type evidence struct {
	id string // "" outside of a container
	by string // what names it
	// upper is the upper directory of the root file system, where that is an overlay.
	upper string
	// mounts has, by mount point, the path within the file system that is mounted there.
	mounts map[string]string
	// resolve follows the symbolic links in a path of ours.
	resolve func(path string) (string, error)
}

// ownEvidence reads /proc.
func ownEvidence() evidence {
	groups, _ := os.ReadFile("/proc/self/cgroup") // elsewhere than on Linux there is none
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	return evidenceOf(string(groups), string(mounts))
}

// evidenceOf reads the contents of a cgroup and a mountinfo, see cgroups(7) and proc(5).
func evidenceOf(groups, mountinfo string) evidence {
	e := evidence{mounts: make(map[string]string), resolve: filepath.EvalSymlinks}
	for line := range strings.Lines(mountinfo) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		path, point := unescape.Replace(fields[3]), unescape.Replace(fields[4])
		e.mounts[point] = path
		switch point {
		case "/":
			e.upper = upperOf(fields[len(fields)-1])
		case "/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv":
			// Outside of a container nothing is mounted there from such a folder.
			if match := containerFile.FindStringSubmatch(path); match != nil && e.by != byEnvFile {
				e.id, e.by = match[1], byFiles
				if point == "/run/.containerenv" {
					e.by = byEnvFile
				}
			}
		}
	}
	// In a control group namespace there is no id in it.
	if match := containerGroup.FindStringSubmatch(groups); match != nil {
		e.id, e.by = match[1], byGroup
	}
	return e
}

// unescape undoes what mountinfo writes for the characters that would part its fields.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// upperOf returns the upper directory among the options of an overlay. One that is written
// with escapes is left out: it could not be compared.
func upperOf(options string) string {
	for option := range strings.SplitSeq(options, ",") {
		if upper, ok := strings.CutPrefix(option, "upperdir="); ok && !strings.Contains(upper, `\`) {
			return upper
		}
	}
	return ""
}

// findSelf finds out, once, which of the engine's containers we run in, so that it is left
// out. Where that remains open all are captured: another one must not be left out for it.
func (o *owner) findSelf(ctx context.Context) error {
	e := o.r.evidence
	if e.id == "" || o.sought {
		return nil
	}
	list, err := o.r.engine.List(ctx)
	if err != nil {
		return err
	}
	var running []engine.Container
	var names []string
	for _, candidate := range e.candidates(list) {
		// While a container is being started, an inspection waits for the end of that.
		details, err := o.r.engine.Inspect(ctx, candidate.ID)
		switch {
		case engine.IsNotFound(err):
		case err != nil:
			return err
		case details.Running:
			running, names = append(running, details), append(names, details.Name)
		}
	}
	o.sought = true
	found, by := e.tell(running)
	log := o.r.set.Logger
	switch {
	case len(running) == 0:
		log.Info("the container that the Collector runs in is none of this engine's; none is left out", zap.String("container.id", e.id))
	case len(found) == 1:
		o.r.self = found[0].ID
		log.Info("this container is not captured, since the Collector runs in it", zap.String("container.id", o.r.self),
			zap.String("container.name", found[0].Name), zap.String("recognised_by", by), zap.String("otherwise", "set include_self: true"))
	default:
		log.Warn("the Collector runs in one of these containers, and which cannot be told; all are captured",
			zap.Strings("container.names", names), zap.String("remedy", remedySelf))
	}
	return nil
}

// candidates are those of the engine's containers that we may run in. A container that
// shares the network of another, or of one that does, has the other's files mounted.
func (e evidence) candidates(list []engine.Summary) []engine.Summary {
	of := map[string]bool{e.id: true} // by id, and by name
	for before := 0; before < len(of) && e.by == byFiles; {
		before = len(of)
		for _, c := range list {
			if of[c.ID] || (c.NetworkOf != "" && of[c.NetworkOf]) {
				of[c.ID], of[c.Name] = true, true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(list), func(c engine.Summary) bool { return !of[c.ID] })
}

// tell returns those of the candidates that we can run in, and what told them from the
// others.
func (e evidence) tell(candidates []engine.Container) (left []engine.Container, by string) {
	if e.by != byFiles {
		return candidates, e.by
	}
	for _, c := range candidates {
		if e.upper != "" && (c.UpperDir == e.upper || strings.HasSuffix(c.UpperDir, "/"+e.upper)) {
			return []engine.Container{c}, byRoot
		}
	}
	var all []engine.Mount
	for _, c := range candidates {
		all = append(all, c.Mounts...)
	}
	for _, c := range candidates {
		if (e.upper == "" || c.UpperDir == "") && !e.contradict(c, all) {
			left = append(left, c)
		}
	}
	if len(candidates) == 1 {
		return left, e.by
	}
	return left, byMounts
}

// contradict reports whether our mounts are not those of a container. all are the mounts of
// all candidates: what another has and we have, the container must have too.
func (e evidence) contradict(c engine.Container, all []engine.Mount) bool {
	for _, m := range all {
		has := slices.Contains(c.Mounts, m)
		path, err := e.mountedAt(m.Destination)
		switch {
		case has && errors.Is(err, fs.ErrNotExist):
			return true
		case !has && err == nil && path != "/" && strings.HasSuffix(m.Source, path):
			return true
		}
	}
	return false
}

// mountedAt returns the path within its file system of what is mounted at a path of ours.
// The error is fs.ErrNotExist if nothing is; any other means that this cannot be told.
func (e evidence) mountedAt(path string) (string, error) {
	point, err := e.resolve(path)
	if err != nil {
		return "", err
	}
	if root, ok := e.mounts[point]; ok {
		return root, nil
	}
	return "", fs.ErrNotExist
}
