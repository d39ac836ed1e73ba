// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// fixedGoroutines are those that are there however few containers there are: the
// owner loop, the outbox, the subscription, that of the API client for events, and two for
// each of the two connections of the transport that are not follows.
const fixedGoroutines = 4 + 2*2

func TestGoroutinesOfFollowedContainers(t *testing.T) {
	const containers = 100
	f := newFixture(t)
	endpoint := f.engine.Listen(t)
	f.r.configureDial = func(c *engine.Config) { c.Endpoint = endpoint }
	for i := range containers {
		f.engine.Add(enginetest.ContainerSpec{Name: fmt.Sprint("c", i), Running: true})
	}
	f.start()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	require.NoError(t, f.engine.WaitFollows(ctx, containers))
	// Connections that are idle since the catching up have served their time.
	f.r.engine.Close()
	f.eventually("few goroutines", func() bool { return clientGoroutines() <= 3*containers+fixedGoroutines })
	assert.GreaterOrEqual(t, clientGoroutines(), 3*containers, "the count counts")

	for range 3 {
		f.engine.CutFollows()
		f.eventually("all follows", func() bool { return f.engine.OpenFollows() == containers })
	}
	f.r.engine.Close()
	f.eventually("as few goroutines", func() bool { return clientGoroutines() <= 3*containers+fixedGoroutines })
	f.stop()
	f.eventually("no goroutines", func() bool { return clientGoroutines() == 0 })
}

// A profile names the container that a goroutine works for.
func TestGoroutinesAreLabelled(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		var profile strings.Builder
		require.NoError(t, pprof.Lookup("goroutine").WriteTo(&profile, 1))
		assert.Contains(t, profile.String(), `"container.name":"web"`)
		assert.Contains(t, profile.String(), `"container.id":"`+c.ID()+`"`)
		assert.Contains(t, profile.String(), `"role":"deliver"`)
	})
}

// TestCapturesAreTold has an extension ask which containers are captured.
func TestCapturesAreTold(t *testing.T) {
	inBubble(t, func(f *fixture) {
		var captured func(id string) bool
		f.withExtensions(map[component.ID]component.Component{healthID: &asker{ask: func(component string, f func(string) bool) {
			assert.Equal(t, "docker_logs", component)
			captured = f
		}}})
		c := f.followed()
		require.NotNil(t, captured)
		assert.True(t, captured(c.ID()))
		assert.False(t, captured("another"))
		for range 2 {
			c.Exit(0)
			f.eventually("the end of the capture", func() bool { return !captured(c.ID()) })
			c.Start()
			f.eventually("the next", func() bool { return captured(c.ID()) })
		}
		f.following(1)
		f.stop()
		assert.Nil(t, captured)
		_, left := f.r.captured.Load(c.ID())
		assert.False(t, left)
	})
}

// asker is an extension that is told whom to ask for captures.
type asker struct {
	component.StartFunc
	component.ShutdownFunc
	ask func(component string, captured func(containerID string) bool)
}

func (a *asker) Captures(component string, captured func(containerID string) bool) {
	a.ask(component, captured)
}

// clientGoroutines counts the goroutines that the receiver is the cause of, by what
// created them.
func clientGoroutines() int {
	buf := make([]byte, 16<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	n := 0
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		_, creator, _ := strings.Cut(stack, "\ncreated by ")
		for _, ours := range []string{
			"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver.(*", "net/http.(*Transport).", "github.com/docker/docker/client.",
			"sync.(*WaitGroup).Go",
		} {
			if strings.HasPrefix(creator, ours) && !strings.Contains(stack, "/enginetest.") {
				n++
				break
			}
		}
	}
	return n
}
