// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
)

// busy is how long the machine's processors have been at work since it started, all of them together.
func busy() time.Duration {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(text, []byte{'\n'})
	var ticks int64
	for i, field := range strings.Fields(string(first)) {
		// The first field is a name; idle and iowait are the fourth and fifth number, guests are counted in user.
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.ParseInt(field, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100) // USER_HZ
}

// daemonCPU is 0 for an engine that is not ours.
func daemonCPU(e *dockerd.Engine) time.Duration {
	used, err := e.CPU()
	if err != nil {
		return 0
	}
	return used
}

// containersCPU is what containers have used since they were started.
func containersCPU(ctx context.Context, e *dockerd.Engine, containers []*dockerd.Container) (total time.Duration, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for _, c := range containers {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			used, statsErr := containerCPU(ctx, e, c.ID)
			mu.Lock()
			defer mu.Unlock()
			total += used
			if statsErr != nil {
				err = statsErr
			}
		})
	}
	wg.Wait()
	return total, err
}

func containerCPU(ctx context.Context, e *dockerd.Engine, id string) (time.Duration, error) {
	answer, err := e.Client().ContainerStatsOneShot(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("ask for a container's processor time: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	var stats container.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		return 0, fmt.Errorf("read a container's processor time: %w", err)
	}
	return time.Duration(stats.CPUStats.CPUUsage.TotalUsage), nil
}
