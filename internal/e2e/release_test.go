// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
)

// The tests of what `make release` has made, which `make test-packages` runs.

// released finds a file of dist/release. Without one the test is skipped, or fails where DOCKERLOGS_REQUIRE_PACKAGES is 1.
func released(t testing.TB, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "dist/release", pattern))
	require.NoError(t, err)
	if len(files) == 1 {
		path, err := filepath.Abs(files[0])
		require.NoError(t, err)
		return path
	}
	missing(t, "no "+pattern+" in dist/release: run make release")
	return ""
}

func missing(t testing.TB, message string) {
	t.Helper()
	if os.Getenv("DOCKERLOGS_REQUIRE_PACKAGES") == "1" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// system is a copy of a root file system that make engines has brought, to install packages in.
type system struct{ root string }

func newSystem(t testing.TB, name string) system {
	t.Helper()
	if os.Geteuid() != 0 {
		missing(t, "only root can install packages")
	}
	from, err := dockerd.Rootfs(name)
	if err != nil {
		missing(t, "run make engines ENGINES="+name+": "+err.Error())
	}
	s := system{root: filepath.Join(t.TempDir(), name)}
	output, err := exec.Command("cp", "-a", from, s.root).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return s
}

// command runs in the system, with its own /proc, and with no service manager.
func (s system) command(args ...string) *exec.Cmd {
	script := `mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && if [ -n "$SOCKET" ]; then touch "$1/run/docker.sock" && mount --bind "$SOCKET" "$1/run/docker.sock"; fi && root=$1 && shift && exec chroot "$root" "$@"`
	cmd := exec.Command("unshare", append([]string{"--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", s.root}, args...)...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C"}
	return cmd
}

func (s system) run(t testing.TB, args ...string) string {
	t.Helper()
	output, err := s.command(args...).CombinedOutput()
	require.NoError(t, err, "%v: %s", args, output)
	return string(output)
}

// add puts a file of this machine into the system's /tmp.
func (s system) add(t testing.TB, path string) string {
	t.Helper()
	output, err := exec.Command("cp", path, filepath.Join(s.root, "tmp")).CombinedOutput()
	require.NoError(t, err, "%s", output)
	return "/tmp/" + filepath.Base(path)
}

func (s system) read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.root, path))
	require.NoError(t, err)
	return string(text)
}

func (s system) write(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(s.root, path), []byte(text), 0o600)) // keeps the mode of what is there
}

const (
	packageName   = "otelcol-dockerlogs"
	packageConfig = "/etc/otelcol-dockerlogs/config.yaml"
	packageState  = "/var/lib/otelcol-dockerlogs"
)

// installed checks what every package does with a system, one without a service manager too.
func (s system) installed(t testing.TB) {
	t.Helper()
	assert.Equal(t, "root:otelcol-dockerlogs:640\n", s.run(t, "stat", "-c", "%U:%G:%a", packageConfig), "for the service, and no other user")
	assert.NotContains(t, s.run(t, "getent", "passwd", packageName), "/bin/sh", "nobody logs in")
	assert.Regexp(t, `^otelcol-dockerlogs version \d`, s.run(t, packageName, "--version"))
	asService := []string{"setpriv", "--reuid", packageName, "--regid", packageName, "--clear-groups"}
	s.run(t, append(asService, packageName, "validate", "--config="+packageConfig)...)
	assert.Contains(t, s.read(t, "/usr/lib/systemd/system/otelcol-dockerlogs.service"), "\nExecStart=/usr/bin/otelcol-dockerlogs ")
	_, err := os.Stat(filepath.Join(s.root, "etc/systemd/system/multi-user.target.wants/otelcol-dockerlogs.service"))
	assert.ErrorIs(t, err, os.ErrNotExist, "the configuration names a backend that does not exist, so it is not started")
}

// nextPackage is the package with a higher version and another configuration.
func nextPackage(t testing.TB, deb, version string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "package")
	sh := func(args ...string) {
		output, err := exec.Command(args[0], args[1:]...).CombinedOutput()
		require.NoError(t, err, "%v: %s", args, output)
	}
	sh("dpkg-deb", "-R", deb, dir)
	sh("sed", "-i", "s/^Version: .*/Version: "+version+"/", dir+"/DEBIAN/control")
	sh("sed", "-i", "1i # of "+version, dir+packageConfig)
	next := filepath.Join(t.TempDir(), "otelcol-dockerlogs_"+version+".deb")
	sh("dpkg-deb", "-Znone", "-b", dir, next)
	return next
}

