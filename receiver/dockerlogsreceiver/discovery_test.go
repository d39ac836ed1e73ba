// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
)

func TestContainerLife(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		c := f.engine.Add(enginetest.ContainerSpec{Name: "web"})
		f.pass(time.Minute)
		assert.LessOrEqual(t, f.requests(enginetest.KindLogs), 1, "it has never been started")
		c.Start()
		write(c, 1, 2)
		f.expectLines(1, 2)
		c.Pause()
		f.pass(time.Minute)
		c.Unpause()
		write(c, 3, 4)
		f.expectLines(1, 4)
		write(c, 5, 6)
		c.Stop(0)
		f.expectLines(1, 6)
		f.pass(time.Minute)
		c.Start()
		write(c, 7, 8)
		f.expectLines(1, 8)
		c.Restart()
		write(c, 9, 10)
		f.expectLines(1, 10)
		c.Crash(1)
		before := f.requests(enginetest.KindLogs)
		f.pass(10 * time.Minute)
		assert.Less(t, f.requests(enginetest.KindLogs)-before, 100, "while it waits for its restart policy: three each half minute, and some at first")
		c.Start()
		write(c, 11, 12)
		f.expectLines(1, 12)
		c.Remove()
		f.following(0)
		assert.Zero(t, f.metric("gaps"))
	})
}

func TestRenameIsInTheResource(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.followed()
		write(c, 1, 1)
		f.expectLines(1, 1)
		c.Rename("api")
		f.pass(2 * time.Minute)
		write(c, 2, 2)
		f.expectLines(1, 2)
		assert.Equal(t, []string{"line 1"}, f.sink.Of("web"))
		assert.Equal(t, []string{"line 2"}, f.sink.Of("api"))
	})
}

func TestResource(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.ContainerLabels = map[string]string{"com.acme.team": "team", "plain": "", "absent": ""}
		f.cfg.EnvVars = map[string]string{"DEPLOYMENT": "deployment.environment.name"}
		f.start()
		c := f.engine.Add(enginetest.ContainerSpec{
			Name: "web", Image: "ghcr.io/acme/web:1.2", Running: true, Env: []string{"DEPLOYMENT=prod", "SECRET=1"},
			Labels: map[string]string{
				"com.acme.team": "blue", "plain": "yes", "com.docker.compose.project": "shop", "com.docker.compose.service": "front",
			},
		})
		write(c, 1, 1)
		f.expectLines(1, 1)
		resource := f.sink.All()[0].Resource
		assert.NotEmpty(t, resource["container.image.id"])
		delete(resource, "container.image.id")
		assert.Equal(t, map[string]any{
			"container.id": c.ID(), "container.name": "web", "container.image.name": "ghcr.io/acme/web",
			"container.image.tags": []any{"1.2"}, "container.runtime.name": "docker", "host.name": "enginetest",
			"service.name": "front", "service.namespace": "shop", "team": "blue", "container.label.plain": "yes",
			"deployment.environment.name": "prod",
		}, resource)
	})
}

// A Swarm task that is deployed again is another container, of the same service.
func TestRedeployedTaskKeepsItsService(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		task := func(id string) *enginetest.Container {
			return f.engine.Add(enginetest.ContainerSpec{Name: "shop_web.2." + id, Running: true, Labels: map[string]string{
				"com.docker.stack.namespace": "shop", "com.docker.swarm.node.id": "node", "com.docker.swarm.service.name": "shop_web",
				"com.docker.swarm.task": "", "com.docker.swarm.task.id": id, "com.docker.swarm.task.name": "shop_web.2." + id,
			}})
		}
		first := task("vyf2m1bmqcoj")
		write(first, 1, 1)
		f.expectLines(1, 1)
		first.Stop(0)
		first.Remove()
		write(task("k8tm3lbmjy2n"), 2, 2)
		f.expectLines(1, 2)
		for i, id := range []string{"vyf2m1bmqcoj", "k8tm3lbmjy2n"} {
			resource := f.sink.All()[i].Resource
			assert.Equal(t, "shop_web.2."+id, resource["container.name"])
			assert.Equal(t, id, resource["docker.swarm.task.id"])
			assert.Equal(t, "web", resource["service.name"])
			assert.Equal(t, "shop", resource["service.namespace"])
			assert.EqualValues(t, 2, resource["docker.swarm.task.slot"])
		}
	})
}

