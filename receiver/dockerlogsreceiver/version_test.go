// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
)

// replaceable returns a function that puts another engine in the place of the fixture's, for
// connections to come.
func (f *fixture) replaceable() (replace func(*enginetest.Engine)) {
	var current atomic.Pointer[enginetest.Engine]
	current.Store(f.engine)
	f.r.configureDial = func(c *engine.Config) {
		c.Dial = func(ctx context.Context) (net.Conn, error) { return current.Load().Dial(ctx) }
	}
	return current.Store
}

// TestEngineThatServesOtherVersions: that is said once, with both versions, and capturing
// begins when the engine is replaced by one that serves ours.
func TestEngineThatServesOtherVersions(t *testing.T) {
	for name, test := range map[string]struct{ oldest, newest, pinned, says string }{
		"too new":         {"1.60", "1.71", "", "speaks none newer than 1.51"},
		"pinned, too new": {"1.12", "1.40", "1.45", "api_version is 1.45, and the engine serves the versions 1.12 to 1.40"},
		"pinned, too old": {"1.46", "1.56", "1.45", "api_version is 1.45, and the engine serves the versions 1.46 to 1.56"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				other := enginetest.New(enginetest.APIVersions(test.oldest, test.newest))
				defer other.Close()
				other.Add(enginetest.ContainerSpec{Name: "web", Running: true})
				f.cfg.APIVersion = test.pinned
				replace := f.replaceable()
				replace(other)
				f.start()
				f.pass(time.Hour)
				said := f.logs.FilterMessageSnippet("does not serve this version of its API").All()
				require.Len(t, said, 1)
				assert.Equal(t, zap.ErrorLevel, said[0].Level)
				assert.Contains(t, said[0].ContextMap()["error"], test.says)
				assert.Len(t, f.messages(), 1)
				assert.Equal(t, []componentstatus.Status{statusRecoverable}, f.host.statuses())
				assert.Less(t, len(other.Requests()), 1000, "in an hour")

				replace(f.engine)
				other.Down()
				c := f.container("web")
				write(c, 1, 3)
				f.expectLines(1, 3)
				assert.Equal(t, []componentstatus.Status{statusRecoverable, statusOK}, f.host.statuses())
				assert.Equal(t, 1, f.logged(zap.InfoLevel, "answers again"))
				assert.Len(t, f.messages(), 2)
			}, enginetest.Docker29())
		})
	}
}

// TestEngineThatIsReplacedByATooNewOne: it had been away, which has been said already.
func TestEngineThatIsReplacedByATooNewOne(t *testing.T) {
	inBubble(t, func(f *fixture) {
		other := enginetest.New(enginetest.APIVersions("1.60", "1.71"))
		defer other.Close()
		replace := f.replaceable()
		c := f.followed()
		write(c, 1, 3)
		f.expectLines(1, 3)
		f.engine.Down()
		f.pass(time.Minute)
		replace(other)
		f.pass(time.Hour)
		assert.Equal(t, 1, f.logged(zap.WarnLevel, "does not answer"))
		assert.Equal(t, 1, f.logged(zap.ErrorLevel, "does not serve this version of its API"))
		assert.Equal(t, []componentstatus.Status{statusRecoverable}, f.host.statuses())
		replace(f.engine)
		other.Down() // else a connection to it that is kept alive could be used for ever
		f.engine.Up()
		write(c, 4, 6)
		f.expectLines(1, 6)
	})
}

// TestAPIVersions captures from engines of every version, as they have been released.
func TestAPIVersions(t *testing.T) {
	for name, versions := range map[string][2]string{
		"20.10": {"1.12", "1.41"}, "23.0": {"1.12", "1.42"}, "24.0": {"1.12", "1.43"}, "25.0": {"1.24", "1.44"}, "26.1": {"1.24", "1.45"},
		"27.5": {"1.24", "1.47"}, "28.5": {"1.24", "1.51"}, "29.0": {"1.44", "1.52"}, "29.7": {"1.40", "1.56"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(f *fixture) {
				c := f.followed()
				write(c, 1, 3)
				f.expectLines(1, 3)
				assert.Empty(t, f.messages())
			}, enginetest.APIVersions(versions[0], versions[1]))
		})
	}
}
