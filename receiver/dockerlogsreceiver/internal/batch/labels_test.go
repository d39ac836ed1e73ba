// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package batch

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/metadata"
)

func TestLabels(t *testing.T) {
	for name, test := range map[string]struct {
		wanted, labels map[string]string
		want           map[string]any
	}{
		"glob": {
			wanted: map[string]string{"com.acme.*": ""},
			labels: map[string]string{"com.acme.team": "blue", "com.acme.": "", "com.acme": "no", "org.acme.team": "no"},
			want:   map[string]any{"container.label.com.acme.team": "blue", "container.label.com.acme.": ""},
		},
		"all": {
			wanted: map[string]string{"*": ""},
			labels: map[string]string{"a": "1", "b/c": "2"},
			want:   map[string]any{"container.label.a": "1", "container.label.b/c": "2"},
		},
		"what is named wins": {
			wanted: map[string]string{"com.acme.*": "", "com.acme.team": "team", "com.acme.tier": ""},
			labels: map[string]string{"com.acme.team": "blue", "com.acme.tier": "front", "com.acme.zone": "a"},
			want:   map[string]any{"team": "blue", "container.label.com.acme.tier": "front", "container.label.com.acme.zone": "a"},
		},
		"two globs": {
			wanted: map[string]string{"com.acme.*": "", "*.team": "", "{x,y}?": ""},
			labels: map[string]string{"com.acme.team": "blue", "org.team": "red", "x1": "1", "y": "no"},
			want:   map[string]any{"container.label.com.acme.team": "blue", "container.label.org.team": "red", "container.label.x1": "1"},
		},
		"a literal with a star": {
			wanted: map[string]string{`a\*`: ""},
			labels: map[string]string{"a*": "1", "ab": "no"},
			want:   map[string]any{"container.label.a*": "1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := pcommon.NewMap()
			assert.Zero(t, labels(test.wanted).put(got, test.labels))
			assert.Equal(t, test.want, got.AsRaw())
		})
	}
}

func TestRefusedLabels(t *testing.T) {
	_, err := NewLabels(map[string]string{"": "a", "[a": "", "com.acme.*": "team"})
	assert.EqualError(t, err, "has an empty key\n\"[a\" is not a glob: a [ is not closed\n"+
		"\"com.acme.*\" is a glob, whose labels cannot all become the attribute \"team\"; leave that empty, for container.label.<label>")
}

// A label of any size does no harm, and keeps out no other.
func TestLabelsAreBounded(t *testing.T) {
	put := func(wanted, of map[string]string) (map[string]any, int) {
		got := pcommon.NewMap()
		leftOut := labels(wanted).put(got, of)
		return got.AsRaw(), leftOut
	}
	t.Run("a label of 1 MB", func(t *testing.T) {
		of := map[string]string{"a": strings.Repeat("x", 1<<20), "named": strings.Repeat("x", 1<<20), "z": "1", strings.Repeat("k", MaxLabelSize): ""}
		got, leftOut := put(map[string]string{"*": "", "named": "named"}, of)
		assert.Equal(t, map[string]any{"container.label.z": "1"}, got)
		assert.Equal(t, 3, leftOut)
	})
	t.Run("many", func(t *testing.T) {
		of := map[string]string{"zz": "last"}
		for i := range 1000 {
			of[fmt.Sprintf("l%03d", i)] = ""
		}
		got, leftOut := put(map[string]string{"*": "", "zz": "named"}, of)
		assert.Len(t, got, MaxLabels)
		assert.Equal(t, 1001-MaxLabels, leftOut)
		assert.Equal(t, "last", got["named"], "what is named comes first")
		assert.Contains(t, got, "container.label.l000")
		assert.NotContains(t, got, "container.label.l999")
	})
	t.Run("large together", func(t *testing.T) {
		of := make(map[string]string)
		for i := range 20 {
			of["l"+strconv.Itoa(i)] = strings.Repeat("x", MaxLabelSize/2)
		}
		got, leftOut := put(map[string]string{"*": ""}, of)
		assert.Equal(t, len(of), len(got)+leftOut)
		assert.Equal(t, MaxLabelsSize/(MaxLabelSize/2+len("container.label.l1")), len(got))
	})
}

// FuzzLabels holds that whatever labels a container has, what becomes of them keeps within
// the bounds, is what the container says, and is the same each time.
func FuzzLabels(f *testing.F) {
	f.Add("com.acme.*", "com.acme.", 3, 10)
	f.Add("*", "x", 200, 1)
	f.Add("{a,b}*", "a", 20, 5000)
	f.Add("a1", "a", 5, 4000)
	f.Add("[!a]*", strings.Repeat("é", 3000), 4, 0)
	f.Fuzz(func(t *testing.T, pattern, prefix string, n, size int) {
		wanted, err := NewLabels(map[string]string{pattern: "", prefix + "0": "first"})
		if err != nil {
			return
		}
		of := make(map[string]string)
		for i := range min(max(n, 0), 300) {
			of[prefix+strconv.Itoa(i)] = strings.Repeat("v", min(max(size, 0), 1<<16)*(i%3)/2)
		}
		got := pcommon.NewMap()
		leftOut := wanted.put(got, of)
		total := 0
		for key, value := range got.All() {
			n := len(key) + len(value.Str())
			assert.LessOrEqual(t, n, MaxLabelSize)
			total += n
			label, general := strings.CutPrefix(key, "container.label.")
			if !general {
				require.Equal(t, "first", key)
				label = prefix + "0"
			}
			have, ok := of[label]
			require.True(t, ok, key)
			assert.Equal(t, have, value.Str())
		}
		assert.LessOrEqual(t, total, MaxLabelsSize)
		assert.LessOrEqual(t, got.Len(), MaxLabels)
		assert.LessOrEqual(t, got.Len()+leftOut, len(of))
		if got.Len() < MaxLabels && total <= MaxLabelsSize-MaxLabelSize {
			for label, value := range of { // then only those are missing that are too large themselves
				attribute := "container.label." + label
				if label == prefix+"0" || len(attribute)+len(value) > MaxLabelSize || !wanted.matches(label) {
					continue
				}
				_, ok := got.Get(attribute)
				assert.True(t, ok, label)
			}
		}
		again := pcommon.NewMap()
		assert.Equal(t, leftOut, wanted.put(again, maps.Clone(of)))
		assert.True(t, got.Equal(again))
	})
}

// BenchmarkOrigin shows what a container's attributes take, with 30 labels, none of them
// wanted and all of them.
func BenchmarkOrigin(b *testing.B) {
	for name, wanted := range map[string]map[string]string{"without labels": nil, "com.acme.*": {"com.acme.*": ""}} {
		b.Run(name, func(b *testing.B) {
			attributes := Attributes{Enabled: metadata.DefaultResourceAttributesConfig(), Labels: labels(wanted)}
			c := labelled()
			b.ReportAllocs()
			for b.Loop() {
				OriginOf(attributes, goldenInfo, c)
			}
		})
	}
}

func labelled() engine.Container {
	c := goldenContainer()
	c.Labels = make(map[string]string)
	for i := range 30 {
		c.Labels[fmt.Sprintf("com.acme.label-%02d", i)] = fmt.Sprintf("the value of label %02d", i)
	}
	return c
}