// A label that is too large is left out, which is logged once.
func TestLargeLabel(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.ContainerLabels = map[string]string{"com.acme.*": ""}
		f.start()
		for i := range 3 {
			c := f.engine.Add(enginetest.ContainerSpec{Running: true, Labels: map[string]string{
				"com.acme.team": "blue", "com.acme.metadata": strings.Repeat("x", 1<<20),
			}})
			write(c, i+1, i+1)
		}
		f.eventually("their lines", func() bool { return f.sink.Count("") == 3 })
		for _, record := range f.sink.All() {
			assert.Equal(t, "blue", record.Resource["container.label.com.acme.team"])
			assert.NotContains(t, record.Resource, "container.label.com.acme.metadata")
		}
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "labels of this container are too many or too large"))
	})
}

// A container of 50 ms with --rm has no log any more when we come, unless we are
// quick; whatever we get must be whole lines of it, and what we do not is told.
func TestShortContainerWithAutoRemove(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		c := f.engine.Add(enginetest.ContainerSpec{Name: "job", Running: true, AutoRemove: true})
		write(c, 1, 3)
		f.pass(25 * time.Millisecond)
		write(c, 4, 6)
		f.pass(25 * time.Millisecond)
		c.Exit(0)
		f.expectLines(1, 6)
		assert.Zero(t, f.metric("gaps"))
	})
}

func TestContainersOfATimeWithoutEvents(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		for i := range 20 {
			f.engine.CutEvents()
			came := f.container(fmt.Sprint("came-", i))
			write(came, 1, 3)
			cameAndWent := f.container(fmt.Sprint("went-", i))
			write(cameAndWent, 1, 3)
			cameAndWent.Exit(0)
			f.eventually("both", func() bool {
				return len(f.sink.Of(came.Name())) == 3 && len(f.sink.Of(cameAndWent.Name())) == 3
			})
		}
	})
}

// "Read to its end" is of one run: a container that was started again and removed before it
// was looked at has written what nobody has read.
func TestRunThatNobodySaw(t *testing.T) {
	for name, live := range map[string]func(*fixture, *enginetest.Container){
		"after its capture has ended": func(f *fixture, c *enginetest.Container) {
			c.Exit(0)
			f.pass(time.Minute)
		},
		"while its capture waits to look": func(_ *fixture, c *enginetest.Container) { c.Exit(0) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.followed()
				write(c, 1, 3)
				f.expectLines(1, 3)
				live(f, c)
				f.engine.SetLatency(func(enginetest.Request) time.Duration { return time.Second })
				c.Start()
				c.Write(stdout, "unheard\n")
				c.Exit(0)
				c.Remove()
				f.engine.SetLatency(nil)
				f.pass(time.Minute)
				assert.EqualValues(t, 1, f.metric("gaps", "removed"))
				f.expectLines(1, 3)
			})
		})
	}
}

// A container that is not selected costs nothing, whatever happens to it.
func TestEventsOfWhatIsNotSelected(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Exclude = []Match{{Name: "job-*"}}
		c := f.followed()
		old := f.container("job-old")
		f.pass(2 * listInterval)
		inspections := f.requests(enginetest.KindInspect)
		for i := range 50 {
			job := f.container(fmt.Sprint("job-", i))
			old.Restart()
			job.Exit(0)
			f.settle()
			job.Remove()
		}
		assert.Equal(t, inspections, f.requests(enginetest.KindInspect))
		assert.Len(t, f.r.owner.known, 2)
		c.Restart()
		f.settle()
		assert.Greater(t, f.requests(enginetest.KindInspect), inspections, "that of another is looked at")
	})
}

// Once GET /events is denied it is tried again: the proxy may allow it later.
func TestEventsThatAreAllowedLater(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.engine.DenyEvents(true)
		f.followed()
		f.pass(time.Hour)
		assert.Zero(t, f.engine.Subscribers())
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "GET /events is denied"))
		assert.Less(t, f.requests(enginetest.KindEvents), 30, "in an hour")
		began := time.Now()
		write(f.container("listed"), 1, 1)
		f.eventually("its line", func() bool { return len(f.sink.Of("listed")) == 1 })
		assert.LessOrEqual(t, time.Since(began), listIntervalAlone+time.Second)
		f.engine.DenyEvents(false)
		f.eventually("a subscription", func() bool { return f.engine.Subscribers() == 1 })
		f.pass(time.Second)
		write(f.container("at once"), 1, 1)
		f.settle()
		assert.Len(t, f.sink.Of("at once"), 1)
		assert.Empty(t, f.host.statuses())
	})
}

