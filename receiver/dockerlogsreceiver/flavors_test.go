// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// One life of a container, on each kind of engine.
func TestEngineFlavors(t *testing.T) {
	flavors := map[string]enginetest.Option{
		"20.10": enginetest.Docker20(), "26": enginetest.Docker26(), "29": enginetest.Docker29(), "podman 4": enginetest.Podman4(), "podman 5": enginetest.Podman5(),
	}
	for name, flavor := range flavors {
		for _, tty := range []bool{false, true} {
			test := name
			if tty {
				test += " tty"
			}
			t.Run(test, func(t *testing.T) {
				inBubble(t, func(f *fixture) {
					c := f.engine.Add(enginetest.ContainerSpec{Name: "web", Running: true, TTY: tty})
					f.start()
					f.pass(time.Second)
					c.Write(stdout, "first\n\n")
					long := strings.Repeat("0123456789abcdef", 5000)
					f.pass(2 * time.Second)
					c.Write(stdout, long+"\n")
					want := []string{"first", "", long}
					f.expect(want...)
					c.CutFollows()
					f.pass(2 * time.Second)
					c.Write(stdout, "second\n")
					want = append(want, "second")
					f.expect(want...)
					if tty && strings.HasPrefix(name, "podman") {
						return // its times do not tell where a run ended
					}
					f.pass(2 * time.Second)
					c.Write(stdout, "last words")
					c.Stop(0)
					want = append(want, "last words")
					f.expect(want...)
					f.pass(2 * time.Second)
					c.Start()
					c.Write(stdout, "again\n")
					want = append(want, "again")
					f.expect(want...)
				}, flavor)
			})
		}
	}
}

func TestEqualLinesInOneSecondOfPodman(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		f.start()
		f.pass(time.Second)
		second := time.Now().Truncate(time.Second)
		c.WriteAt(second, stdout, "tick\ntick\ntick\nother\n")
		f.expect("tick", "tick", "tick", "other")
		c.CutFollows()
		c.WriteAt(second, stdout, "tick\nother\n")
		f.expect("tick", "tick", "tick", "other", "tick", "other")
		c.CutFollows()
		f.pass(time.Minute)
		f.expect("tick", "tick", "tick", "other", "tick", "other")
		assert.Zero(t, f.metric("gaps"))
	}, enginetest.Podman4())
}

// Podman 5 has a time for all that it reads at once, which ends in the middle of a line.
func TestLinesOfOneReadOfPodman(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.container("web")
		f.start()
		f.pass(time.Second)
		read := time.Now()
		c.WriteAt(read, stdout, "tick\ntick\n")
		c.WriteChunk(read, stdout, "beg", false)
		c.WriteChunk(read.Add(time.Microsecond), stderr, "other\n", false)
		c.WriteChunk(read.Add(time.Millisecond), stdout, "un", true)
		c.WriteAt(read.Add(time.Millisecond), stdout, "tick\ntick\ntick\n")
		want := []string{"tick", "tick", "other", "begun", "tick", "tick", "tick"}
		f.expect(want...)
		c.CutFollows()
		f.pass(time.Minute)
		f.expect(want...)
		assert.Zero(t, f.metric("gaps"))
	}, enginetest.Podman5())
}

func TestLinesThatAreNotUTF8(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		c.Write(stdout, "caf\xe9\n")
		f.expect("caf\xe9")
	})
}
