// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
)

// Network joins private engines by an Ethernet, on which each has an address of its own. The switch stands in a room, on
// the network too, from which nothing leads outside. It takes the programs nsenter and ip.
type Network struct {
	room  *Room
	ports map[*Engine]string // the room's ends of the cables
}

// OpenNetwork makes a network, with an address for the room itself.
func OpenNetwork(ctx context.Context, address netip.Prefix) (*Network, error) {
	room, err := OpenRoom(ctx, "")
	if err != nil {
		return nil, err
	}
	n := &Network{room: room, ports: make(map[*Engine]string)}
	err = errors.Join(
		n.ip(ctx, room.keeper, "link", "add", "switch", "type", "bridge"),
		n.ip(ctx, room.keeper, "address", "add", address.String(), "dev", "switch"),
		n.ip(ctx, room.keeper, "link", "set", "switch", "up"),
	)
	if err != nil {
		return nil, errors.Join(err, room.Close())
	}
	return n, nil
}

// Join plugs a private engine in, which has the address until it is closed. It must be called once for each engine.
func (n *Network) Join(ctx context.Context, e *Engine, address netip.Prefix) error {
	if !e.Private() {
		return ErrNotPrivate
	}
	port := "port" + strconv.Itoa(len(n.ports)+1)
	err := n.ip(ctx, n.room.keeper, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", "/proc/"+strconv.Itoa(e.keeper.pid1)+"/ns/net")
	if err != nil {
		return err
	}
	n.ports[e] = port
	return errors.Join(
		n.ip(ctx, n.room.keeper, "link", "set", port, "master", "switch", "up"),
		n.ip(ctx, e.keeper, "address", "add", address.String(), "dev", "eth0"),
		n.ip(ctx, e.keeper, "link", "set", "eth0", "up"),
	)
}

// Cut unplugs the engine at the switch: packets are lost and nobody is told.
func (n *Network) Cut(ctx context.Context, e *Engine) error {
	return n.ip(ctx, n.room.keeper, "link", "set", n.ports[e], "down")
}

// Mend plugs it in again.
func (n *Network) Mend(ctx context.Context, e *Engine) error {
	return n.ip(ctx, n.room.keeper, "link", "set", n.ports[e], "up")
}

// Listen listens on a TCP port of the room.
func (n *Network) Listen(port int) (net.Listener, error) {
	var listener net.Listener
	err := n.room.keeper.onItsNetwork(func() (err error) {
		listener, err = net.Listen("tcp", ":"+strconv.Itoa(port)) // a socket stays in the namespace that it was made in
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on the network of engines: %w", err)
	}
	return listener, nil
}

// Close removes the switch, with all cables.
func (n *Network) Close() error { return n.room.Close() }

// ip runs the program of that name in the network namespace that a keeper holds.
func (*Network) ip(ctx context.Context, k *keeper, args ...string) error {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"--net=/proc/" + strconv.Itoa(k.pid1) + "/ns/net", "ip"}, args...)...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", cmd, err, bytes.TrimSpace(output))
	}
	return nil
}
