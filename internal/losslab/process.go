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

// clientTimeout is for a client that is still busy with what was written, and for its end.
const clientTimeout = 5 * time.Minute

// process is a running client.
type process struct {
	cmd      *exec.Cmd
	orders   *json.Encoder
	stdin    io.Closer
	messages chan client.Message // closed when the process has ended
}

// startClient starts a client with a job. It is killed when ctx ends.
func startClient(ctx context.Context, command []string, job client.Job) (*process, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("open the client's stdin: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("open the client's stdout: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the client: %w", err)
	}
	// There is room for all that a client reports, so that nobody has to read it.
	p := &process{cmd: cmd, orders: json.NewEncoder(stdin), stdin: stdin, messages: make(chan client.Message, 3)}
	go p.listen(stdout)
	if err := p.orders.Encode(job); err != nil {
		p.end()
		return nil, fmt.Errorf("send the client its job: %w", err)
	}
	return p, nil
}

func (p *process) listen(stdout io.Reader) {
	defer close(p.messages)
	for reports := json.NewDecoder(stdout); ; {
		var m client.Message
		if err := reports.Decode(&m); err != nil {
			return
		}
		p.messages <- m
		if m.Result != nil {
			return
		}
	}
}

var errClient = errors.New("the client ended without a result: its stderr has the reason")

// next waits for the client's next message.
func (p *process) next(ctx context.Context) (client.Message, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, clientTimeout, errors.New("the client did not answer in time"))
	defer cancel()
	select {
	case m, ok := <-p.messages:
		if !ok {
			return m, errClient
		}
		return m, nil
	case <-ctx.Done():
		return client.Message{}, context.Cause(ctx)
	}
}

// end makes sure that the process is gone.
func (p *process) end() {
	_ = p.stdin.Close()
	_ = p.cmd.Process.Kill() // it has nothing more to report
	_ = p.cmd.Wait()
}
