// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// sharedMounts is the mountinfo of a container that shares the network of selfOther, with
// the path of the engine's socket mounted and, if it is not "", the upper directory.
func sharedMounts(upper string) string {
	options := "rw"
	if upper != "" {
		options = "rw,lowerdir=/l/A:/l/B,upperdir=" + upper + ",workdir=/w"
	}
	folder := "/var/lib/docker/containers/" + selfOther
	return strings.Join([]string{
		"602 463 0:44 / / rw,relatime master:231 - overlay overlay " + options,
		"611 602 8:1 " + folder + "/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw",
		"612 602 8:1 " + folder + "/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw",
		"613 602 8:1 " + folder + "/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw",
		"614 602 0:23 /docker.sock /run/docker.sock rw,relatime - tmpfs tmpfs rw",
		`615 602 8:1 /srv/with\040space /data\040here rw,relatime - ext4 /dev/sda1 rw`,
	}, "\n")
}

// links resolves paths as in an image where /var/run is a link to /run.
func links(path string) (string, error) {
	switch {
	case strings.HasPrefix(path, "/missing/"):
		return "", fs.ErrNotExist
	case strings.HasPrefix(path, "/secret/"):
		return "", fs.ErrPermission
	}
	return strings.Replace(path, "/var/run/", "/run/", 1), nil
}

// TestTell holds which of the containers that share a network is taken for our own. Where
// that is not sure it is none, so that no other is left out.
func TestTell(t *testing.T) {
	const upper = "/var/lib/docker/overlay2/11aa/diff"
	socket := engine.Mount{Source: "/var/run/docker.sock", Destination: "/var/run/docker.sock"}
	candidate := func(name, upper string, mounts ...engine.Mount) engine.Container {
		return engine.Container{Summary: engine.Summary{Name: name}, UpperDir: upper, Mounts: mounts}
	}
	mount := func(source, destination string) engine.Mount {
		return engine.Mount{Source: source, Destination: destination}
	}
	for name, test := range map[string]struct {
		upper      string // of our root file system
		candidates []engine.Container
		want       string // names of those that are left
		by         string
	}{
		"root file system": {
			upper: upper, want: "own", by: byRoot,
			candidates: []engine.Container{candidate("other", "/var/lib/docker/overlay2/22bb/diff"), candidate("own", upper)},
		},
		"root file system, as a relative path": {
			upper: "11aa/diff", want: "own", by: byRoot,
			candidates: []engine.Container{candidate("other", "/var/lib/docker/overlay2/2211aa/diff"), candidate("own", upper)},
		},
		"root file system of none": {
			upper: upper, by: byMounts,
			candidates: []engine.Container{candidate("other", "/var/lib/docker/overlay2/22bb/diff"), candidate("third", "/var/lib/docker/overlay2/33cc/diff")},
		},
		"the only one, but another root file system": {
			upper: upper, by: byFiles,
			candidates: []engine.Container{candidate("other", "/var/lib/docker/overlay2/22bb/diff")},
		},
		"the only one": {want: "own", by: byFiles, candidates: []engine.Container{candidate("own", "")}},
		"the engine does not tell": {
			upper: "/var/lib/containerd/fs", want: "own", by: byMounts,
			candidates: []engine.Container{candidate("other", ""), candidate("own", "", socket)},
		},
		"the other has a mount that we have not": {
			want: "own", by: byMounts,
			candidates: []engine.Container{candidate("other", "", mount("/srv", "/missing/srv")), candidate("own", "")},
		},
		"the other has the socket, and so have we": {
			want: "other own", by: byMounts,
			candidates: []engine.Container{candidate("other", "", socket), candidate("own", "", socket)},
		},
		"another thing in the same place": {
			want: "own", by: byMounts,
			candidates: []engine.Container{candidate("other", "", mount("/srv/x.sock", "/run/docker.sock")), candidate("own", "", socket)},
		},
		"in the place of the engine's file": {
			want: "other own", by: byMounts,
			candidates: []engine.Container{candidate("other", "", mount("/srv/hosts", "/etc/hosts")), candidate("own", "")},
		},
		"a path with a space": {
			want: "own", by: byMounts,
			candidates: []engine.Container{candidate("other", ""), candidate("own", "", mount("/srv/with space", "/data here"))},
		},
		"a path that we may not see": {
			want: "other own", by: byMounts,
			candidates: []engine.Container{candidate("other", "", mount("/x", "/secret/x")), candidate("own", "")},
		},
		"two of the same image": {
			want: "own-1 own-2", by: byMounts,
			candidates: []engine.Container{candidate("other", ""), candidate("own-1", "", socket), candidate("own-2", "", socket)},
		},
		"nothing tells": {
			want: "other own", by: byMounts,
			candidates: []engine.Container{candidate("other", ""), candidate("own", "")},
		},
		"none": {by: byMounts},
	} {
		t.Run(name, func(t *testing.T) {
			e := evidenceOf("", sharedMounts(test.upper))
			e.resolve = links
			left, by := e.tell(test.candidates)
			var names []string
			for _, c := range left {
				names = append(names, c.Name)
			}
			assert.Equal(t, test.want, strings.Join(names, " "))
			assert.Equal(t, test.by, by)
		})
	}
}

