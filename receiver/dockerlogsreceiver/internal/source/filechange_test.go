// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// perSecond writes the next n lines, one a second: more log time than a position remembers.
func (f *fixture) perSecond(n int) { f.numberEvery(time.Second, n) }

// TestFileRewrittenInPlace: an operator has kept the end of the log only. What comes again is
// not delivered again.
func TestFileRewrittenInPlace(t *testing.T) {
	withFilesOf(t, "json-file", enginetest.ContainerSpec{}, func(f *fixture) {
		f.perSecond(300)
		f.complete(file)
		f.accept()
		f.number(1)
		f.complete(file)
		f.accept()
		text, err := os.ReadFile(f.path())
		require.NoError(f.t, err)
		log, err := os.OpenFile(f.path(), os.O_WRONLY|os.O_TRUNC, 0)
		require.NoError(f.t, err)
		_, err = log.Write(bytes.Join(bytes.SplitAfter(text, []byte("\n"))[100:], nil))
		require.NoError(f.t, err)
		require.NoError(f.t, log.Close())
		f.number(3)
		assert.Equal(f.t, 3, f.read(file).New)
		assert.Equal(f.t, []Gap{GapRotated}, f.gaps, "the engine may have written more before that")
		assert.Equal(f.t, lineNumbers(0, 304), f.taken)
	})
}

// TestFileRemovedByHand: the files that are older than the one that was removed have been read.
func TestFileRemovedByHand(t *testing.T) {
	withFilesOf(t, "json-file", enginetest.ContainerSpec{DriverOpts: map[string]string{"max-file": "3", "max-size": "10k"}}, func(f *fixture) {
		f.perSecond(200)
		f.complete(file)
		f.accept()
		f.container.Rotate(200)
		f.perSecond(100)
		f.complete(file)
		f.accept()
		f.complete(file)
		require.NoError(f.t, os.Remove(f.path()))
		f.number(3)
		assert.Equal(f.t, 3, f.read(file).New)
		assert.Equal(f.t, []Gap{GapRotated}, f.gaps)
		assert.Equal(f.t, lineNumbers(0, 303), f.taken)
	})
}

// TestHalfARecordAtTheEnd: nobody writes the other half of a container that has ended, and what
// the engine has written behind it is no part of it.
func TestHalfARecordAtTheEnd(t *testing.T) {
	withFilesOf(t, "local", enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(10)
		f.complete(file)
		log, err := os.OpenFile(f.path(), os.O_WRONLY|os.O_APPEND, 0)
		require.NoError(f.t, err)
		_, err = log.WriteString("\x00\x00\x3e\x80" + "\x0a\x06stdout" + strings.Repeat("y", 4084)) // of 16,000 bytes
		require.NoError(f.t, err)
		require.NoError(f.t, log.Close())
		f.number(50)
		f.complete(file)
		assert.Len(f.t, f.taken, 10, "it may become whole")
		f.container.Exit(0)
		f.read(file)
		assert.Equal(f.t, []Gap{GapUnreadableRecord}, f.gaps)
		assert.Equal(f.t, lineNumbers(0, 60), f.taken)
		assert.True(f.t, f.source.FullyRead())
		f.container.Start()
		f.number(5)
		f.read(file)
		assert.Equal(f.t, lineNumbers(0, 65), f.taken)
		assert.Empty(f.t, f.gaps)
	})
}

// TestFilesHeedTheContext: a long log does not hold up the end.
func TestFilesHeedTheContext(t *testing.T) {
	withFilesOf(t, "json-file", enginetest.ContainerSpec{}, func(f *fixture) {
		f.shared.Files.proven.Store(true)
		f.number(20_000)
		ctx, cancel := context.WithCancel(f.t.Context())
		cancel()
		assert.Equal(f.t, Stopped, f.readFor(ctx, file).End)
		assert.Less(f.t, len(f.taken), 10_000)
		f.complete(file)
		assert.Equal(f.t, lineNumbers(0, 20_000), f.taken, "later it goes on")
	})
}

// TestProofThatTheEngineDoesNotGive: the files are left for another strategy.
func TestProofThatTheEngineDoesNotGive(t *testing.T) {
	for name, fault := range map[string]func(*enginetest.Container){
		"newest record unreadable": func(c *enginetest.Container) { c.Poison(9, "unexpected EOF") },
		"no tail is answered":      func(c *enginetest.Container) { c.SetFaults(enginetest.Faults{HangTail: true}) },
	} {
		t.Run(name, func(t *testing.T) {
			withFilesOf(t, "json-file", enginetest.ContainerSpec{}, func(f *fixture) {
				f.number(10)
				fault(f.container)
				assert.Equal(f.t, NoFile, f.read(file).End)
			})
		})
	}
}

// TestHeldFilesAreReadFromTheOldest: what is held of a container that nothing is known of is the
// file that the engine writes, which has rotated by the time that more is known.
func TestHeldFilesAreReadFromTheOldest(t *testing.T) {
	withFilesOf(t, "json-file", enginetest.ContainerSpec{DriverOpts: map[string]string{"max-file": "3", "max-size": "10k"}}, func(f *fixture) {
		f.shared.Files.proven.Store(true)
		f.number(50)
		f.container.Rotate(50)
		f.number(10)
		require.True(f.t, f.source.Hold(&engine.Container{Summary: engine.Summary{ID: f.container.ID(), Running: true}, Unseen: true}))
		f.complete(file)
		assert.Equal(f.t, lineNumbers(0, 60), f.taken)
	})
}

// TestKnownRecordsAreNotForgottenBeforeTheyAreMet: the pipeline accepts what the API has brought
// while the files are passed over up to there.
func TestKnownRecordsAreNotForgottenBeforeTheyAreMet(t *testing.T) {
	withFilesOf(t, "json-file", enginetest.ContainerSpec{}, func(f *fixture) {
		const lines = 3 * trimEvery
		f.numberEvery(100*time.Millisecond, lines)
		f.complete(api)
		f.shared.Files.proven.Store(true)
		details, err := f.client.Inspect(f.t.Context(), f.container.ID())
		require.NoError(f.t, err)
		r := &reading{Source: f.source, container: &details, out: f, began: f.source.pos.End()}
		require.NoError(f.t, r.openFiles(f.t.Context()))
		a := &answer{reading: r, judge: r.files.judge, records: r.files.lines}
		for i := range lines {
			if i == trimEvery/2 {
				f.accept()
			}
			chunk, err := r.files.log.Next()
			require.NoError(f.t, err)
			r.files.add(chunk, a)
		}
		assert.Equal(f.t, lineNumbers(0, lines), f.taken, "once")
		assert.Less(f.t, f.source.pos.End()-f.source.pos.Oldest(), uint64(2*position.MaxRecords))
	})
}
