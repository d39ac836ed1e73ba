// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"flag"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/stream"
)

var updateGolden = flag.Bool("update", false, "write the golden files of testdata")

// goldenContainer has everything that a resource is made of.
func goldenContainer() engine.Container {
	return engine.Container{
		Summary: engine.Summary{
			ID:    strings.Repeat("0123456789abcdef", 4),
			Name:  "shop-web-1",
			Image: "registry.example.com:5000/acme/web:1.2@sha256:" + strings.Repeat("ab", 32),
			Labels: map[string]string{
				"com.docker.compose.project": "shop",
				"com.docker.compose.service": "web",
				"com.acme.team":              "checkout",
				"com.acme.tier":              "front",
			},
		},
		ImageID: "sha256:" + strings.Repeat("cd", 32),
		Env:     map[string]string{"APP_VERSION": "1.2.3", "SECRET": "no"},
	}
}

var goldenInfo = engine.Info{Name: "engine-host", Runtime: "docker"}

// goldenTime is that of the first record of a golden batch.
var goldenTime = time.Date(2026, time.November, 23, 9, 37, 33, 123456789, time.UTC)

// goldenBatch makes the records into a batch, as a capture does.
func goldenBatch(wanted Attributes, c engine.Container, records []stream.Record) *Batch {
	b := newBatch()
	b.Origin, _ = OriginOf(wanted, goldenInfo, c)
	for i, rec := range records {
		rec.Time = goldenTime.Add(time.Duration(i) * time.Millisecond).UnixNano()
		b.Add(rec, UIDOf(c.ID, position.IDOf(rec), 0), position.Delivered{})
	}
	return b
}

func newBatch() *Batch { return New(MaxRecords, MaxBytes) }

// all are all resource attributes.
func all() Attributes { return Attributes{Enabled: metadata.DefaultResourceAttributesConfig()} }

// labels compiles a mapping that is valid.
func labels(attributes map[string]string) Labels {
	l, err := NewLabels(attributes)
	if err != nil {
		panic(err)
	}
	return l
}

func TestLogsGolden(t *testing.T) {
	stdout := func(text string) stream.Record { return stream.Record{Kind: stream.Stdout, Body: []byte(text)} }
	stderr := func(text string) stream.Record { return stream.Record{Kind: stream.Stderr, Body: []byte(text)} }
	plain := engine.Container{Summary: engine.Summary{ID: strings.Repeat("f", 64), Name: "busybox", Image: "busybox"}, ImageID: "sha256:0"}
	for name, test := range map[string]struct {
		container engine.Container
		change    func(*Attributes)
		records   []stream.Record
	}{
		"logs": {
			container: goldenContainer(),
			change: func(wanted *Attributes) {
				wanted.Labels = labels(map[string]string{"com.acme.team": "team", "com.acme.tier": "", "com.acme.absent": "absent"})
				wanted.EnvVars = map[string]string{"APP_VERSION": "service.version", "ABSENT": "absent"}
			},
			records: []stream.Record{stdout("started"), stderr("warning: no config")},
		},
		"bodies": {
			container: plain,
			change:    func(*Attributes) {},
			records: []stream.Record{
				stdout(""),
				stdout("  indented\tand spaced  "),
				stdout("carriage return\r"),
				stdout("héllo, 世界 \U0001F433"),
				stdout("NUL\x00inside"),
				stdout("\xef\xbb\xbfbyte order mark"),
				stdout("replacement \uFFFD character"),
				stdout("invalid \xff UTF-8"),
				stderr("cut rune \xe4\xb8"),
				stderr("\x00\xfe"),
			},
		},
		"switched_off": {
			container: goldenContainer(),
			change: func(wanted *Attributes) {
				wanted.Enabled.ContainerImageID.Enabled = false
				wanted.Enabled.ContainerImageTags.Enabled = false
				wanted.Enabled.HostName.Enabled = false
				wanted.Enabled.ServiceName.Enabled = false
			},
			records: []stream.Record{stdout("line")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			wanted := all()
			test.change(&wanted)
			got := Logs([]*Batch{goldenBatch(wanted, test.container, test.records)}, "0.1.0")
			file := filepath.Join("testdata", "golden", name+".yaml")
			if *updateGolden {
				require.NoError(t, golden.WriteLogsToFile(file, got))
			}
			want, err := golden.ReadLogs(file)
			require.NoError(t, err)
			require.NoError(t, plogtest.CompareLogs(want, got))
		})
	}
}

