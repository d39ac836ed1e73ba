// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// journaldPath is where Debian has it.
const journaldPath = "/lib/systemd/systemd-journald"

// journaldConfig keeps the journal in the engine's own /run, and keeps all that is written.
const journaldConfig = `[Journal]
Storage=volatile
RateLimitIntervalSec=0
ReadKMsg=no
Audit=no
`

// startJournald starts a journal of the engine's own, for the log driver of that name, and waits until it listens. It ends
// with the namespaces. It takes a root file system of its own: the /run of this machine has another journal.
func (e *Engine) startJournald(ctx context.Context, rootfs string) error {
	if rootfs == "" {
		return errors.New("start a journal: this takes a Version, or DOCKERLOGS_ENGINE, as it needs a root file system of its own")
	}
	run := fmt.Sprintf("/proc/%d/root/run/systemd", e.keeper.pid1)
	if err := os.MkdirAll(run+"/journald.conf.d", 0o755); err != nil {
		return fmt.Errorf("start a journal: %w", err)
	}
	if err := os.WriteFile(run+"/journald.conf.d/test.conf", []byte(journaldConfig), 0o600); err != nil {
		return fmt.Errorf("start a journal: %w", err)
	}
	log, err := os.Create(filepath.Join(e.root, "journald.log"))
	if err != nil {
		return fmt.Errorf("start a journal: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(journaldPath)
	cmd.Stdout, cmd.Stderr = log, log
	if err := e.keeper.start(cmd); err != nil {
		return fmt.Errorf("start a journal: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		if _, err := os.Stat(run + "/journal/socket"); err == nil {
			return nil
		}
		select {
		case err := <-ended:
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("the journal ended before it listened (%w): %s", err, text)
		case <-ctx.Done():
			return fmt.Errorf("wait for the journal to listen: %w", ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}
