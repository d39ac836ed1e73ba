// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

// Package batch holds records on their way to the pipeline and builds plog.Logs of them.
package batch

import (
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Attributes of a record.
const (
	AttributeStream = "log.iostream"
	AttributeUID    = "log.record.uid"
	// AttributeLines is the number of lines of a record that has more than one.
	AttributeLines = "log.record.lines"
)

// A batch is full at whichever of these it reaches first, or at lower limits that it was
// made with; a line may exceed the second alone.
const (
	MaxRecords = 1000
	MaxBytes   = 1 << 20
)

// What a record, and each of its lines, takes in memory beside its text, in bytes, near enough.
const (
	recordOverhead = 48
	lineOverhead   = 24
)

// What a record takes at most in OTLP beside its text and its uid, in bytes, and what its number of
// lines does.
const (
	encodedRecord = 96
	encodedLines  = 36
)

// Origin is the container that records come from. It is not altered once it is used.
type Origin struct {
	ID, Name string
	Resource pcommon.Resource
	// EncodedSize is what the resource takes at most in a call, in bytes of OTLP.
	EncodedSize int
}

// Batch holds records of one container, apart from the reader's buffers.
type Batch struct {
	Origin *Origin
	// Delivered are the sequence numbers and identities of the records' lines, for the
	// position.
	Delivered []position.Delivered
	Records   [stream.Stderr]int // by stream
	Bytes     [stream.Stderr]int // of their bodies
	Cut       int                // records whose body was longer than the limit
	Skipped   int                // records that were dropped
	Joined    int                // records of more than one line
	Oldest    int64              // time of the oldest record, nanoseconds since the epoch

	text       []byte // for each record its uid and its body
	records    []record
	notes      []Note // behind the records
	noteBytes  int    // what they take
	maxRecords int
	maxBytes   int
}

type record struct {
	time  int64
	end   int // of the body in Batch.text
	lines int
	kind  stream.Kind
}

// New returns an empty batch that is full at these limits, or earlier.
func New(maxRecords, maxBytes int) *Batch {
	return &Batch{maxRecords: min(maxRecords, MaxRecords), maxBytes: min(maxBytes, MaxBytes)}
}

// Reset empties a batch, and keeps its memory.
func (b *Batch) Reset() {
	*b = Batch{
		text: b.text[:0], records: b.records[:0], Delivered: b.Delivered[:0],
		maxRecords: b.maxRecords, maxBytes: b.maxBytes,
	}
}

// Len is the number of records, which is 0 where all were dropped.
func (b *Batch) Len() int { return len(b.records) + len(b.notes) }

// Size is the memory that the batch takes, in bytes, near enough.
func (b *Batch) Size() int {
	return len(b.text) + recordOverhead*len(b.records) + lineOverhead*len(b.Delivered) + b.noteBytes
}

// EncodedSize is what the records take at most in a call, in bytes of OTLP. The resource is not in
// it, as batches of one container share it.
func (b *Batch) EncodedSize() int {
	return len(b.text) + encodedRecord*len(b.records) + encodedLines*b.Joined + b.noteBytes
}

// Newest is the time of the last record, in nanoseconds since the epoch; 0 where there is none.
func (b *Batch) Newest() int64 {
	if len(b.records) == 0 {
		return 0
	}
	return b.records[len(b.records)-1].time
}

// Full reports whether the batch should take no more.
func (b *Batch) Full() bool {
	return len(b.records)+b.Skipped >= b.maxRecords || len(b.text) >= b.maxBytes
}

// see notes the time of something that the batch is to hold.
func (b *Batch) see(time int64) {
	if b.Len()+b.Skipped == 0 || time < b.Oldest {
		b.Oldest = time
	}
}

// Skip lets the position move behind the lines of a record that is dropped.
func (b *Batch) Skip(lines ...position.Delivered) {
	b.see(lines[0].ID.Time)
	b.Delivered = append(b.Delivered, lines...)
	b.Skipped++
}

// Add copies a record, and the lines that it is made of, into the batch.
func (b *Batch) Add(rec stream.Record, uid UID, lines ...position.Delivered) {
	b.see(rec.Time)
	b.text = append(b.text, uid[:]...)
	b.text = append(b.text, rec.Body...)
	b.Delivered = append(b.Delivered, lines...)
	b.records = append(b.records, record{time: rec.Time, end: len(b.text), lines: len(lines), kind: rec.Kind})
	b.Records[rec.Kind-1]++
	b.Bytes[rec.Kind-1] += len(rec.Body)
	if rec.Dropped > 0 {
		b.Cut++
	}
	if len(lines) > 1 {
		b.Joined++
	}
}

// Append copies the records of a later batch of the same container behind those of b. It
// reports false, and copies nothing, where they do not fit or bear another resource.
func (b *Batch) Append(later *Batch) bool {
	if b.Origin != later.Origin || len(b.records)+len(later.records) > b.maxRecords || len(b.text)+len(later.text) > b.maxBytes {
		return false
	}
	if len(b.notes) > 0 && len(later.records) > 0 {
		return false // a batch has its notes behind its records
	}
	b.Oldest = min(b.Oldest, later.Oldest)
	for _, r := range later.records {
		r.end += len(b.text)
		b.records = append(b.records, r)
	}
	b.text = append(b.text, later.text...)
	b.Delivered = append(b.Delivered, later.Delivered...)
	for i := range b.Records {
		b.Records[i] += later.Records[i]
		b.Bytes[i] += later.Bytes[i]
	}
	b.Cut += later.Cut
	b.Skipped += later.Skipped
	b.Joined += later.Joined
	b.notes = append(b.notes, later.notes...)
	b.noteBytes += later.noteBytes
	return true
}

// Logs builds data that the pipeline may keep and alter, with a ResourceLogs for each run
// of batches of one container. The same batches always give the same data.
func Logs(batches []*Batch, version string) plog.Logs {
	data := plog.NewLogs()
	var last *Batch
	var records plog.LogRecordSlice
	for i, b := range batches {
		if last == nil || last.Origin != b.Origin {
			from := data.ResourceLogs().AppendEmpty()
			b.Origin.Resource.CopyTo(from.Resource())
			scope := from.ScopeLogs().AppendEmpty()
			scope.Scope().SetName(metadata.ScopeName)
			scope.Scope().SetVersion(version)
			records = scope.LogRecords()
			records.EnsureCapacity(lenOfRun(batches[i:]))
		}
		b.appendTo(records)
		last = b
	}
	return data
}

// lenOfRun is the number of records of the first batches that have one origin.
func lenOfRun(batches []*Batch) (n int) {
	for _, b := range batches {
		if b.Origin != batches[0].Origin {
			break
		}
		n += b.Len()
	}
	return n
}

func (b *Batch) appendTo(records plog.LogRecordSlice) {
	texts := string(b.text) // one string, which all records of the batch share
	start := 0
	for _, r := range b.records {
		record := records.AppendEmpty()
		record.SetTimestamp(pcommon.Timestamp(r.time))
		// The engine is the system that observed the line. A time of our own would make
		// a repeat differ from the first delivery, and backends keep both.
		record.SetObservedTimestamp(pcommon.Timestamp(r.time))
		uid, body := texts[start:start+uidSize], texts[start+uidSize:r.end]
		start = r.end
		if utf8.ValidString(body) {
			record.Body().SetStr(body)
		} else {
			// A string must be UTF-8, bytes need not: the line stays as it is.
			record.Body().SetEmptyBytes().FromRaw([]byte(body))
		}
		attributes := record.Attributes()
		attributes.EnsureCapacity(2)
		attributes.PutStr(AttributeStream, r.kind.String())
		attributes.PutStr(AttributeUID, uid)
		if r.lines > 1 {
			attributes.PutInt(AttributeLines, int64(r.lines))
		}
	}
	for _, n := range b.notes {
		n.appendTo(records)
	}
}
