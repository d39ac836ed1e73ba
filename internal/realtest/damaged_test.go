// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

// TestRealDamaged damages json-files: with NULs, as a crash of the machine leaves them, and
// torn at the end, as a crash of the engine or a full disk does. What can be read must
// arrive, what is missing must be told, and nobody may ask again and again.
func TestRealDamaged(t *testing.T) {
	e := logstest.Engine(t)
	if !e.Private() {
		t.Skip("not on an engine that others use")
	}
	importScribe(t, e)
	for _, test := range []struct {
		name    string
		backlog bool // it is damaged before anybody has read it
		damage  func(*scribe)
		gaps    int64 // at most
	}{
		{"middle-of-backlog", true, func(s *scribe) { s.overwrite(20_000, 300) }, 1},
		{"far-in-a-backlog", true, func(s *scribe) { s.overwrite(s.size()-20_000, 300) }, 1},
		{"middle-of-read", false, func(s *scribe) { s.overwrite(20_000, 300) }, 0},
		{"end-of-read", false, func(s *scribe) { s.overwrite(s.size()-300, 299) }, 1},
		{"torn-end", false, func(s *scribe) {
			s.end()
			require.NoError(t, os.Truncate(s.log, s.size()-60))
			s.begin()
		}, 1},
		{"torn-end-of-backlog", true, func(s *scribe) {
			s.end()
			require.NoError(t, os.Truncate(s.log, s.size()-60))
			s.begin()
		}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScribe(t, e, test.name, jsonFile)
			look := func() *conformanceRun {
				return sideBySide(t, e, func(cfg *dockerlogsreceiver.Config) {
					cfg.StartAt = dockerlogsreceiver.StartAtBeginning
					cfg.Include = []dockerlogsreceiver.Match{{Name: s.Name}}
				})
			}
			var run *conformanceRun
			if !test.backlog {
				run = look()
			}
			s.write(3_000)
			s.logged(3_000)
			if run != nil {
				run.have(s)
			}
			test.damage(s)
			if run == nil {
				run = look()
			}
			lines := s.lines()
			s.write(500)
			s.logged(lines + 500)
			lost := 0
			if missing := int(s.options.Lines) - len(s.held()); test.backlog {
				lost = missing
			} else if test.name == "torn-end" {
				lost = missing - 1 // which had been read before
			}
			run.lack(s, lost)
			s.end()
			s.begin()
			s.write(500)
			run.lack(s, lost)
			s.end()
			run.drained()
			run.each(func(row *row) {
				row.stop()
				tally := row.summary(t, s.Name)
				record(t, e, row.strategy, "a record is damaged: "+strings.ReplaceAll(test.name, "-", " "), row.seen(s.Name, int(s.options.Lines)))
				// A follow that was there in time may have got what stands behind a torn record.
				assert.LessOrEqual(t, tally.Lost, uint64(lost), "%s: lost", row.strategy)
				assert.Zero(t, tally.Repeated, "%s: repeated", row.strategy)
				assert.Zero(t, tally.Damaged, "%s: damaged", row.strategy)
				gaps, most := row.metric("gaps"), test.gaps
				if row.strategy == dockerlogsreceiver.StrategyFile && test.name == "torn-end" {
					most++ // of a file that has become shorter what was written before that may be missing
				}
				assert.LessOrEqual(t, gaps, most, "%s: gaps", row.strategy)
				if tally.Lost > 0 {
					assert.Positive(t, gaps, "%s: gaps", row.strategy)
				}
				assert.LessOrEqual(t, row.logRequests(), int64(200), "%s: requests for the log", row.strategy)
				assert.Zero(t, row.SameUID(), "%s: records that share a log.record.uid", row.strategy)
			})
		})
	}
}

func (s *scribe) size() int64 {
	s.t.Helper()
	info, err := os.Stat(s.log)
	require.NoError(s.t, err)
	return info.Size()
}

// overwrite puts n NULs into the newest file of the log.
func (s *scribe) overwrite(offset int64, n int) {
	s.t.Helper()
	file, err := os.OpenFile(s.log, os.O_WRONLY, 0)
	require.NoError(s.t, err)
	_, err = file.WriteAt(make([]byte, n), offset)
	require.NoError(s.t, err)
	require.NoError(s.t, file.Close())
}

// held returns the numbers of the lines that the newest file of the log holds whole, each in
// a line of its own: what is behind a torn record in the same line cannot be read over the
// API.
func (s *scribe) held() map[uint64]bool {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	require.NoError(s.t, err)
	held := make(map[uint64]bool)
	for line := range bytes.Lines(text) {
		var record struct{ Log string }
		var name string
		var seq uint64
		if json.Unmarshal(line, &record) != nil {
			continue
		}
		if _, err := fmt.Sscan(record.Log, &name, &seq); err == nil {
			held[seq] = true
		}
	}
	return held
}