// TestLogsAreIndependent holds that the pipeline may alter what it is given: the
// batch is delivered again if it refuses, and the batch's memory is used again.
func TestLogsAreIndependent(t *testing.T) {
	c := goldenContainer()
	rec := stream.Record{Time: goldenTime.UnixNano(), Kind: stream.Stdout, Body: []byte("inva\xfflid")}
	b := goldenBatch(all(), c, []stream.Record{rec})
	want, got := Logs([]*Batch{b}, ""), Logs([]*Batch{b}, "")

	record := got.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	record.Body().Bytes().SetAt(0, 'X')
	record.Attributes().Clear()
	got.ResourceLogs().At(0).Resource().Attributes().Clear()
	require.NoError(t, plogtest.CompareLogs(want, Logs([]*Batch{b}, "")))

	b.Reset()
	b.Add(stream.Record{Time: 1, Kind: stream.Stderr, Body: []byte("other text")}, UID{}, position.Delivered{})
	assert.Equal(t, rec.Body, want.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Bytes().AsRaw())
}

// TestLogsAreDeterministic holds that a record that is delivered again, at another time, is
// the same to the byte: then a backend that compares records keeps one.
func TestLogsAreDeterministic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rec := stream.Record{Kind: stream.Stdout, Body: []byte("line")}
		marshalled := func() []byte {
			b := goldenBatch(all(), goldenContainer(), []stream.Record{rec})
			data, err := (&plog.ProtoMarshaler{}).MarshalLogs(Logs([]*Batch{b}, "0.1.0"))
			require.NoError(t, err)
			return data
		}
		first := marshalled()
		time.Sleep(time.Hour)
		assert.Equal(t, first, marshalled())
	})
}

// TestLogsOfSeveralContainers holds that each container has one ResourceLogs, also where
// it has several batches, and another after a rename.
func TestLogsOfSeveralContainers(t *testing.T) {
	of := func(origin *Origin, texts ...string) *Batch {
		b := newBatch()
		b.Origin = origin
		for _, text := range texts {
			b.Add(stream.Record{Kind: stream.Stdout, Body: []byte(text)}, UID{}, position.Delivered{})
		}
		return b
	}
	web, db := goldenContainer(), goldenContainer()
	db.ID, db.Name = "db", "db"
	first, _ := OriginOf(all(), goldenInfo, web)
	second, _ := OriginOf(all(), goldenInfo, db)
	web.Name = "renamed"
	third, _ := OriginOf(all(), goldenInfo, web)
	data := Logs([]*Batch{of(first, "1", "2"), of(first, "3"), of(second, "4"), of(third, "5")}, "")
	var got [][]string
	for _, from := range data.ResourceLogs().All() {
		name, _ := from.Resource().Attributes().Get("container.name")
		list := []string{name.Str()}
		for _, rec := range from.ScopeLogs().At(0).LogRecords().All() {
			list = append(list, rec.Body().Str())
		}
		got = append(got, list)
	}
	assert.Equal(t, [][]string{{"shop-web-1", "1", "2", "3"}, {"db", "4"}, {"renamed", "5"}}, got)
}

func TestAppend(t *testing.T) {
	origin := &Origin{ID: "a"}
	records := func(n int, kind stream.Kind, at int64) *Batch {
		b := New(10, 1000)
		b.Origin = origin
		for i := range n {
			b.Add(stream.Record{Time: at + int64(i), Kind: kind, Body: []byte("text"), Dropped: i}, UID{}, position.Delivered{Seq: uint64(at) + uint64(i)})
		}
		return b
	}
	b := records(3, stream.Stdout, 100)
	require.True(t, b.Append(records(4, stream.Stderr, 50)))
	assert.Equal(t, 7, b.Len())
	assert.Equal(t, [stream.Stderr]int{3, 4}, b.Records)
	assert.Equal(t, [stream.Stderr]int{12, 16}, b.Bytes)
	assert.Equal(t, 5, b.Cut)
	assert.EqualValues(t, 50, b.Oldest)
	assert.Len(t, b.Delivered, 7)
	assert.Equal(t, records(3, stream.Stdout, 1).EncodedSize()+records(4, stream.Stdout, 1).EncodedSize(), b.EncodedSize())
	assert.False(t, b.Append(records(4, stream.Stdout, 1)), "too many")
	other := records(1, stream.Stdout, 1)
	other.Origin = &Origin{ID: "a"}
	assert.False(t, b.Append(other), "another resource")
	long := New(10, 1000)
	long.Origin = origin
	long.Add(stream.Record{Kind: stream.Stdout, Body: make([]byte, 900)}, UID{}, position.Delivered{})
	assert.False(t, b.Append(long), "too large")
	assert.Equal(t, 7, b.Len())
}

