// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// TestNotesStandBehindLines holds that notes go out in their place, and are no lines.
func TestNotesStandBehindLines(t *testing.T) {
	origin, _ := OriginOf(all(), goldenInfo, goldenContainer())
	line := func(text string) *Batch {
		b := newBatch()
		b.Origin = origin
		b.Add(stream.Record{Time: 7, Kind: stream.Stdout, Body: []byte(text)}, UID{}, position.Delivered{Seq: 1})
		return b
	}
	note := newBatch()
	note.Origin = origin
	empty := note.Size()
	note.AddNote(Note{
		Time: 5, Severity: plog.SeverityNumberError, EventName: "test.event", Body: "a note",
		Attributes: map[string]any{"code": int64(3), "name": "value"}, UID: NoteUID("id", "test.event", position.ID{Time: 5}),
	})
	assert.Greater(t, note.Size(), empty)
	assert.EqualValues(t, 5, note.Oldest)

	b := line("before")
	require.True(t, b.Append(note))
	assert.False(t, b.Append(line("after")), "it would stand before the note")
	assert.Equal(t, 2, b.Len())
	assert.Equal(t, [stream.Stderr]int{1, 0}, b.Records)
	assert.EqualValues(t, 5, b.Oldest)
	assert.Len(t, b.Delivered, 1)

	records := Logs([]*Batch{b, line("after")}, "").ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	var bodies []string
	for _, rec := range records.All() {
		bodies = append(bodies, rec.Body().Str())
	}
	assert.Equal(t, []string{"before", "a note", "after"}, bodies)
	rec := records.At(1)
	assert.Equal(t, "test.event", rec.EventName())
	assert.Equal(t, plog.SeverityNumberError, rec.SeverityNumber())
	assert.Equal(t, "ERROR", rec.SeverityText())
	assert.EqualValues(t, 5, rec.Timestamp())
	assert.EqualValues(t, 5, rec.ObservedTimestamp())
	uid := NoteUID("id", "test.event", position.ID{Time: 5})
	assert.Equal(t, map[string]any{"code": int64(3), "name": "value", AttributeUID: string(uid[:])}, rec.Attributes().AsRaw())

	b.Reset()
	assert.Zero(t, b.Len())
	assert.Equal(t, empty, b.Size())
}

func TestNoteUIDsDiffer(t *testing.T) {
	id := position.ID{Time: 1, Hash: 2}
	uids := map[UID]bool{
		UIDOf("a", id, 0):                                true,
		NoteUID("a", "x", id):                            true,
		NoteUID("b", "x", id):                            true,
		NoteUID("a", "y", id):                            true,
		NoteUID("a", "x", position.ID{Time: 1, Hash: 3}): true,
		NoteUID("a", "x", position.ID{Time: 2, Hash: 2}): true,
	}
	assert.Len(t, uids, 6)
	assert.Equal(t, NoteUID("a", "x", id), NoteUID("a", "x", id))
}

// TestSkip holds that what is dropped moves the position, takes memory, and fills a batch.
func TestSkip(t *testing.T) {
	b := New(10, 1000)
	b.Origin = &Origin{ID: "a"}
	for i := range 10 {
		require.False(t, b.Full())
		b.Skip(position.Delivered{Seq: uint64(i), ID: position.ID{Time: 100 - int64(i)}})
	}
	assert.True(t, b.Full())
	assert.Zero(t, b.Len())
	assert.Positive(t, b.Size())
	assert.EqualValues(t, 91, b.Oldest)
	assert.Len(t, b.Delivered, 10)
	other := New(10, 1000)
	other.Origin = b.Origin
	other.Skip(position.Delivered{Seq: 10, ID: position.ID{Time: 1}})
	size := b.Size() + other.Size()
	require.True(t, b.Append(other))
	assert.Equal(t, 11, b.Skipped)
	assert.Equal(t, size, b.Size())
	assert.EqualValues(t, 1, b.Oldest)
	b.Reset()
	assert.Zero(t, b.Size())
}
