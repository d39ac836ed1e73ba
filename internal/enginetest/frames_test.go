// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package enginetest_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
)

// prefix is a timestamp prefix of the engine: 30 bytes and a space.
const prefix = 31

// sizes are stream and size of frames, as a real engine's were noted.
func sizes(frames []frame) (all [][2]int) {
	for _, f := range frames {
		all = append(all, [2]int{int(f.stream), len(f.text)})
	}
	return all
}

func TestLongLinesAreCutAsTheEngineDoes(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		// What Engine 20.10 made of these lines: one that ends where a chunk does is followed by an empty last chunk.
		web.Write(enginetest.Stdout, strings.Repeat("x", 16384)+"\n")
		web.Write(enginetest.Stdout, strings.Repeat("x", 16383)+"\n")
		web.Write(enginetest.Stdout, strings.Repeat("x", 32768)+"\n")
		web.Write(enginetest.Stdout, "\n")
		web.Write(enginetest.Stderr, strings.Repeat("y", 40000)+"\n")
		web.Write(enginetest.Stdout, "partial-at-end")
		frames := c.frames(t, logsPath(web, "timestamps", "1"))
		require.Equal(t, [][2]int{
			{1, 16415},
			{1, 32},
			{1, 16415},
			{1, 16415},
			{1, 16415},
			{1, 32},
			{1, 32},
			{2, 16415},
			{2, 16415},
			{2, 7264},
			{1, 45},
		}, sizes(frames))
		stamps := map[string][]int{}
		for i, f := range frames {
			stamps[f.text[:prefix]] = append(stamps[f.text[:prefix]], i)
			require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z $`, f.text[:prefix])
			partial := i == 0 || i == 3 || i == 4 || i == 7 || i == 8 || i == 10
			require.NotEqual(t, partial, strings.HasSuffix(f.text, "\n"), i)
		}
		require.Len(t, stamps, 6, "chunks of a line share its timestamp, lines do not")
		require.Equal(t, frames[0].text[:prefix], frames[1].text[:prefix])
		require.Equal(t, frames[7].text[:prefix], frames[9].text[:prefix])
		require.Equal(t, frames[10].text[prefix:], c.frames(t, logsPath(web, "tail", "1"))[0].text)
	})
}

func TestInterleavedChunks(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		now := time.Now()
		web.WriteChunk(now, enginetest.Stdout, strings.Repeat("x", 16384), false)
		web.WriteChunk(now.Add(1), enginetest.Stderr, strings.Repeat("y", 16384), false)
		web.WriteChunk(now.Add(1), enginetest.Stderr, "end", true)
		web.WriteChunk(now, enginetest.Stdout, "end", true)
		require.Equal(t, [][2]int{{1, 16384}, {2, 16384}, {2, 4}, {1, 4}}, sizes(c.frames(t, logsPath(web))))
		require.Equal(t, [][2]int{{2, 4}, {1, 4}}, sizes(c.frames(t, logsPath(web, "tail", "2"))))
		require.Equal(t, [][2]int{{2, 4}}, sizes(c.frames(t, logsPath(web, "tail", "2", "stdout", "0"))), "tail counts both streams")
	})
}

func TestTTY(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, c *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true, TTY: true})
		web.Write(enginetest.Stdout, "1\n")
		web.Write(enginetest.Stderr, "2\n")
		web.Write(enginetest.Stdout, strings.Repeat("x", 40000)+"\n4\npart")
		_, body := c.get(t, logsPath(web))
		require.Equal(t, "1\r\n2\r\n"+strings.Repeat("x", 40000)+"\r\n4\r\npart", body)
		_, body = c.get(t, logsPath(web, "stdout", "0"))
		require.Empty(t, body, "a TTY has no stderr")

		_, body = c.get(t, logsPath(web, "timestamps", "1"))
		require.Len(t, body, 40232, "what Engine 20.10 sent")
		stamp := body[68 : 68+prefix]
		for _, offset := range []int{68, 16483, 32898} { // where it had the prefix
			require.Equal(t, stamp, body[offset:offset+prefix])
		}
		require.Equal(t, 3, strings.Count(body, stamp))

		// A line whose \r fills a chunk: the prefix stands between \r and \n.
		full := e.Add(enginetest.ContainerSpec{Running: true, TTY: true})
		full.Write(enginetest.Stdout, strings.Repeat("x", 16383)+"\n")
		_, body = c.get(t, logsPath(full, "timestamps", "1"))
		require.Len(t, body, 16447)
		require.Equal(t, "x\r"+body[:prefix]+"\n", body[16413:])
	})
}

func TestEachMessageIsOneChunk(t *testing.T) {
	inBubble(t, func(t *testing.T, e *enginetest.Engine, _ *client) {
		web := e.Add(enginetest.ContainerSpec{Running: true})
		web.Write(enginetest.Stdout, "a\n"+strings.Repeat("x", 20000)+"\nb\n")
		conn, err := e.Dial(t.Context())
		require.NoError(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", logsPath(web))
		require.NoError(t, err)
		all, err := io.ReadAll(conn)
		require.NoError(t, err)
		header, body, _ := strings.Cut(string(all), "\r\n\r\n")
		require.NotContains(t, header, "Content-Type", "20.10 sends none")
		var chunks []string
		for r := bufio.NewReader(strings.NewReader(body)); ; {
			size, err := r.ReadString('\n')
			require.NoError(t, err)
			var n int
			_, err = fmt.Sscanf(size, "%x", &n)
			require.NoError(t, err)
			chunks = append(chunks, strings.TrimSpace(size))
			_, err = r.Discard(n + 2)
			require.NoError(t, err)
			if n == 0 {
				break
			}
		}
		require.Equal(t, []string{"a", "4008", "e29", "a", "0"}, chunks)
	})
}
