// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package census

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// held are goroutines that wait until the test ends.
type held struct {
	t       testing.TB
	release chan struct{}
	ready   sync.WaitGroup
	running sync.WaitGroup
}

func hold(t testing.TB) *held {
	h := &held{t: t, release: make(chan struct{})}
	t.Cleanup(func() {
		close(h.release)
		h.running.Wait()
	})
	return h
}

// add starts a goroutine with labels that starts children.
func (h *held) add(children int, labels ...string) {
	h.ready.Add(1 + children)
	h.running.Go(func() {
		pprof.Do(context.Background(), pprof.Labels(labels...), func(context.Context) {
			for range children {
				h.running.Go(h.child)
			}
			h.ready.Done()
			<-h.release
		})
	})
}

func (h *held) child() {
	h.ready.Done()
	deep(12, h.release)
}

// deep waits some frames down, as real goroutines do.
//
//go:noinline
func deep(n int, release chan struct{}) {
	if n > 0 {
		deep(n-1, release)
		return
	}
	select {
	case <-release:
	case <-time.After(time.Hour):
	}
}

func capture(container string) []string {
	return []string{LabelComponent, "docker_logs", LabelContainerID, container, LabelContainerName, "name-" + container, LabelRole, "capture"}
}

func TestContainersNeedWhatTheirRolesSay(t *testing.T) {
	h := hold(t)
	h.add(2, capture("streaming")...)
	h.add(0, capture("idle")...)
	h.add(9, capture("leaking")...)
	h.add(3, capture("hybrid")...)
	h.add(0, append(capture("hybrid"), LabelRole, "deliver")...)
	h.ready.Wait()

	c, err := Take()
	require.NoError(t, err)
	type numbers struct{ count, need int }
	got := map[string]numbers{}
	for id, container := range c.Containers {
		assert.Equal(t, "name-"+id, container.Name)
		got[id] = numbers{container.Count, container.Need}
	}
	assert.Equal(t, map[string]numbers{"streaming": {3, 3}, "idle": {1, 1}, "leaking": {10, 3}, "hybrid": {5, 4}}, got)
	assert.Equal(t, 11, c.Need)
	assert.Equal(t, c.Total-11, c.Excess())
	assert.Equal(t, 19, sumOf(c.Components["docker_logs"]))

	above, leaking := 0, 0
	for origin, n := range c.Above {
		if origin.Component == "docker_logs" {
			above += n
			if strings.HasSuffix(origin.Function, ".child") || strings.HasSuffix(origin.Function, ".child-fm") {
				leaking += n
			}
		}
	}
	assert.Equal(t, 8, above)
	assert.Equal(t, 8, leaking, "%v", c.Above)
}

func TestEndedContainersNeedNothing(t *testing.T) {
	h := hold(t)
	h.add(2, capture("captured")...)
	h.add(2, capture("a")...) // have ended
	h.add(4, capture("b")...)
	ended := map[string]bool{"a": true, "b": true, "forgotten": true}
	count := func() *Census {
		h.ready.Wait()
		c, err := Take()
		require.NoError(t, err)
		assert.Equal(t, 3, c.Containers["a"].Need, "nobody has said that it has ended")
		c.Revoke(ended)
		return c
	}
	aboveOf := func(c *Census) (n int) {
		for origin, above := range c.Above {
			if origin.Component == "docker_logs" {
				n += above
			}
		}
		return n
	}
	c := count()
	assert.Equal(t, []int{3, 0, 0}, []int{c.Containers["captured"].Need, c.Containers["a"].Need, c.Containers["b"].Need})
	assert.Equal(t, 3, c.Need)
	assert.Equal(t, 3+5, aboveOf(c))

	h.add(0, capture("uses the connection that a has opened")...)
	c = count()
	assert.Equal(t, []int{2, 0}, []int{c.Containers["a"].Need, c.Containers["b"].Need})
	assert.Equal(t, 3+1+2, c.Need)
	assert.Equal(t, 1+5, aboveOf(c))
}