// TestEncodedSize: what a group is cut by is not less than what a server decodes, and not much more.
func TestEncodedSize(t *testing.T) {
	wanted := all()
	wanted.Labels = labels(map[string]string{"com.acme.*": ""})
	c := goldenContainer()
	c.Labels["com.acme.long"] = strings.Repeat("l", MaxLabelSize)
	for _, size := range []int{0, 1, 127, 128, 16_000, 100_000} {
		b := newBatch()
		b.Origin, _ = OriginOf(wanted, goldenInfo, c)
		for i := range 20 {
			rec := stream.Record{Time: goldenTime.UnixNano() + int64(i), Kind: stream.Stdout + stream.Kind(i%2), Body: []byte(strings.Repeat("x", size))}
			b.Add(rec, UIDOf(c.ID, position.IDOf(rec), 0), make([]position.Delivered, 1+i%3*500)...)
		}
		b.AddNote(Note{
			Time: goldenTime.UnixNano(), Severity: plog.SeverityNumberError, EventName: "docker.container.die", Body: "died",
			Attributes: map[string]any{"a": int64(-1), "b": "text", "c": 1.5, "d": true},
		})
		got := new(plog.ProtoMarshaler).LogsSize(Logs([]*Batch{b}, "v0.158.0-dev+0123456789"))
		bound := b.EncodedSize() + b.Origin.EncodedSize
		assert.LessOrEqual(t, got, bound, "bodies of %d bytes", size)
		assert.Less(t, bound-got, 40*b.Len()+600, "bodies of %d bytes", size)
	}
}

func TestBatchIsBounded(t *testing.T) {
	b := newBatch()
	for i := range MaxRecords {
		require.False(t, b.Full(), "%d records", i)
		b.Add(stream.Record{Kind: stream.Stdout, Body: []byte(strconv.Itoa(i))}, UID{}, position.Delivered{})
	}
	require.True(t, b.Full())

	b.Reset()
	require.False(t, b.Full())
	b.Add(stream.Record{Kind: stream.Stderr, Body: make([]byte, MaxBytes), Dropped: 7}, UID{}, position.Delivered{})
	require.True(t, b.Full())
	assert.Equal(t, [stream.Stderr]int{0, 1}, b.Records)
	assert.Equal(t, [stream.Stderr]int{0, MaxBytes}, b.Bytes)
	assert.Equal(t, 1, b.Cut)

	b = New(3, 100)
	for range 3 {
		require.False(t, b.Full())
		b.Add(stream.Record{Kind: stream.Stdout}, UID{}, position.Delivered{})
	}
	require.True(t, b.Full())
}

// TestUID holds that a record has the same uid whenever it is read, that no other
// record has it, and that uids sort by time.
func TestUID(t *testing.T) {
	record := stream.Record{Time: goldenTime.UnixNano(), Kind: stream.Stdout, Body: []byte("line")}
	uid := func(id string, ordinal int, change func(*stream.Record)) string {
		rec := record
		change(&rec)
		u := UIDOf(id, position.IDOf(rec), ordinal)
		return string(u[:])
	}
	same := func(*stream.Record) {}
	first := uid("a", 0, same)
	assert.Equal(t, "18eaa30747b12f15", first[:16], "its time")
	assert.Equal(t, "18eaa30747b12f1570b94d28ccf1f49a", first, "a change makes every backend see each line twice")
	assert.Equal(t, first, uid("a", 0, same))
	assert.Equal(t, first, uid("a", 0, func(rec *stream.Record) { rec.Body = []byte("line") }))

	others := []string{
		uid("b", 0, same),
		uid("a", 1, same),
		uid("a", 0, func(rec *stream.Record) { rec.Kind = stream.Stderr }),
		uid("a", 0, func(rec *stream.Record) { rec.Body = []byte("lime") }),
		uid("a", 0, func(rec *stream.Record) { rec.Body = []byte("line\r") }),
		uid("a", 0, func(rec *stream.Record) { rec.Body = nil }),
		uid("a", 0, func(rec *stream.Record) { rec.Dropped = 1 }),
		uid("a", 0, func(rec *stream.Record) { rec.Time++ }),
	}
	slices.Sort(others)
	assert.Len(t, slices.Compact(others), 8)
	assert.NotContains(t, others, first)
	assert.Less(t, first, uid("b", 9, func(rec *stream.Record) { rec.Time++ }))

	// A line has the same uid with another max_log_size.
	long := []byte(strings.Repeat("x", 1<<20))
	whole := uid("a", 0, func(rec *stream.Record) { rec.Body = long })
	for _, limit := range []int{position.HashedSize, position.HashedSize + 1, 1 << 16} {
		assert.Equal(t, whole, uid("a", 0, func(rec *stream.Record) {
			rec.Body, rec.Dropped = long[:limit], len(long)-limit
		}), "max_log_size %d", limit)
	}
}
