// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cutter is a proxy between a receiver and the engine that can cut what goes through it.
type cutter struct {
	path    string // of its socket
	target  string
	serving sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

func newCutter(t *testing.T, target string) *cutter {
	p := &cutter{path: filepath.Join(t.TempDir(), "s"), target: target, conns: make(map[net.Conn]struct{})}
	listener, err := net.Listen("unix", p.path)
	require.NoError(t, err)
	p.serving.Go(func() { // ends with the listener
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			p.serving.Go(func() { p.pass(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.mu.Lock()
		p.closed = true
		p.mu.Unlock()
		p.cut()
		p.serving.Wait()
	})
	return p
}

// pass carries a connection until either side, or cut, ends it.
func (p *cutter) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("unix", p.target)
	if err != nil {
		return
	}
	defer to.Close()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return
	}
	p.conns[from], p.conns[to] = struct{}{}, struct{}{}
	p.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(to, from)
		_ = to.Close()
	}()
	_, _ = io.Copy(from, to)
	_ = from.Close()
	<-done
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, from)
	delete(p.conns, to)
}

// cut closes every connection and returns how many there were.
func (p *cutter) cut() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
	return len(p.conns) / 2 // each has two ends
}
