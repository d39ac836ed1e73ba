// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// process is a client at work.
type process struct {
	cmd     *exec.Cmd
	orders  *json.Encoder
	stdin   io.Closer
	samples []client.Sample
	ready   chan client.Ready
	result  chan *client.Result // has one value, nil if the process ended without
}

// launch starts a client and gives it its job. It dies with ctx.
func launch(ctx context.Context, command []string, job client.Job) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, command[0], command[1:]...), ready: make(chan client.Ready, 1), result: make(chan *client.Result, 1)}
	p.cmd.Stderr = os.Stderr
	detach(p.cmd)
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open the client's stdin: %w", err)
	}
	p.stdin, p.orders = stdin, json.NewEncoder(stdin)
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("open the client's stdout: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the client: %w", err)
	}
	go p.listen(stdout)
	if err := p.orders.Encode(job); err != nil {
		p.end()
		return nil, fmt.Errorf("give the client its job: %w", err)
	}
	return p, nil
}

// listen owns samples until it has sent the result.
func (p *process) listen(stdout io.Reader) {
	defer close(p.result)
	for messages := json.NewDecoder(stdout); ; {
		var m client.Message
		if err := messages.Decode(&m); err != nil {
			return
		}
		switch {
		case m.Ready != nil:
			p.ready <- *m.Ready
		case m.Sample != nil:
			p.samples = append(p.samples, *m.Sample)
		case m.Result != nil:
			p.result <- m.Result
			return
		}
	}
}

var errClient = errors.New("the client ended without a result: see what it said")

// awaitReady waits until the reader is at work.
func (p *process) awaitReady(ctx context.Context) (client.Ready, error) {
	select {
	case ready := <-p.ready:
		return ready, nil
	case <-p.result:
		return client.Ready{}, errClient
	case <-ctx.Done():
		return client.Ready{}, ctx.Err()
	}
}

// finish tells the client that all is written, and waits for what it has to say.
func (p *process) finish(ctx context.Context, order client.Finish) (*client.Result, error) {
	if err := p.orders.Encode(order); err != nil {
		return nil, errClient
	}
	ctx, cancel := context.WithTimeout(ctx, finishPatience+order.Quiet)
	defer cancel()
	select {
	case result := <-p.result:
		if result == nil {
			return nil, errClient
		}
		return result, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for the client's result: %w", ctx.Err())
	}
}

// finishPatience is for a client that is still busy with what was written, and for its end.
const finishPatience = 5 * time.Minute

// end makes sure that the process is gone.
func (p *process) end() {
	_ = p.stdin.Close()
	_ = p.cmd.Process.Kill() // it has nothing more to say
	_ = p.cmd.Wait()
}