func TestDroppedEventsAreMadeUpForByTheList(t *testing.T) {
	inBubble(t, func(f *fixture) {
		stopped := f.engine.Add(enginetest.ContainerSpec{Name: "stopped"})
		f.start()
		f.engine.DropEvents(true)
		began := time.Now()
		write(f.container("web"), 1, 3)
		stopped.Start()
		write(stopped, 1, 3)
		f.eventually("both", func() bool { return len(f.sink.Of("web")) == 3 && len(f.sink.Of("stopped")) == 3 })
		assert.LessOrEqual(t, time.Since(began), listInterval+time.Second)
	})
}

func TestContainerThatRanWhileEventsWereDropped(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		f.engine.DropEvents(true)
		fresh := f.container("fresh")
		write(fresh, 1, 3)
		fresh.Exit(0)
		f.expectLines(1, 3)
	})
}

// TestKnownContainerThatRanWhileEventsWereDropped: between two lists a container that did
// not run is started and ends.
func TestKnownContainerThatRanWhileEventsWereDropped(t *testing.T) {
	inBubble(t, func(f *fixture) {
		c := f.engine.Add(enginetest.ContainerSpec{Name: "web"})
		f.start()
		f.pass(time.Second)
		f.engine.DropEvents(true)
		for run := range 2 {
			c.Start()
			write(c, 3*run+1, 3*run+3)
			c.Exit(0)
			f.expectLines(1, 3*run+3)
			f.pass(10 * time.Minute)
		}
	})
}

func TestRemovedContainersAreForgotten(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.start()
		o := f.r.owner
		for i := range 50 {
			c := f.engine.Add(enginetest.ContainerSpec{Running: true})
			write(c, 1, 1)
			f.pass(time.Second)
			if i%2 == 0 {
				c.Exit(0)
				f.pass(time.Second)
			}
			c.Remove()
		}
		f.engine.Add(enginetest.ContainerSpec{}).Remove()
		f.pass(2 * listInterval)
		assert.Empty(t, o.known)
		f.engine.DropEvents(true)
		c := f.container("web")
		f.pass(2 * listInterval)
		assert.Len(t, o.known, 1)
		c.Remove()
		f.pass(2 * listInterval)
		assert.Empty(t, o.known)
	})
}

func TestSelection(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Include = []Match{{Name: "web-*"}, {Labels: map[string]string{"tier": "front"}}}
		f.cfg.Exclude = []Match{{Image: "*:debug"}}
		for _, spec := range []enginetest.ContainerSpec{
			{Name: "web-1"},
			{Name: "db"},
			{Name: "ui", Labels: map[string]string{"tier": "front"}},
			{Name: "web-2", Image: "acme/web:debug"},
			{Name: "web-3", Labels: map[string]string{selector.LabelEnabled: "false"}},
			{Name: "opted-in", Labels: map[string]string{selector.LabelEnabled: "true"}},
			{Name: "nonsense", Labels: map[string]string{selector.LabelEnabled: "maybe"}},
		} {
			spec.Running = true
			f.engine.Add(spec)
		}
		f.start()
		f.following(3)
		for _, name := range []string{"web-later", "db-later"} {
			write(f.container(name), 1, 1)
		}
		f.following(4)
		f.pass(5 * time.Minute)
		f.following(4)
		assert.Equal(t, []string{"line 1"}, f.sink.Bodies())
		assert.Len(t, f.sink.Of("web-later"), 1)
	})
}

func TestRenameChangesTheSelection(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Include = []Match{{Name: "web"}}
		c := f.container("db")
		f.start()
		c.Rename("web")
		f.following(1)
		write(c, 1, 1)
		f.expectLines(1, 1)
	})
}

func TestRenameEndsTheSelection(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.cfg.Include = []Match{{Name: "web"}}
		c := f.followed()
		c.Rename("db")
		f.settle()
		write(c, 1, 1) // may be taken for one of before
		f.following(0)
		write(c, 2, 2)
		f.pass(5 * time.Minute)
		f.following(0)
		assert.NotContains(t, f.sink.Bodies(), "line 2")
	})
}