// TestReleaseDeb installs, upgrades, removes and purges the .deb: in a Debian that has neither systemd nor an engine, and in one
// that has both.
func TestReleaseDeb(t *testing.T) {
	needTool(t, "dpkg-deb", "dpkg", "DOCKERLOGS_REQUIRE_PACKAGES")
	deb := released(t, "*_"+runtime.GOARCH+".deb")
	next := nextPackage(t, deb, "1000.0.0")
	last := nextPackage(t, deb, "1000.0.1")
	for _, debian := range []string{"debian-12", "docker-28.5"} {
		t.Run(debian, func(t *testing.T) {
			s := newSystem(t, debian)
			before := s.run(t, "getent", "passwd")
			assert.Contains(t, s.run(t, "dpkg", "-i", s.add(t, deb)), "not started")
			s.installed(t)
			s.run(t, "setpriv", "--reuid", "0", "--clear-groups", "sh", "-c", "mkdir "+packageState+" && chown "+packageName+" "+packageState+" && touch "+packageState+"/position")

			assert.NotContains(t, s.run(t, "dpkg", "-i", s.add(t, next)), "not started", "an upgrade is no first installation")
			s.installed(t)
			assert.Contains(t, s.read(t, packageConfig), "# of 1000.0.0\n", "one that nobody has edited is upgraded")

			mine := strings.Replace(s.read(t, packageConfig), "backend.example.com", "backend.internal", 1)
			s.write(t, packageConfig, mine)
			s.run(t, "dpkg", "--force-confdef", "--force-confold", "-i", s.add(t, last)) // as apt-get without a terminal
			s.installed(t)
			assert.Equal(t, mine, s.read(t, packageConfig), "one that somebody has edited is kept")
			assert.Contains(t, s.read(t, packageConfig+".dpkg-dist"), "# of 1000.0.1\n", "and the new one is beside it")

			s.run(t, "dpkg", "-r", packageName)
			assert.Equal(t, mine, s.read(t, packageConfig), "a removal keeps the configuration")
			assert.FileExists(t, s.root+packageState+"/position", "and the state")
			assert.NoFileExists(t, s.root+"/usr/bin/otelcol-dockerlogs")
			s.run(t, "getent", "passwd", packageName) // the state is its

			s.run(t, "dpkg", "-i", s.add(t, last))
			assert.Equal(t, mine, s.read(t, packageConfig), "and an installation takes it up again")
			s.run(t, "dpkg", "-P", packageName)
			assert.Equal(t, before, s.run(t, "getent", "passwd"))
			left := s.run(t, "find", "/", "-xdev", "-path", "/tmp", "-prune", "-o", "-name", "*"+packageName+"*", "-print")
			assert.Empty(t, left, "a purge leaves nothing")
		})
	}
}

// TestReleaseRPM installs the .rpm in a Debian that has rpm, over itself, and removes it.
func TestReleaseRPM(t *testing.T) {
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	s := newSystem(t, "debian-12")
	rpm := s.add(t, released(t, "*."+arch+".rpm"))
	assert.Contains(t, s.run(t, "rpm", "-i", "--nodeps", rpm), "not started")
	s.installed(t)
	mine := strings.Replace(s.read(t, packageConfig), "backend.example.com", "backend.internal", 1)
	s.write(t, packageConfig, mine)
	s.run(t, "rpm", "-U", "--nodeps", "--replacepkgs", rpm)
	s.installed(t)
	assert.Equal(t, mine, s.read(t, packageConfig))
	s.run(t, "rpm", "-e", "--nodeps", packageName)
	assert.NoFileExists(t, s.root+"/usr/bin/otelcol-dockerlogs")
	assert.Equal(t, mine, s.read(t, packageConfig+".rpmsave"))
}

// TestReleaseForeign runs what was built for another processor, in an emulator.
func TestReleaseForeign(t *testing.T) {
	for id, emulator := range map[string]string{"linux_arm64": "qemu-aarch64-static", "linux_armv7": "qemu-arm-static"} {
		t.Run(id, func(t *testing.T) {
			path := filepath.Join(root, "dist/build", id, packageName)
			if _, err := os.Stat(path); err != nil {
				t.Skip("not built: ", err)
			}
			needTool(t, emulator, "qemu-user-static", "DOCKERLOGS_REQUIRE_PACKAGES")
			output, err := exec.Command(emulator, path, "--version").CombinedOutput()
			require.NoError(t, err, "%s", output)
			assert.Contains(t, string(output), " linux/"+strings.TrimSuffix(strings.TrimPrefix(id, "linux_"), "v7")+"\n")
			output, err = exec.Command(emulator, path, "validate", "--config="+filepath.Join(deploy, "systemd/config.yaml")).CombinedOutput()
			require.NoError(t, err, "%s", output)
		})
	}
}