// TestCandidates holds which containers we may run in, by whose files we have.
func TestCandidates(t *testing.T) {
	list := []engine.Summary{
		{ID: "third", Name: "c", NetworkOf: "second"},
		{ID: "second", Name: "b", NetworkOf: "a"}, // by its name
		{ID: "first", Name: "a"},
		{ID: "else", Name: "d"},
		{ID: "elsewhere", Name: "", NetworkOf: "else"},
		{ID: "nameless"},
	}
	for name, test := range map[string]struct {
		e    evidence
		want string
	}{
		"shared by others":          {evidence{id: "first", by: byFiles}, "c b a"},
		"in the middle":             {evidence{id: "second", by: byFiles}, "c b"},
		"not shared":                {evidence{id: "third", by: byFiles}, "c"},
		"named by its own group":    {evidence{id: "first", by: byGroup}, "a"},
		"named by Podman's file":    {evidence{id: "first", by: byEnvFile}, "a"},
		"another engine's":          {evidence{id: "unknown", by: byFiles}, ""},
		"another engine's, by name": {evidence{id: "unknown", by: byGroup}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var names []string
			for _, c := range test.e.candidates(list) {
				names = append(names, c.Name)
			}
			assert.Equal(t, test.want, strings.Join(names, " "))
		})
	}
}

// TestEvidenceOfEngines reads what real engines show in a container that shares the network
// of another, in a control group namespace of its own. Its socket is mounted there.
func TestEvidenceOfEngines(t *testing.T) {
	for file, test := range map[string]struct {
		of     string // the other
		upper  string // of our own, as the engine's inspection tells it
		socket string
		by     string
	}{
		"docker-20.10-overlay2": {
			of:    "7e246b7f38d7dc8be82c1b270f30f61586c7985715037a5eb8a5203ab8a97fb8",
			upper: "/tmp/dl3704071503/data/overlay2/cb3ded5d8b485d9279fc26f9697fbda5e799fed7cfcbd78d6e0021992356e44d/diff",
			by:    byRoot, socket: "/tmp/dl3704071503/docker.sock",
		},
		"docker-28.5-overlay2": {
			of:    "86d9be1d432c6db88370eb57b2af990bc994e60d28c20af958c36ccbcf14740c",
			upper: "/tmp/dl186323628/data/overlay2/1f7671f307c79ca67fa254ec0b0934bf3ad2fdc1981940e4dd5d5de93e1a0583/diff",
			by:    byRoot, socket: "/tmp/dl186323628/docker.sock",
		},
		"docker-28.5-overlayfs": { // images in containerd
			of: "3a921748a14cfdb9bbeb697cb50e60d2447f7bea79c6ed0062c6c504609eea54",
			by: byMounts, socket: "/tmp/dl3569384909/docker.sock",
		},
		"docker-28.5-vfs": {
			of: "89a15a921e24e9b585eeebd1e3a43ad82db4a44396d3c5c61acf9b68a0bafa77",
			by: byMounts, socket: "/tmp/dl2476894588/docker.sock",
		},
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "self", file+".mountinfo"))
			require.NoError(t, err)
			e := evidenceOf("", string(text))
			e.resolve = func(path string) (string, error) { return path, nil }
			assert.Equal(t, test.of, e.id)
			assert.Equal(t, byFiles, e.by)
			other := engine.Container{Summary: engine.Summary{Name: "other"}}
			own := engine.Container{
				Summary: engine.Summary{Name: "own"}, UpperDir: test.upper,
				Mounts: []engine.Mount{{Source: test.socket, Destination: "/var/run/docker.sock"}},
			}
			if test.upper != "" {
				other.UpperDir = strings.Replace(test.upper, "/diff", "0/diff", 1)
			}
			left, by := e.tell([]engine.Container{other, own})
			require.Len(t, left, 1)
			assert.Equal(t, "own", left[0].Name)
			assert.Equal(t, test.by, by)
		})
	}
}

// TestEvidenceOfPodman: its file .containerenv is our own container's, whatever we share.
func TestEvidenceOfPodman(t *testing.T) {
	for file, id := range map[string]string{
		"podman-4.3-vfs": "c6170cf6d990f91de59ac124ae666e387d20db5f20df473e81ed0f05cd23c7e8",
		"podman-5-vfs":   "048aacbf0c22a4a58a85421aff3f401b6c1a0d447be616a0929c59e60bb837d5",
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "self", file+".mountinfo"))
			require.NoError(t, err)
			for _, other := range []string{"", "1 1 8:1 /containers/" + selfOther + "/userdata/hosts /etc/hosts rw - ext4 /dev/sda1 rw\n"} {
				for _, mountinfo := range []string{other + string(text), string(text) + other} {
					e := evidenceOf("0::/", mountinfo)
					assert.Equal(t, id, e.id)
					assert.Equal(t, byEnvFile, e.by)
				}
			}
		})
	}
}

