// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package losslab

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/losslab/client"
)

// asClient makes this binary the process that is measured.
const asClient = "DOCKERLOGS_LOSSLAB_CLIENT"

func TestMain(m *testing.M) {
	if os.Getenv(asClient) != "" {
		if err := client.Run(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// options returns those of a laboratory in a test.
func options(t *testing.T, e *dockerd.Engine) Options {
	self, err := os.Executable()
	require.NoError(t, err)
	return Options{
		Settings: Settings{Duration: time.Second, Lifetime: 3 * time.Second, Containers: 5, Seed: 1},
		Endpoint: e.Host(), Client: []string{"env", asClient + "=1", self}, Progress: t.Output(), Settle: time.Minute,
	}
}

// TestNothingIsLost is a short run of the laboratory: every strategy, where most is written
// and where logs rotate.
func TestNothingIsLost(t *testing.T) {
	o := options(t, dockerd.Require(t))
	o.Strategies, o.Duration = client.ReceiverStrategies, 20*time.Second
	var err error
	o.Profiles, err = FindProfiles([]string{"high", "rotating"})
	require.NoError(t, err)
	for i := range o.Profiles {
		o.Profiles[i].Together = true // quicker
		if o.Profiles[i].LogOpts != nil {
			// Six readers at once may be late on a busy machine. The engine keeps what they have not read.
			o.Profiles[i].LogOpts = map[string]string{"max-size": "1m", "max-file": "50"}
		}
	}
	lab, err := Run(t.Context(), o)
	require.NoError(t, err)
	require.Len(t, lab.Cells, len(o.Strategies)*len(o.Profiles))
	for _, c := range lab.Cells {
		t.Run(c.Profile+"/"+c.Strategy, func(t *testing.T) {
			assert.NotZero(t, c.Written)
			assert.Zero(t, c.Repeated, "repeated")
			assert.Zero(t, c.Damaged, "damaged")
			assert.Zero(t, c.Goroutines.Left, "goroutines left behind")
			assert.LessOrEqual(t, c.Goroutines.Leaked, 0, "goroutines leaked") // -1: built without the profile
			assert.NotZero(t, c.Requests)
			if c.Lost > 0 && c.Profile == "rotating" && c.Invalid != "" {
				t.Skipf("%d lines lost, perhaps by the engine's follow: %s", c.Lost, c.Invalid)
			}
			assert.Zero(t, c.Lost, "lost")
		})
	}
}

// TestInterrupted ends a run as a Ctrl-C does: it returns what it has and leaves no container.
func TestInterrupted(t *testing.T) {
	e := dockerd.Require(t)
	o := options(t, e)
	o.Strategies, o.Profiles = []string{client.None, "streaming"}, Profiles[:1]
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	o.Done = func(*Lab) { interrupt() }
	lab, err := Run(ctx, o)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, lab.Cells, 1)
	assert.Equal(t, lab.Cells[0].Written, lab.Cells[0].Lost, "nobody read")
	left, err := e.Client().ContainerList(t.Context(), container.ListOptions{All: true})
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"strategies": func(o *Options) { o.Strategies = []string{"psychic"} },
		"containers": func(o *Options) { o.Containers = 0 },
		"duration":   func(o *Options) { o.Duration = 0 },
		"lifetime":   func(o *Options) { o.Lifetime = 0 },
	} {
		o := Options{Settings: Settings{Duration: time.Second, Lifetime: time.Second, Containers: 1}}
		change(&o)
		_, err := Run(t.Context(), o)
		assert.ErrorContains(t, err, name+":")
	}
}
