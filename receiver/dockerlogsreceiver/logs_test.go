// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"flag"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/golden"
	"github.com/open-telemetry/opentelemetry-collector-contrib/pkg/pdatatest/plogtest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
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

// goldenLogs makes the records into a batch, as a capture does, and that into logs.
func goldenLogs(cfg *Config, c engine.Container, records []stream.Record) plog.Logs {
	b := batch{resource: resourceOf(cfg, goldenInfo, c)}
	var pos position
	for i, rec := range records {
		rec.Time = goldenTime.Add(time.Duration(i) * time.Millisecond).UnixNano()
		m := markOf(rec)
		b.add(rec, m, uidOf(c.ID, m, pos.ordinal(m, rec.Coarse)))
		pos.admit(m)
	}
	b.read = goldenTime.Add(time.Second)
	return b.logs(b.texts(), "0.1.0")
}

func TestLogsGolden(t *testing.T) {
	stdout := func(text string) stream.Record { return stream.Record{Kind: stream.Stdout, Body: []byte(text)} }
	stderr := func(text string) stream.Record { return stream.Record{Kind: stream.Stderr, Body: []byte(text)} }
	plain := engine.Container{Summary: engine.Summary{ID: strings.Repeat("f", 64), Name: "busybox", Image: "busybox"}, ImageID: "sha256:0"}
	for name, test := range map[string]struct {
		container engine.Container
		change    func(*Config)
		records   []stream.Record
	}{
		"logs": {
			container: goldenContainer(),
			change: func(cfg *Config) {
				cfg.ContainerLabels = map[string]string{"com.acme.team": "team", "com.acme.tier": "", "com.acme.absent": "absent"}
				cfg.EnvVars = map[string]string{"APP_VERSION": "service.version", "ABSENT": "absent"}
			},
			records: []stream.Record{stdout("started"), stderr("warning: no config")},
		},
		"bodies": {
			container: plain,
			change:    func(*Config) {},
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
			change: func(cfg *Config) {
				cfg.ResourceAttributes.ContainerImageID.Enabled = false
				cfg.ResourceAttributes.ContainerImageTags.Enabled = false
				cfg.ResourceAttributes.HostName.Enabled = false
				cfg.ResourceAttributes.ServiceName.Enabled = false
			},
			records: []stream.Record{stdout("line")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			test.change(cfg)
			got := goldenLogs(cfg, test.container, test.records)
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
	b := batch{resource: resourceOf(createDefaultConfig().(*Config), goldenInfo, c)}
	b.add(rec, markOf(rec), uidOf(c.ID, markOf(rec), 0))
	texts := b.texts()
	want, got := b.logs(texts, ""), b.logs(texts, "")

	record := got.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
	record.Body().Bytes().SetAt(0, 'X')
	record.Attributes().Clear()
	got.ResourceLogs().At(0).Resource().Attributes().Clear()
	require.NoError(t, plogtest.CompareLogs(want, b.logs(texts, "")))

	b.reset()
	b.add(stream.Record{Time: 1, Kind: stream.Stderr, Body: []byte("other text")}, mark{}, uidOf(c.ID, mark{}, 0))
	assert.Equal(t, rec.Body, want.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Bytes().AsRaw())
}

func TestResourceAttributes(t *testing.T) {
	id := strings.Repeat("f", 64)
	for name, test := range map[string]struct {
		labels      map[string]string
		service     string
		namespace   string // "" = none
		attributes  map[string]string
		environment map[string]string
		want        map[string]any // more attributes
	}{
		"no labels":            {service: "web-1"},
		"compose":              {labels: map[string]string{labelComposeService: "web", labelComposeProject: "shop"}, service: "web", namespace: "shop"},
		"compose, no service":  {labels: map[string]string{labelComposeProject: "shop"}, service: "web-1", namespace: "shop"},
		"own label wins":       {labels: map[string]string{labelServiceName: "front", labelComposeService: "web", labelComposeProject: "shop"}, service: "front", namespace: "shop"},
		"empty labels":         {labels: map[string]string{labelServiceName: "", labelComposeService: "", labelComposeProject: ""}, service: "web-1"},
		"label, default name":  {labels: map[string]string{"a.b": "1"}, attributes: map[string]string{"a.b": ""}, service: "web-1", want: map[string]any{"container.label.a.b": "1"}},
		"label, absent":        {attributes: map[string]string{"a.b": "c"}, service: "web-1"},
		"label, empty value":   {labels: map[string]string{"a.b": ""}, attributes: map[string]string{"a.b": "c"}, service: "web-1", want: map[string]any{"c": ""}},
		"label over service":   {labels: map[string]string{"app": "front"}, attributes: map[string]string{"app": "service.name"}, service: "front"},
		"variable":             {environment: map[string]string{"STAGE": "prod"}, service: "web-1", want: map[string]any{"deployment.environment.name": "prod"}},
		"variable over labels": {labels: map[string]string{"a": "label"}, attributes: map[string]string{"a": "deployment.environment.name"}, environment: map[string]string{"STAGE": "variable"}, service: "web-1", want: map[string]any{"deployment.environment.name": "variable"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := createDefaultConfig().(*Config)
			cfg.ContainerLabels = test.attributes
			cfg.EnvVars = map[string]string{"STAGE": "deployment.environment.name"}
			c := engine.Container{
				Summary: engine.Summary{ID: id, Name: "web-1", Image: "web", Labels: test.labels},
				ImageID: "sha256:1", Env: test.environment,
			}
			want := map[string]any{
				"container.id": id, "container.name": "web-1", "container.image.name": "web", "container.image.id": "sha256:1",
				"container.runtime.name": "docker", "host.name": "engine-host", "service.name": test.service,
			}
			if test.namespace != "" {
				want["service.namespace"] = test.namespace
			}
			for key, value := range test.want {
				want[key] = value
			}
			assert.Equal(t, want, resourceOf(cfg, goldenInfo, c).Attributes().AsRaw())
		})
	}
}

func TestResourceImage(t *testing.T) {
	digest := "sha256:" + strings.Repeat("ab", 32)
	for image, want := range map[string]struct {
		name string
		tags []any
	}{
		"busybox":                             {name: "busybox"},
		"busybox:1.36":                        {name: "busybox", tags: []any{"1.36"}},
		"acme/web:latest":                     {name: "acme/web", tags: []any{"latest"}},
		"ghcr.io/acme/web:1.2":                {name: "ghcr.io/acme/web", tags: []any{"1.2"}},
		"localhost:5000/web":                  {name: "localhost:5000/web"},
		"localhost:5000/web:1.2":              {name: "localhost:5000/web", tags: []any{"1.2"}},
		"[2001:db8::1]:5000/web:1.2":          {name: "[2001:db8::1]:5000/web", tags: []any{"1.2"}},
		"busybox@" + digest:                   {name: "busybox"},
		"busybox:1.36@" + digest:              {name: "busybox", tags: []any{"1.36"}},
		"localhost:5000/web:1.2@" + digest:    {name: "localhost:5000/web", tags: []any{"1.2"}},
		digest:                                {},
		"sha256:abcdef123456":                 {},
		"":                                    {},
		"Not a Reference":                     {name: "Not a Reference"},
		strings.Repeat("0123456789abcdef", 4): {name: strings.Repeat("0123456789abcdef", 4)},
	} {
		t.Run(image, func(t *testing.T) {
			c := engine.Container{Summary: engine.Summary{Image: image}}
			attributes := resourceOf(createDefaultConfig().(*Config), goldenInfo, c).Attributes()
			name, named := attributes.Get("container.image.name")
			assert.Equal(t, want.name != "", named)
			if named {
				assert.Equal(t, want.name, name.Str())
			}
			tags, tagged := attributes.Get("container.image.tags")
			assert.Equal(t, want.tags != nil, tagged)
			if tagged {
				require.Equal(t, pcommon.ValueTypeSlice, tags.Type())
				assert.Equal(t, want.tags, tags.Slice().AsRaw())
			}
		})
	}
}

func TestBatchIsBounded(t *testing.T) {
	var b batch
	for i := range maxBatchRecords {
		require.False(t, b.full(), "%d records", i)
		b.add(stream.Record{Kind: stream.Stdout, Body: []byte(strconv.Itoa(i))}, mark{}, [uidSize]byte{})
	}
	require.True(t, b.full())

	b.reset()
	require.False(t, b.full())
	b.add(stream.Record{Kind: stream.Stderr, Body: make([]byte, maxBatchBytes), Dropped: 7}, mark{}, [uidSize]byte{})
	require.True(t, b.full())
	assert.Equal(t, [stream.Stderr]int{0, 1}, b.counts)
	assert.Equal(t, [stream.Stderr]int{0, maxBatchBytes}, b.bytes)
	assert.Equal(t, 1, b.cut)
}

// TestUID holds that a record has the same uid whenever it is read, that no other
// record has it, and that uids sort by time.
func TestUID(t *testing.T) {
	record := stream.Record{Time: goldenTime.UnixNano(), Kind: stream.Stdout, Body: []byte("line")}
	uid := func(id string, ordinal int, change func(*stream.Record)) string {
		rec := record
		change(&rec)
		u := uidOf(id, markOf(rec), ordinal)
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
	for _, limit := range []int{minLogSize, minLogSize + 1, 1 << 16} {
		assert.Equal(t, whole, uid("a", 0, func(rec *stream.Record) {
			rec.Body, rec.Dropped = long[:limit], len(long)-limit
		}), "max_log_size %d", limit)
	}
}
