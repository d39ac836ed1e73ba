// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestNetwork has containers of two engines reach a listener of the network, until one of the engines is cut off, loses
// its power and comes back.
func TestNetwork(t *testing.T) {
	for _, tool := range []string{"ip", "nsenter", "bash"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	ctx := testContext(t)
	var engines []*Engine
	for range 2 {
		e := Require(t, Options{Installed: true})
		if !e.Private() {
			t.Skip("not for an engine that others use")
		}
		engines = append(engines, e)
	}
	n, err := OpenNetwork(ctx, netip.MustParsePrefix("10.84.0.1/24"))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, n.Close()) })
	for i, address := range []string{"10.84.0.2/24", "10.84.0.3/24"} {
		require.NoError(t, n.Join(ctx, engines[i], netip.MustParsePrefix(address)))
	}
	listener, err := n.Listen(4317)
	require.NoError(t, err)
	defer listener.Close()
	reaches := func(e *Engine) error {
		return e.keeper.run(exec.Command("bash", "-c", "echo hello >/dev/tcp/10.84.0.1/4317"))
	}
	for i, want := range []string{"10.84.0.2", "10.84.0.3"} {
		require.NoError(t, reaches(engines[i]))
		conn, err := listener.Accept()
		require.NoError(t, err)
		assert.Equal(t, want, netip.MustParseAddrPort(conn.RemoteAddr().String()).Addr().String())
		said, err := io.ReadAll(conn)
		require.NoError(t, err)
		assert.Equal(t, "hello\n", string(said))
		require.NoError(t, conn.Close())
	}

	other := engines[1]
	require.NoError(t, n.Cut(ctx, other))
	cut := other.keeper.run(exec.Command("timeout", "1", "bash", "-c", "echo hello >/dev/tcp/10.84.0.1/4317"))
	require.Error(t, cut, "it is cut off")
	require.NoError(t, n.Mend(ctx, other))

	c := runHello(ctx, t, other, ContainerSpec{Cmd: []string{"-stay"}})
	require.NoError(t, other.PowerCut())
	require.ErrorIs(t, other.PowerCut(), ErrNotRunning)
	require.NoError(t, other.Start(ctx))
	assert.Equal(t, "exited", state(ctx, t, c))
	require.NoError(t, reaches(other), "its network is as it was")

	info, err := other.Client().Info(ctx)
	require.NoError(t, err)
	assert.Equal(t, "/var/lib/docker", info.DockerRootDir)
	_, err = os.Stat(filepath.Join(other.DataRoot(), "containers", c.ID))
	require.NoError(t, err, "its files are where the others' are, from outside")
	require.NoError(t, other.keeper.run(exec.Command("test", "-S", "/var/run/docker.sock")))
}
