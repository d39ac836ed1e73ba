// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerd

import (
	"fmt"
	"os"
)

// BytesRead is how many bytes the daemon has read since it was last started: from files, cached ones too, from pipes and
// from sockets.
func (e *Engine) BytesRead() (n int64, err error) {
	p, err := e.running()
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", p.Pid))
	if err != nil {
		return 0, fmt.Errorf("read what the daemon has read: %w", err)
	}
	if _, err := fmt.Sscanf(string(text), "rchar: %d", &n); err != nil {
		return 0, fmt.Errorf("read what the daemon has read: %q: %w", text, err)
	}
	return n, nil
}