func TestOwnContainerIsLeftOut(t *testing.T) {
	for name, includeSelf := range map[string]bool{"left out": false, "include_self": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				self, web := f.container("collector"), f.container("web")
				f.cfg.IncludeSelf = includeSelf
				f.r.ownEvidence = func() evidence { return evidence{id: self.ID(), by: byGroup} }
				f.start()
				if includeSelf {
					f.following(2)
					write(self, 1, 1)
					f.expect("line 1")
					assert.Empty(t, f.messages())
					return
				}
				f.following(1)
				write(self, 1, 1)
				self.Restart()
				write(self, 2, 2)
				write(web, 3, 3)
				f.expect("line 3")
				f.pass(5 * time.Minute)
				f.expect("line 3")
				said := f.logs.FilterMessageSnippet("this container is not captured").All()
				require.Len(t, said, 1)
				assert.Equal(t, zap.InfoLevel, said[0].Level)
				fields := said[0].ContextMap()
				assert.Equal(t, "collector", fields["container.name"])
				assert.Equal(t, self.ID(), fields["container.id"])
				assert.Equal(t, byGroup, fields["recognised_by"])
			})
		})
	}
}

// TestSharedNetwork has the Collector in a container that shares the network of web, whose
// files it has mounted.
func TestSharedNetwork(t *testing.T) {
	socket := map[string]string{"/run/docker.sock": "/run/docker.sock"}
	for name, test := range map[string]struct {
		web, own enginetest.ContainerSpec
		left     string // who is left out
		says     string
	}{
		"told by the root file system": {
			web: enginetest.ContainerSpec{UpperDir: "/overlay2/22bb/diff"}, own: enginetest.ContainerSpec{UpperDir: "/overlay2/11aa/diff"},
			left: "own", says: "this container is not captured",
		},
		"told by the mounts": {own: enginetest.ContainerSpec{Mounts: socket}, left: "own", says: "this container is not captured"},
		"not told":           {says: "which cannot be told"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				test.web.ID, test.web.Name, test.web.Running = selfOther, "web", true
				web := f.engine.Add(test.web)
				test.own.ID, test.own.Name, test.own.Running, test.own.Network = selfOwn, "own", true, "container:"+selfOther
				own := f.engine.Add(test.own)
				ended := f.engine.Add(enginetest.ContainerSpec{Name: "ended", Network: "container:" + selfOther, Mounts: test.own.Mounts})
				f.r.ownEvidence = func() evidence {
					e := evidenceOf("0::/", sharedMounts("/overlay2/11aa/diff"))
					e.resolve = links
					return e
				}
				f.start()
				f.pass(time.Minute)
				assert.Equal(t, 1, f.logs.FilterMessageSnippet(test.says).Len(), f.messages())
				assert.Len(t, f.messages(), 1)
				for _, c := range []*enginetest.Container{web, own} {
					c.Write(stdout, "of "+c.Name()+"\n")
				}
				f.pass(time.Minute)
				want := map[string]int{"web": 1, "own": 1}
				delete(want, test.left)
				assert.Equal(t, want["web"], len(f.sink.Of("web")))
				assert.Equal(t, want["own"], len(f.sink.Of("own")))
				assert.Empty(t, f.sink.Of(ended.Name()))
			})
		})
	}
}

// TestOwnContainerOfAnotherEngine: nothing is left out, and that is said too.
func TestOwnContainerOfAnotherEngine(t *testing.T) {
	inBubble(t, func(f *fixture) {
		web := f.container("web")
		f.r.ownEvidence = func() evidence { return evidence{id: selfOwn, by: byGroup} }
		f.start()
		write(web, 1, 1)
		f.expectLines(1, 1)
		assert.Equal(t, 1, f.logged(zap.InfoLevel, "none of this engine's"))
		for range 3 {
			f.engine.CutEvents()
			f.pass(time.Minute)
		}
		assert.Equal(t, 1, f.logged(zap.InfoLevel, "none of this engine's"), "once")
	})
}

// TestOwnContainerIsSoughtUntilTheEngineAnswers: until then nothing is captured.
func TestOwnContainerIsSoughtUntilTheEngineAnswers(t *testing.T) {
	inBubble(t, func(f *fixture) {
		self, web := f.container("collector"), f.container("web")
		f.r.ownEvidence = func() evidence { return evidence{id: self.ID(), by: byFiles} }
		f.engine.Down()
		f.start()
		f.pass(time.Minute)
		f.engine.Up()
		f.following(1)
		write(self, 1, 1)
		write(web, 2, 2)
		f.expect("line 2")
		assert.Equal(t, self.ID(), f.r.self)
	})
}
