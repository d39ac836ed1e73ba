// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

// Attributes of a record.
const (
	attributeStream = "log.iostream"
	attributeUID    = "log.record.uid"
)

// A batch is full at whichever of these it reaches first; a line may exceed the
// second alone.
const (
	maxBatchRecords = 1000
	maxBatchBytes   = 1 << 20
)

// uidSize is the length of a log.record.uid: the time and a hash, in hex.
const uidSize = 32

// batch holds records on their way downstream, apart from the reader's buffers.
type batch struct {
	resource pcommon.Resource // of the container; not to be altered
	text     []byte           // for each record its uid and its body
	records  []batched
	marks    []mark             // of the records, for the position
	counts   [stream.Stderr]int // records by stream
	bytes    [stream.Stderr]int // of their bodies
	cut      int                // of them longer than the limit
	read     time.Time          // when the first was added
}

type batched struct {
	time int64
	end  int // of the body in batch.text
	kind stream.Kind
}

func (b *batch) reset() {
	*b = batch{text: b.text[:0], records: b.records[:0], marks: b.marks[:0]}
}

// size is the memory that the batch holds, in bytes, near enough.
func (b *batch) size() int { return len(b.text) + 40*len(b.records) }

func (b *batch) full() bool {
	return len(b.records) >= maxBatchRecords || len(b.text) >= maxBatchBytes
}

func (b *batch) add(rec stream.Record, m mark, uid [uidSize]byte) {
	if len(b.records) == 0 {
		b.read = time.Now()
	}
	b.text = append(b.text, uid[:]...)
	b.text = append(b.text, rec.Body...)
	b.marks = append(b.marks, m)
	b.records = append(b.records, batched{time: rec.Time, end: len(b.text), kind: rec.Kind})
	b.counts[rec.Kind-1]++
	b.bytes[rec.Kind-1] += len(rec.Body)
	if rec.Dropped > 0 {
		b.cut++
	}
}

// uidOf makes a record's log.record.uid. It is the same whenever the record is read,
// and sorts by time. ordinal tells records that are equal in all else apart.
func uidOf(id string, m mark, ordinal int) (uid [uidSize]byte) {
	var h xxhash.Digest
	var tail [16]byte
	binary.BigEndian.PutUint64(tail[:8], m.hash)
	binary.BigEndian.PutUint64(tail[8:], uint64(ordinal))
	h.ResetWithSeed(0)
	_, _ = h.WriteString(id)
	_, _ = h.Write(tail[:])
	binary.BigEndian.PutUint64(tail[:8], uint64(m.time))
	binary.BigEndian.PutUint64(tail[8:], h.Sum64())
	hex.Encode(uid[:], tail[:])
	return uid
}

// texts gives the batch's text in the form that logs takes: one string which all
// records of a batch share.
func (b *batch) texts() string { return string(b.text) }

// logs builds the batch as data that the pipeline may keep and alter.
func (b *batch) logs(texts, version string) plog.Logs {
	data := plog.NewLogs()
	from := data.ResourceLogs().AppendEmpty()
	b.resource.CopyTo(from.Resource())
	scope := from.ScopeLogs().AppendEmpty()
	scope.Scope().SetName(metadata.ScopeName)
	scope.Scope().SetVersion(version)
	records := scope.LogRecords()
	records.EnsureCapacity(len(b.records))
	observed := pcommon.NewTimestampFromTime(b.read)
	start := 0
	for _, r := range b.records {
		record := records.AppendEmpty()
		record.SetTimestamp(pcommon.Timestamp(r.time))
		record.SetObservedTimestamp(observed)
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
		attributes.PutStr(attributeStream, r.kind.String())
		attributes.PutStr(attributeUID, uid)
	}
	return data
}

// Labels that Compose puts on the containers that it makes.
const (
	labelComposeService = "com.docker.compose.service"
	labelComposeProject = "com.docker.compose.project"
)

// resourceOf describes the container that records come from.
func resourceOf(cfg *Config, info engine.Info, c engine.Container) pcommon.Resource {
	b := metadata.NewResourceBuilder(cfg.ResourceAttributes)
	b.SetContainerID(c.ID)
	b.SetContainerName(c.Name)
	name, tag := engine.ImageName(c.Image)
	if name != "" {
		b.SetContainerImageName(name)
	}
	if tag != "" {
		b.SetContainerImageTags([]any{tag})
	}
	b.SetContainerImageID(c.ImageID)
	b.SetContainerRuntimeName(info.Runtime)
	b.SetHostName(info.Name)
	b.SetServiceName(first(c.Labels[labelServiceName], c.Labels[labelComposeService], c.Name))
	if project := c.Labels[labelComposeProject]; project != "" {
		b.SetServiceNamespace(project)
	}
	resource := b.Emit()
	// In order, so that of two with one attribute always the same one wins.
	for _, label := range slices.Sorted(maps.Keys(cfg.ContainerLabels)) {
		if value, ok := c.Labels[label]; ok {
			resource.Attributes().PutStr(first(cfg.ContainerLabels[label], "container.label."+label), value)
		}
	}
	for _, variable := range slices.Sorted(maps.Keys(cfg.EnvVars)) {
		if value, ok := c.Env[variable]; ok {
			resource.Attributes().PutStr(cfg.EnvVars[variable], value)
		}
	}
	return resource
}

// first returns the first string that is not empty.
func first(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
