// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"os"
	"regexp"
	"strings"
)

// containerFile is a file that the engine mounts into every container from a
// folder that bears the container's id.
var containerFile = regexp.MustCompile(`/([0-9a-f]{64})(?:/userdata)?/(?:hostname|hosts|resolv\.conf)$`)

// containerGroup ends the control group of a container, as in /docker/ID,
// /system.slice/docker-ID.scope or /libpod_parent/libpod-ID.
var containerGroup = regexp.MustCompile(`(?m)[/-]([0-9a-f]{64})(?:\.scope)?(?:/container)?$`)

// selfID returns the id of the container that this process runs in, "" if none. It
// reads /proc, not the host name, which anybody may set.
//
// The control group comes first: a container that shares the network of another has
// the other's files. In a control group namespace it does not show the id.
func selfID() string {
	if groups, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		if match := containerGroup.FindSubmatch(groups); match != nil {
			return string(match[1])
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	return idFromMounts(string(mounts))
}

// idFromMounts looks through a mountinfo (see proc(5)): the fourth field is the
// path within the file system mounted, the fifth where it is mounted. Outside a
// container nothing is mounted on these paths.
func idFromMounts(mounts string) string {
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		switch fields[4] {
		case "/etc/hostname", "/etc/hosts", "/etc/resolv.conf":
			if match := containerFile.FindStringSubmatch(fields[3]); match != nil {
				return match[1]
			}
		}
	}
	return ""
}