func TestTransportGoroutinesAreTheContainers(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	opened := make(chan struct{})
	wg.Go(func() {
		pprof.Do(ctx, pprof.Labels(capture("c1")...), func(ctx context.Context) {
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, http.NoBody)
			resp, err := transport.RoundTrip(req)
			if assert.NoError(t, err) {
				defer resp.Body.Close()
			}
			close(opened)
			<-ctx.Done()
		})
	})
	<-opened
	require.Eventually(t, func() bool {
		c, err := Take()
		return err == nil && c.Containers["c1"] != nil && c.Containers["c1"].Count == 3
	}, 5*time.Second, 5*time.Millisecond)
	c, err := Take()
	require.NoError(t, err)
	assert.Equal(t, 1, c.Origins[Origin{Component: "docker_logs", Function: "net/http.(*persistConn).readLoop"}])
	assert.Equal(t, "net/http.(*Transport).dialConn", Creators(c.Total)["net/http.(*persistConn).readLoop"])
}

func TestLeakedGoroutinesAreFound(t *testing.T) {
	if !CanFindLeaks() {
		_, err := Leaked()
		require.ErrorIs(t, err, ErrUnsupported)
		if os.Getenv("GOEXPERIMENT") != "" || testing.Short() {
			t.Skip("built without goroutineleakprofile")
		}
		// The same test, built with the profile.
		cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-run=^TestLeakedGoroutinesAreFound$", "-v", ".")
		cmd.Env = append(os.Environ(), "GOEXPERIMENT=goroutineleakprofile")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "leaked 7")
		return
	}
	for range 7 {
		go pprof.Do(t.Context(), pprof.Labels(capture("c2")...), func(context.Context) { <-make(chan int) })
	}
	h := hold(t)
	h.add(3, capture("c3")...)
	h.ready.Wait()
	var leaked *Census
	require.Eventually(t, func() bool {
		var err error
		leaked, err = Leaked()
		return err == nil && leaked.Total == 7
	}, 10*time.Second, 10*time.Millisecond)
	require.Len(t, leaked.Containers, 1)
	require.Equal(t, 7, leaked.Containers["c2"].Count)
	t.Logf("leaked %d", leaked.Total)
}

func TestMalformedProfile(t *testing.T) {
	var buf bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&buf, 0))
	unzip, err := gzip.NewReader(&buf)
	require.NoError(t, err)
	raw, err := io.ReadAll(unzip)
	require.NoError(t, err)
	zip := func(raw []byte) []byte {
		var zipped bytes.Buffer
		w := gzip.NewWriter(&zipped)
		_, _ = w.Write(raw)
		require.NoError(t, w.Close())
		return zipped.Bytes()
	}
	_, err = read(zip(raw))
	require.NoError(t, err)
	_, err = read([]byte("no profile"))
	require.Error(t, err)
	_, err = read(zip(append([]byte{0xff, 0xff}, raw...)))
	require.Error(t, err)
	for i := range min(300, len(raw)) {
		_, _ = read(zip(raw[:i])) // an error or not, but no panic
		broken := bytes.Clone(raw)
		broken[i] ^= 0xff
		_, _ = read(zip(broken))
	}
}

func sumOf(states map[State]int) (n int) {
	for _, count := range states {
		n += count
	}
	return n
}

// BenchmarkCensus counts three goroutines for each container. No two containers have the
// same labels, so hardly any two goroutines are counted together: the worst case.
func BenchmarkCensus(b *testing.B) {
	for _, containers := range []int{50, 1667} {
		b.Run(fmt.Sprintf("goroutines=%d", 3*containers), func(b *testing.B) {
			h := hold(b)
			for i := range containers {
				h.add(2, capture(fmt.Sprintf("%064x", i))...)
			}
			h.ready.Wait()
			b.ReportAllocs()
			for b.Loop() {
				if c, err := Take(); err != nil || c.Total < 3*containers {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCreators measures the traces of 5,001 goroutines, which stop the world.
func BenchmarkCreators(b *testing.B) {
	h := hold(b)
	for i := range 1667 {
		h.add(2, capture(fmt.Sprintf("%064x", i))...)
	}
	h.ready.Wait()
	for b.Loop() {
		Creators(5001)
	}
}
