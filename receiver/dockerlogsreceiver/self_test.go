// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// Ids of containers, and of other things that have such an id.
var (
	selfOwn    = strings.Repeat("0123456789abcdef", 4)
	selfOther  = strings.Repeat("fedcba9876543210", 4)
	selfVolume = strings.Repeat("77", 32)
)

func TestMountsNameAContainer(t *testing.T) {
	for name, test := range map[string]struct {
		mounts []string
		want   string
	}{
		"no mounts":       {},
		"malformed lines": {mounts: []string{"", "25 1 8:1 /", "no mountinfo at all, though it has words enough"}},
		"docker": {want: selfOwn, mounts: []string{
			"602 463 0:44 / / rw,relatime master:231 - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/A:/var/lib/docker/overlay2/l/B",
			"603 602 0:47 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw",
			"611 602 8:1 /var/lib/docker/containers/" + selfOwn + "/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw",
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
			"613 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw",
		}},
		"docker, its folder a file system of its own": {want: selfOwn, mounts: []string{
			"611 602 253:3 /containers/" + selfOwn + "/resolv.conf /etc/resolv.conf rw,relatime - xfs /dev/mapper/docker rw",
		}},
		"docker, rootless": {want: selfOwn, mounts: []string{
			"611 602 8:1 /home/user/.local/share/docker/containers/" + selfOwn + "/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw",
		}},
		"docker, user namespace": {want: selfOwn, mounts: []string{
			"611 602 8:1 /var/lib/docker/100000.100000/containers/" + selfOwn + "/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw",
		}},
		"docker, one of the files is the user's": {want: selfOwn, mounts: []string{
			"611 602 8:1 /srv/my-hosts /etc/hosts ro,relatime - ext4 /dev/sda1 rw",
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
		"docker, cgroup v2": {want: selfOwn, mounts: []string{
			"602 463 0:44 / / rw,relatime - overlay overlay rw",
			"605 604 0:28 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate,memory_recursiveprot",
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
		"docker, cgroup v1": {want: selfOwn, mounts: []string{
			"606 605 0:31 /docker/" + selfOwn + " /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:15 - cgroup cgroup rw,memory",
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
		"podman": {want: selfOwn, mounts: []string{
			"500 400 0:50 / / rw,relatime - overlay overlay rw",
			"501 500 0:24 /containers/storage/overlay-containers/" + selfOwn + "/userdata/resolv.conf /etc/resolv.conf rw,nosuid,nodev,relatime - tmpfs tmpfs rw",
			"502 500 0:24 /containers/storage/overlay-containers/" + selfOwn + "/userdata/hosts /etc/hosts rw,nosuid,nodev,relatime - tmpfs tmpfs rw",
		}},
		"docker in docker": {want: selfOwn, mounts: []string{
			"611 602 8:1 /var/lib/docker/volumes/" + selfVolume + "/_data/containers/" + selfOwn + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
		"docker in docker, seen by the outer container": {want: selfOwn, mounts: []string{
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
			"620 602 8:1 /var/lib/docker/volumes/" + selfVolume + "/_data /var/lib/docker rw,relatime - ext4 /dev/sda1 rw",
			"700 620 0:60 / /var/lib/docker/overlay2/" + selfOther + "/merged rw,relatime - overlay overlay rw",
			"701 620 0:61 / /var/lib/docker/containers/" + selfOther + "/mounts/shm rw,relatime - tmpfs shm rw",
		}},
		"container with the engine's folders mounted": {want: selfOwn, mounts: []string{
			"610 602 8:1 /var/lib/docker/containers /var/lib/docker/containers ro,relatime - ext4 /dev/sda1 rw",
			"611 602 8:1 /var/lib/docker/containers/" + selfOther + "/hostname /mnt/hostname ro,relatime - ext4 /dev/sda1 rw",
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
		"host with containers": {mounts: []string{
			"25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
			"26 25 0:23 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw",
			"90 25 0:44 / /var/lib/docker/overlay2/" + selfOther + "/merged rw,relatime shared:231 - overlay overlay rw",
			"91 26 0:4 net:[4026532281] /run/docker/netns/0123456789ab rw shared:232 - nsfs nsfs rw",
			"92 25 0:62 / /var/lib/docker/containers/" + selfOther + "/mounts/shm rw,nosuid - tmpfs shm rw",
		}},
		"host, cgroup v2": {mounts: []string{
			"30 24 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw",
		}},
		"host whose resolv.conf is mounted": {mounts: []string{
			"40 25 0:23 /systemd/resolve/stub-resolv.conf /etc/resolv.conf rw,nosuid,nodev - tmpfs tmpfs rw",
		}},
		"pod": {mounts: []string{
			"611 602 8:1 /var/lib/kubelet/pods/7c2c1a86-3c02-4f5e-9f0c-1d0b7a3f2b11/etc-hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw",
		}},
		"id too short": {mounts: []string{
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn[:63] + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
		"id too long": {mounts: []string{
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "0/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
		"another file of the container": {mounts: []string{
			"612 602 8:1 /var/lib/docker/containers/" + selfOwn + "/hostname.bak /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := evidenceOf("", strings.Join(test.mounts, "\n"))
			assert.Equal(t, test.want, e.id)
		})
	}
}

// TestSelfControlGroup holds which control groups name the container that a process runs in.
func TestSelfControlGroup(t *testing.T) {
	for name, test := range map[string]struct {
		groups []string
		want   string
	}{
		"none": {},
		"docker, cgroup v1": {want: selfOwn, groups: []string{
			"12:memory:/docker/" + selfOwn,
			"1:name=systemd:/docker/" + selfOwn,
			"0::/system.slice/containerd.service",
		}},
		"docker, cgroup v1, the container's group comes later": {want: selfOwn, groups: []string{
			"12:rdma:/",
			"11:cpuset:/docker/" + selfOwn,
		}},
		"docker, cgroup v2, systemd":  {want: selfOwn, groups: []string{"0::/system.slice/docker-" + selfOwn + ".scope"}},
		"docker, cgroup v2, cgroupfs": {want: selfOwn, groups: []string{"0::/docker/" + selfOwn}},
		"docker, rootless": {want: selfOwn, groups: []string{
			"0::/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + selfOwn + ".scope",
		}},
		"docker, a parent of its own":   {want: selfOwn, groups: []string{"0::/my.slice/docker-" + selfOwn + ".scope"}},
		"docker in docker":              {want: selfOwn, groups: []string{"0::/docker/" + selfOther + "/docker/" + selfOwn}},
		"podman, cgroupfs":              {want: selfOwn, groups: []string{"0::/libpod_parent/libpod-" + selfOwn}},
		"podman, systemd":               {want: selfOwn, groups: []string{"0::/machine.slice/libpod-" + selfOwn + ".scope"}},
		"podman, a group below":         {want: selfOwn, groups: []string{"0::/machine.slice/libpod-" + selfOwn + ".scope/container"}},
		"in a control group namespace":  {groups: []string{"0::/"}},
		"host":                          {groups: []string{"0::/user.slice/user-1000.slice/session-1.scope"}},
		"the engine itself":             {groups: []string{"0::/system.slice/docker.service"}},
		"a group made in the container": {groups: []string{"0::/docker/" + selfOwn + "/init"}},
		"id too short":                  {groups: []string{"0::/docker/" + selfOwn[:63]}},
		"id too long":                   {groups: []string{"0::/docker/" + selfOwn + "0"}},
		"an id's end":                   {groups: []string{"0::/docker/xx" + selfOwn}},
	} {
		t.Run(name, func(t *testing.T) {
			e := evidenceOf(strings.Join(test.groups, "\n")+"\n", "")
			assert.Equal(t, test.want, e.id)
			assert.Equal(t, test.want != "", e.by == byGroup)
		})
	}
}

func TestOwnEvidence(t *testing.T) {
	e := ownEvidence() // whatever this runs in: an id, or none
	assert.Regexp(t, "^([0-9a-f]{64})?$", e.id)
	if runtime.GOOS == "linux" {
		path, err := e.mountedAt("/proc/self/..") // a link
		require.NoError(t, err)
		assert.Equal(t, "/", path)
		_, err = e.mountedAt(t.TempDir())
		require.ErrorIs(t, err, fs.ErrNotExist)
		_, err = e.mountedAt("/no/such/path")
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
}

func TestSelected(t *testing.T) {
	yes := map[string]string{"io.opentelemetry.docker_logs.enabled": "true"}
	r := &dockerLogs{self: "abc"}
	assert.True(t, r.selected(engine.Summary{ID: "def"}))
	assert.False(t, r.selected(engine.Summary{ID: "abc"}))
	assert.False(t, r.selected(engine.Summary{ID: "abc", Labels: yes}), "a container's label may not make the Collector feed on itself")
	assert.True(t, new(dockerLogs).selected(engine.Summary{ID: "abc"}), "include_self")
}
