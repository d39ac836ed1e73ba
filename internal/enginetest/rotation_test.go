// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

func TestRepeatAtRotation(t *testing.T) {
	withFollow(t, func(t *testing.T, e *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader) {
		e.SetFaults(enginetest.Faults{RepeatAtRotation: 2})
		web.Write(enginetest.Stdout, "0\n1\n2\n3\n")
		web.Rotate(1)
		web.Write(enginetest.Stdout, "4\n")
		require.Equal(t, "0 1 2 3 2 3 4", strings.ReplaceAll(strings.Join(readTexts(t, follow, 7), " "), "\n", ""))
		require.Equal(t, "3 4", lines(c.frames(t, logsPath(web))))
	})
}

func TestRotationUnderAFollowThatIsBehind(t *testing.T) {
	for _, skip := range []bool{false, true} {
		withFollow(t, func(t *testing.T, e *enginetest.Engine, _ *client, web *enginetest.Container, follow io.Reader) {
			e.SetFaults(enginetest.Faults{SkipAtRotation: skip})
			for i := range 100 {
				web.Write(enginetest.Stdout, fmt.Sprintf("%0999d\n", i))
			}
			synctest.Wait() // the follow is stuck behind what the buffers hold
			sent := e.Requests()[0].Records
			web.Rotate(10)
			web.Exit(0)
			frames, err := restOf(follow)
			require.Equal(t, io.EOF, err)
			require.Contains(t, frames[len(frames)-1].text, "99\n")
			if skip {
				require.InDelta(t, sent+10, len(frames), 1, "what was not sent and is not in the log any more is lost")
			} else {
				require.Len(t, frames, 100, "it has the old file open")
			}
		}, enginetest.BufferSize(1000))
	}
}

func TestLoseWrites(t *testing.T) {
	withFollow(t, func(t *testing.T, _ *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader) {
		web.Write(enginetest.Stdout, "0\n")
		web.SetFaults(enginetest.Faults{LoseWrites: true})
		web.Write(enginetest.Stdout, "1\n")
		web.SetFaults(enginetest.Faults{})
		web.Write(enginetest.Stdout, "2\n")
		require.Equal(t, []string{"0\n", "2\n"}, readTexts(t, follow, 2))
		require.Equal(t, "0 1 2", lines(c.frames(t, logsPath(web))))
		require.Equal(t, []string{"0\n", "1\n", "2\n"}, readTexts(t, c.open(t, logsPath(web, "follow", "1")).Body, 3))
	})
}

func TestStall(t *testing.T) {
	withFollow(t, func(t *testing.T, _ *enginetest.Engine, c *client, web *enginetest.Container, follow io.Reader) {
		web.Write(enginetest.Stdout, "0\n")
		web.SetFaults(enginetest.Faults{Stall: true})
		web.Write(enginetest.Stdout, "1\n")
		require.Equal(t, []string{"0\n"}, readTexts(t, follow, 1))
		second := c.open(t, logsPath(web, "follow", "1")).Body
		web.Write(enginetest.Stdout, "2\n")
		require.Equal(t, []string{"0\n", "1\n"}, readTexts(t, second, 2), "the backlog, and nothing newer")
		web.SetFaults(enginetest.Faults{})
		web.Write(enginetest.Stdout, "3\n")
		third := c.open(t, logsPath(web, "follow", "1")).Body
		require.Len(t, readTexts(t, third, 4), 4)
		require.Equal(t, "3", lines(c.frames(t, logsPath(web, "tail", "1"))), "it is in the log")

		ended := make(chan []frame, 2)
		for _, stalled := range []io.Reader{follow, second} {
			go func() {
				frames, _ := restOf(stalled)
				ended <- frames
			}()
		}
		time.Sleep(time.Hour)
		require.Empty(t, ended)
		web.Exit(0)
		require.Empty(t, append(<-ended, <-ended...), "they end with the container, and without what they missed")
	})
}
