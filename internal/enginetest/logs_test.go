// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

func TestTailSinceUntil(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		start := time.Now().Add(123456789)
		at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Nanosecond) }
		for i := range 10 {
			web.WriteAt(at(i), enginetest.Stdout, fmt.Sprintf("%d\n", i))
		}
		for _, tt := range []struct{ name, value, more, moreValue, want string }{
			{"tail", "3", "", "", "7 8 9"},
			{"tail", "0", "", "", ""},
			{"tail", "all", "", "", "0 1 2 3 4 5 6 7 8 9"},
			{"tail", "-3", "", "", "0 1 2 3 4 5 6 7 8 9"},
			{"tail", "99", "", "", "0 1 2 3 4 5 6 7 8 9"},
			{"since", unix(at(5)), "", "", "5 6 7 8 9"}, // inclusive
			{"since", unix(at(5)), "tail", "3", "7 8 9"},
			{"since", unix(at(5)), "tail", "9", "5 6 7 8 9"},
			{"since", fmt.Sprint(start.Unix()), "", "", "0 1 2 3 4 5 6 7 8 9"},
			{"since", "0", "", "", "0 1 2 3 4 5 6 7 8 9"},
			{"until", unix(at(5)), "", "", "0 1 2 3 4 5"},
			{"until", "0", "", "", "0 1 2 3 4 5 6 7 8 9"},
			{"until", unix(at(5)), "since", unix(at(4)), "4 5"},
		} {
			require.Equal(t, tt.want, lines(c.frames(t, logsPath(web, tt.name, tt.value, tt.more, tt.moreValue))), tt)
		}
	})
}

func TestSinceOnBothEngines(t *testing.T) {
	for name, tt := range map[string]struct {
		option enginetest.Option
		want   string
	}{
		"20.10": {enginetest.Docker20(), "b d"},
		"29":    {enginetest.Docker29(), "b late d"},
		"once":  {enginetest.SinceOnce(true), "b late d"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
				web := e.Add(enginetest.ContainerSpec{Running: true})
				start := time.Now()
				web.WriteAt(start.Add(1*time.Second), enginetest.Stdout, "a\n")
				web.WriteAt(start.Add(3*time.Second), enginetest.Stdout, "b\n")
				web.WriteAt(start.Add(2*time.Second), enginetest.Stderr, "late\n")
				web.WriteAt(start.Add(4*time.Second), enginetest.Stdout, "d\n")
				require.Equal(t, tt.want, lines(c.frames(t, logsPath(web, "since", unix(start.Add(3*time.Second))))))
			}, tt.option)
		})
	}
}

func TestContentTypesOf29(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		frames := e.Add(enginetest.ContainerSpec{Running: true})
		tty := e.Add(enginetest.ContainerSpec{Running: true, TTY: true})
		for path, want := range map[string]string{
			"/v1.56/containers/" + frames.ID(): "application/vnd.docker.multiplexed-stream",
			"/v1.41/containers/" + frames.ID(): "application/vnd.docker.raw-stream",
			"/v1.56/containers/" + tty.ID():    "application/vnd.docker.raw-stream",
		} {
			require.Equal(t, want, c.open(t, path+"/logs?stdout=1").Header.Get("Content-Type"))
		}
		status, body := c.get(t, "/v1.39/_ping")
		require.Equal(t, http.StatusBadRequest, status)
		require.Contains(t, body, "Minimum supported API version is 1.40")
	}, enginetest.Docker29())
}

