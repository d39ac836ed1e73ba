// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// followTest is a test that has a running container and an open follow of it.
type followTest func(t *testing.T, e *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader)

func withFollow(t *testing.T, test followTest, opts ...enginetest.Option) {
	t.Helper()
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Name: "web", Running: true})
		resp := c.open(t, logsPath(web, "follow", "1"))
		test(t, e, c, web, resp.Body)
	}, opts...)
}

func TestDownAndUp(t *testing.T) {
	withFollow(t, func(t *testing.T, e *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader) {
		e.Down()
		_, err := readFrame(follow)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		_, err = c.do(t.Context(), http.MethodGet, "/_ping")
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
		web.Write(enginetest.Stdout, "meanwhile\n")
		e.Up()
		require.Equal(t, "meanwhile", lines(c.frames(t, logsPath(web))))
		synctest.Wait()
		require.Zero(t, e.OpenFollows())
	})
}

func TestFreezeAndThaw(t *testing.T) {
	withFollow(t, func(t *testing.T, e *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader) {
		e.Freeze()
		web.Write(enginetest.Stdout, "held back\n")
		got := make(chan string, 1)
		go func() {
			f, _ := readFrame(follow)
			got <- f.text
		}()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := c.do(ctx, http.MethodGet, "/_ping") // connects, and that is all
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		require.Empty(t, got)

		late := make(chan int, 1)
		go func() {
			status, _ := c.get(t, "/_ping")
			late <- status
		}()
		synctest.Wait()
		require.Empty(t, late)
		e.Thaw()
		require.Equal(t, "held back\n", <-got)
		require.Equal(t, http.StatusOK, <-late)
		require.NoError(t, e.WaitConns(t.Context(), 2), "the request that was given up is gone")
	})
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		resp := c.open(t, logsPath(web, "follow", "1"))
		e.Freeze()
		web.Write(enginetest.Stdout, "a\n")
		require.NoError(t, resp.Body.Close())
		require.NoError(t, e.WaitFollows(t.Context(), 0), "that the client of a stream leaves is noticed even so")
	})
}

func TestHalfOpen(t *testing.T) {
	withFollow(t, func(t *testing.T, e *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader) {
		e.HalfOpen()
		web.Write(enginetest.Stdout, "a\n")
		read := false
		go func() {
			_, _ = readFrame(follow)
			read = true
		}()
		time.Sleep(time.Hour)
		require.False(t, read)
		require.Equal(t, "a", lines(c.frames(t, logsPath(web))), "a new connection works")
		require.Equal(t, 1, e.OpenFollows())
		e.Down()
		synctest.Wait()
		require.True(t, read)
		require.Zero(t, e.OpenFollows())
	})
}

func TestBackPressure(t *testing.T) {
	withFollow(t, func(t *testing.T, e *enginetest.Engine, _ *client, web *enginetest.Container, follow io.Reader) {
		const total = 1000
		for i := range total {
			web.Write(enginetest.Stdout, fmt.Sprintf("%0999d\n", i))
		}
		served := func() int { return e.Requests()[0].Records }
		synctest.Wait()
		require.Less(t, served(), 20, "nobody reads: the engine waits")
		require.Len(t, readTexts(t, follow, total), total)
		synctest.Wait()
		require.Equal(t, total, served())
	}, enginetest.BufferSize(1000))
}

func TestCutFollows(t *testing.T) {
	withFollow(t, func(t *testing.T, e *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader) {
		other := c.open(t, logsPath(e.Add(enginetest.ContainerSpec{Running: true}), "follow", "1"))
		web.CutFollows()
		_, err := readFrame(follow)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NoError(t, e.WaitFollows(t.Context(), 1))
		e.CutFollows()
		_, err = readFrame(other.Body)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.NoError(t, e.WaitFollows(t.Context(), 0))
		c.get(t, "/_ping")
	})
}

func TestCutAfter(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		web.Write(enginetest.Stdout, "0123456789\n0123456789\n") // frames of 19 bytes
		for after, whole := range map[int64]int{1: 0, 8: 0, 10: 0, 19: 1, 20: 1, 37: 1, 38: 2} {
			for _, clean := range []bool{false, true} {
				e.SetFaults(enginetest.Faults{CutAfter: after, CutCleanly: clean})
				body, err := io.ReadAll(c.open(t, logsPath(web, "follow", "1")).Body)
				if clean {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				}
				require.Len(t, body, int(after))
				frames, _ := restOf(strings.NewReader(string(body)))
				require.Len(t, frames, whole)
			}
		}
		web.SetFaults(enginetest.Faults{}) // honest, whatever the engine is
		require.Len(t, c.frames(t, logsPath(web)), 2)
	})
}

func TestWithholdHeaders(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		require.Equal(t, http.StatusOK, c.open(t, logsPath(web, "follow", "1")).StatusCode, "at once")
		e.SetFaults(enginetest.Faults{WithholdHeaders: true})
		require.Empty(t, c.frames(t, logsPath(web)), "at the end at the latest")
		started := time.Now()
		go func() {
			time.Sleep(time.Hour)
			web.Write(enginetest.Stdout, "a\n")
		}()
		resp := c.open(t, logsPath(web, "follow", "1"))
		require.Equal(t, time.Hour, time.Since(started))
		require.Equal(t, []string{"a\n"}, readTexts(t, resp.Body, 1))

		go func() {
			time.Sleep(time.Hour)
			web.Pause()
		}()
		c.open(t, "/events")
		require.Equal(t, 2*time.Hour, time.Since(started), "event streams too")
	})
}

