// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"strings"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
)

// Note is a record that no container has written: what there is to say of one. It is in no
// log, so no position moves with it.
type Note struct {
	Time       int64 // nanoseconds since the epoch
	Severity   plog.SeverityNumber
	EventName  string
	Body       string
	Attributes map[string]any // of types that pcommon.Value.FromRaw knows
	UID        UID
}

// NoteUID returns the log.record.uid of a note: it differs from that of every line, and is the
// same for the same container, name and identity.
func NoteUID(container, eventName string, id position.ID) UID {
	var h xxhash.Digest
	h.ResetWithSeed(id.Hash)
	_, _ = h.WriteString(eventName)
	return UIDOf(container, position.ID{Time: id.Time, Hash: h.Sum64()}, 0)
}

// noteSize is what a note takes in memory, near enough, and in OTLP, at most, in bytes.
func noteSize(n Note) int {
	size := 200 + len(n.EventName) + len(n.Body)
	for key, value := range n.Attributes {
		size += 60 + len(key)
		if text, ok := value.(string); ok {
			size += len(text)
		}
	}
	return size
}

// AddNote adds a note behind what the batch holds.
func (b *Batch) AddNote(n Note) {
	b.see(n.Time)
	b.notes = append(b.notes, n)
	b.noteBytes += noteSize(n)
}

func (n Note) appendTo(records plog.LogRecordSlice) {
	record := records.AppendEmpty()
	record.SetTimestamp(pcommon.Timestamp(n.Time))
	record.SetObservedTimestamp(pcommon.Timestamp(n.Time)) // as that of lines
	record.SetEventName(n.EventName)
	record.SetSeverityNumber(n.Severity)
	record.SetSeverityText(strings.ToUpper(n.Severity.String()))
	record.Body().SetStr(n.Body)
	_ = record.Attributes().FromRaw(n.Attributes) // of types that it knows
	record.Attributes().PutStr(AttributeUID, string(n.UID[:]))
}