func TestPodman(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		start := time.Now().UTC()
		web.Write(enginetest.Stdout, "a\n")
		time.Sleep(900 * time.Millisecond)
		web.Write(enginetest.Stdout, strings.Repeat("x", 20000)+"\n")
		frames := c.frames(t, logsPath(web, "timestamps", "1"))
		require.Equal(t, [][2]int{{1, 23}, {1, 8192 + 21}, {1, 8192 + 21}, {1, 20000 - 2*8192 + 22}}, sizes(frames))
		require.Equal(t, start.Format("2006-01-02T15:04:05Z")+" a\n", frames[0].text)
		require.Len(t, c.frames(t, logsPath(web, "since", fmt.Sprint(start.Unix()))), 4)
		headers := false
		go func() {
			c.open(t, logsPath(web, "follow", "1", "tail", "0"))
			headers = true
		}()
		synctest.Wait()
		require.False(t, headers)
		web.Write(enginetest.Stdout, "b\n")
		synctest.Wait()
		require.True(t, headers)
	}, enginetest.Podman4())
}

func TestFollowEndsWithTheContainer(t *testing.T) {
	for name, end := range map[string]func(*enginetest.Container){
		"stop":    func(c *enginetest.Container) { c.Stop(0) },
		"exit":    func(c *enginetest.Container) { c.Exit(1) },
		"kill":    (*enginetest.Container).Kill,
		"crash":   func(c *enginetest.Container) { c.Crash(1) },
		"restart": (*enginetest.Container).Restart,
		"remove":  (*enginetest.Container).Remove,
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
				web := e.Add(enginetest.ContainerSpec{Running: true})
				web.Write(enginetest.Stdout, "before\n")
				resp := c.open(t, logsPath(web, "follow", "1"))
				require.Equal(t, []string{"before\n"}, readTexts(t, resp.Body, 1))
				web.Write(enginetest.Stdout, "during\n")
				web.Pause()
				synctest.Wait()
				require.Equal(t, 1, e.OpenFollows(), "a pause ends nothing")
				web.Unpause()
				web.Write(enginetest.Stdout, "last")
				end(web)
				web.Write(enginetest.Stdout, "of another life\n")
				frames, err := restOf(resp.Body)
				require.Equal(t, io.EOF, err)
				require.Equal(t, []string{"during\n", "last"}, texts(frames))
				require.NoError(t, e.WaitFollows(t.Context(), 0))
			})
		})
	}
}

func TestFollowOfAContainerThatDoesNotRunEndsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{})
		require.Empty(t, c.frames(t, logsPath(web, "follow", "1")))
		web.Write(enginetest.Stdout, "a\n")
		require.Equal(t, "a", lines(c.frames(t, logsPath(web, "follow", "1"))))
		web.Start()
		web.Crash(1)
		require.Equal(t, "a", lines(c.frames(t, logsPath(web, "follow", "1"))))
	})
}

func TestRotateAndTruncate(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		web.Write(enginetest.Stdout, "0\n1\n2\n3\n4\n")
		web.Rotate(2)
		require.Equal(t, "3 4", lines(c.frames(t, logsPath(web))))
		require.Equal(t, 3, web.Records()[0].Number)
		require.Equal(t, 5, web.Written())
		web.Rotate(10)
		require.Len(t, web.Records(), 2)
		web.Truncate()
		require.Empty(t, c.frames(t, logsPath(web)))
		web.Write(enginetest.Stdout, "5\n")
		require.Equal(t, "5", lines(c.frames(t, logsPath(web, "tail", "3"))))
		web.Rotate(0)
		require.Empty(t, web.Records())
	})
}

func TestWriteStampsWithTheEnginesClock(t *testing.T) {
	e := enginetest.New()
	now := time.Date(2030, 1, 1, 0, 0, 0, 5, time.UTC)
	e.Now = func() time.Time { return now }
	web := e.Add(enginetest.ContainerSpec{Running: true})
	web.Write(enginetest.Stdout, "a\nb\n")
	web.Write(enginetest.Stderr, "c\n")
	now = now.Add(-time.Hour) // the clock is set back
	web.Write(enginetest.Stdout, "d\n")
	web.WriteAt(now, enginetest.Stdout, "e\nf\n")
	var got []time.Duration
	for _, r := range web.Records() {
		got = append(got, r.Time.Sub(now))
	}
	assert.Equal(t, []time.Duration{time.Hour, time.Hour + 1, time.Hour + 2, 0, 0, 0}, got)
}