func TestStatus(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		for _, want := range []int{404, 409, 500, 501} {
			web.SetFaults(enginetest.Faults{Status: want, Message: "can not get logs from container which is dead or marked for removal"})
			status, body := c.get(t, logsPath(web, "follow", "1"))
			require.Equal(t, want, status)
			require.Equal(t, `{"message":"can not get logs from container which is dead or marked for removal"}`+"\n", body)
		}
		web.SetFaults(enginetest.Faults{})
		require.Empty(t, c.frames(t, logsPath(web)))
	})
}

func TestPoisonAndErrors(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		web.Write(enginetest.Stdout, "0\n1\n2\n3\n4\n")
		failed := frame{3, "Error grabbing logs: unexpected EOF\n"}

		web.ErrorAt(2, "unexpected EOF")
		require.Equal(t, []frame{{1, "0\n"}, {1, "1\n"}, failed}, c.frames(t, logsPath(web)))
		require.Len(t, c.frames(t, logsPath(web)), 5, "only once")

		web.Poison(3, "unexpected EOF")
		for range 3 {
			require.Equal(t, []frame{{1, "2\n"}, failed}, c.frames(t, logsPath(web, "tail", "3", "follow", "1")))
		}
		require.Equal(t, "4", lines(c.frames(t, logsPath(web, "tail", "1"))), "behind it")
		require.Equal(t, []frame{failed}, c.frames(t, logsPath(web, "since", "4102444800")), "since does not lead around it")
		web.Poison(3, "")
		require.Equal(t, "0 1 2", lines(c.frames(t, logsPath(web))), "without a word")
		web.Heal(3)
		require.Len(t, c.frames(t, logsPath(web)), 5)

		tty := e.Add(enginetest.ContainerSpec{Running: true, TTY: true})
		tty.Write(enginetest.Stdout, "0\n1\n")
		tty.Poison(1, "unexpected EOF")
		_, body := c.get(t, logsPath(tty))
		require.Equal(t, "0\r\nError grabbing logs: unexpected EOF\n", body)
	})
	withFollow(t, func(t *testing.T, _ *enginetest.Engine, _ *client, web *enginetest.Container, follow io.Reader) {
		web.Poison(web.Written()+1, "unexpected EOF") // before it is written
		web.Write(enginetest.Stdout, "0\n1\n2\n")
		frames, err := restOf(follow)
		require.Equal(t, io.EOF, err)
		require.Equal(t, []frame{{1, "0\n"}, {3, "Error grabbing logs: unexpected EOF\n"}}, frames)
	})
}

func TestRaw(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		for _, hostile := range []string{"\x01\x00\x00\x00\xff\xff\xff\xffx", "", "\x09garbage", "\x01\x00\x00"} {
			web.Raw([]byte(hostile))
			status, body := c.get(t, logsPath(web, "follow", "1"))
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, hostile, body)
		}
		web.Raw(nil)
		web.Write(enginetest.Stdout, "a\n")
		require.Equal(t, "a", lines(c.frames(t, logsPath(web))))
	})
}

func TestLatency(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		e.SetLatency(func(r enginetest.Request) time.Duration {
			if r.Kind == enginetest.KindPing {
				return time.Minute
			}
			return 0
		})
		started := time.Now()
		c.get(t, "/info")
		require.Zero(t, time.Since(started))
		c.get(t, "/_ping")
		require.Equal(t, time.Minute, time.Since(started))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := c.do(ctx, http.MethodGet, "/_ping")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		e.SetLatency(nil)
		started = time.Now()
		c.get(t, "/_ping")
		require.Zero(t, time.Since(started))
	})
}

// TestErrorOvertakes: Engine 26 loses what it has ready when it meets a record that it cannot read.
func TestErrorOvertakes(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		start := time.Now()
		for i := range 5000 {
			web.WriteAt(start.Add(time.Duration(i)*time.Second), enginetest.Stdout, fmt.Sprintln(i))
		}
		web.Poison(4900, "bad")
		count := func(query ...string) int {
			all := strings.Fields(lines(c.frames(t, logsPath(web, query...))))
			return len(slices.DeleteFunc(all, func(s string) bool { return strings.Trim(s, "0123456789") != "" }))
		}
		require.InDelta(t, 4900-4096, count(), 20)
		require.Less(t, count("tail", "600"), 20)
		require.Equal(t, 99, count("tail", "99"), "begins behind it")
		require.Equal(t, 4899, count("until", unix(start.Add(4898*time.Second))), "ends before it")
		survived := 0
		for range 10 {
			survived += count("since", unix(start.Add(4899*time.Second)))
		}
		require.Greater(t, survived, 0, "a single one has a chance")
		require.Less(t, survived, 10)
	}, enginetest.Docker26())
}
