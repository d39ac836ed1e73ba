// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"bufio"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// note is what tests compare of an event: type, action and the attributes that differ from one to the next.
func note(t *testing.T, line string) string {
	t.Helper()
	var ev struct {
		Type, Action string
		Actor        struct{ Attributes map[string]string }
	}
	require.NoError(t, json.Unmarshal([]byte(line), &ev), line)
	s := ev.Action
	if ev.Type != "container" {
		return ev.Type + " " + s
	}
	for _, attribute := range []string{"name", "oldName", "signal", "exitCode", "com.acme"} {
		if v, ok := ev.Actor.Attributes[attribute]; ok {
			s += " " + attribute + "=" + v
		}
	}
	return s
}

func notes(t *testing.T, body string) (all []string) {
	t.Helper()
	for line := range strings.Lines(body) {
		all = append(all, note(t, line))
	}
	return all
}

func TestEventsComeInTheEnginesOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		resp := c.open(t, "/v1.41/events")
		require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
		require.Equal(t, 1, e.Subscribers())
		// What was done to a real engine when testdata was captured.
		run := func(name string, autoRemove bool, labels map[string]string) *enginetest.Container {
			return e.Add(enginetest.ContainerSpec{Name: name, Image: "ett:1", Running: true, AutoRemove: autoRemove, Labels: labels})
		}
		a := run("etA", false, map[string]string{"com.acme": "1"})
		a.Pause()
		a.Unpause()
		a.Rename("etB")
		a.Restart()
		a.Stop(0)
		a.Start()
		a.Kill()
		a.Remove()
		run("etC", false, nil).Remove()
		run("etD", true, nil).Stop(0)
		run("etE", true, nil).Exit(0)
		f := run("etF", true, nil)
		f.Restart()
		f.Kill()

		real := captured(t, "events.ndjson")
		want := notes(t, real)
		var got []string
		lines := bufio.NewReader(resp.Body)
		realLines := strings.Split(real, "\n")
		for i := range want {
			line, err := lines.ReadString('\n')
			require.NoError(t, err)
			got = append(got, note(t, line))
			requireShape(t, fromJSON(t, realLines[i]), fromJSON(t, line), "event")
			require.Equal(t, strings.Split(realLines[i], ":")[0], strings.Split(line, ":")[0], "the order of the fields")
		}
		require.Equal(t, want, got)
		require.NoError(t, resp.Body.Close())
		require.NoError(t, e.WaitSubscribers(t.Context(), 0))
	})
}

func TestEventFilters(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Name: "web", Running: true, Labels: map[string]string{"tier": "front"}})
		e.Add(enginetest.ContainerSpec{Name: "db", Running: true})
		web.Exit(0)
		past := func(filters string) []string {
			_, body := c.get(t, "/events?since=1&until="+strconv.FormatInt(time.Now().Unix(), 10)+"&filters="+filters)
			return notes(t, body)
		}
		time.Sleep(time.Second)
		require.Len(t, past(``), 8)
		require.Len(t, past(`{"type":["container"]}`), 5)
		require.Len(t, past(`{"type":{"network":true}}`), 3)
		require.Equal(t, []string{"die name=web exitCode=0"}, past(`{"type":["container"],"event":["die","destroy"]}`))
		require.Equal(t, []string{"create name=db", "start name=db"}, past(`{"container":["db"]}`))
		require.Len(t, past(`{"container":["`+web.ID()[:12]+`"]}`), 3)
		require.Len(t, past(`{"label":["tier=front"]}`), 3)
		require.Empty(t, past(`{"event":["bogus"]}`))
		require.Len(t, past(`{"bogus":["x"]}`), 8, "ignored, as the engine does")
	})
}

func TestEventsReplay(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Name: "web", Running: true})
		time.Sleep(time.Second)
		seen := time.Now()
		web.Pause()
		time.Sleep(time.Second)

		resp := c.open(t, "/events?since="+unix(seen)) // inclusive, then live
		lines := bufio.NewReader(resp.Body)
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "pause name=web", note(t, line))
		web.Unpause()
		line, err = lines.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "unpause name=web", note(t, line))

		started := time.Now()
		_, body := c.get(t, "/events?until="+unix(started.Add(time.Minute))) // all that is known, and a minute more
		require.Len(t, notes(t, body), 5)
		require.Equal(t, time.Minute, time.Since(started))

		for range 300 {
			web.Pause()
			web.Unpause()
		}
		time.Sleep(time.Second)
		_, body = c.get(t, "/events?since=1&until="+unix(time.Now()))
		require.Len(t, notes(t, body), 256, "the ring is full")
		e.Down()
		e.Up()
		_, body = c.get(t, "/events?since=1&until="+unix(time.Now()))
		require.Empty(t, body, "a daemon that died has forgotten")
	})
}

func TestEventsCutAndDropped(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Name: "web", Running: true})
		resp := c.open(t, "/events")
		e.DropEvents(true)
		web.Pause()
		e.DropEvents(false)
		web.Unpause()
		line, err := bufio.NewReader(resp.Body).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "unpause name=web", note(t, line))

		e.CutEvents()
		_, err = resp.Body.Read(make([]byte, 1))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		synctest.Wait()
		require.Zero(t, e.Subscribers())
	})
}

func TestEventsOf29HaveNoDeprecatedFields(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		e.Add(enginetest.ContainerSpec{})
		time.Sleep(time.Second)
		_, body := c.get(t, "/v1.52/events?since=1&until="+unix(time.Now()))
		require.NotContains(t, body, `"status"`)
		require.NotContains(t, body, `"from"`)
		_, body = c.get(t, "/v1.51/events?since=1&until="+unix(time.Now()))
		require.Contains(t, body, `"status":"create"`)
	}, enginetest.Docker29())
}

func TestActsThatDoNotApplyDoNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Name: "web"})
		web.Stop(0)
		web.Kill()
		web.Exit(0)
		web.Crash(0)
		web.Pause()
		web.Unpause()
		web.Start()
		web.Start()
		web.Crash(3)
		web.Stop(0) // while it waits for its restart policy: nothing is left to die
		web.Start()
		web.Stop(137)
		web.Remove()
		web.Remove()
		web.Start()
		web.Rename("other")
		_, body := c.get(t, `/events?until=`+unix(time.Now())+`&filters={"type":["container"]}`)
		require.Equal(t, []string{
			"create name=web", "start name=web", "die name=web exitCode=3",
			"kill name=web signal=15", "stop name=web",
			"start name=web", "kill name=web signal=15", "kill name=web signal=9", "die name=web exitCode=137", "stop name=web",
			"destroy name=web",
		}, notes(t, body))
	})
}
