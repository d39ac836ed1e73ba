// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/matrix"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// cell is what a receiver saw of a scenario.
type cell = matrix.Seen

// record books a cell of docs/conformance.md, in the directory that DOCKERLOGS_MATRIX names, if it does. scenario is a row
// there: a few words that say what happens. Record what was seen before judging it.
func record(t testing.TB, engine interface {
	Version(context.Context) (string, error)
}, strategy dockerlogsreceiver.Strategy, scenario string, seen cell,
) {
	t.Helper()
	dir := os.Getenv("DOCKERLOGS_MATRIX")
	if dir == "" {
		return
	}
	version, err := engine.Version(t.Context())
	require.NoError(t, err)
	require.NoError(t, matrix.Append(dir, matrix.Cell{Engine: version, Strategy: string(strategy), Scenario: scenario, Seen: seen}))
}

// seen returns what became of the lines that a container was to write, by the ledger and by the warning that every gap has.
func (r *receiver) seen(container string, written int) cell {
	tally := r.tally(container)
	return cell{
		Written: written, Lost: int(tally.Lost), Repeated: int(tally.Repeated), Damaged: int(tally.Damaged), Gaps: r.gapsOf(container),
	}
}

// gapsOf counts the gaps of one container.
func (r *receiver) gapsOf(container string) (n int) {
	for _, entry := range r.warnings.All() {
		if fields := entry.ContextMap(); fields["container.name"] == container && fields["remedy"] != nil {
			n++
		}
	}
	return n
}
