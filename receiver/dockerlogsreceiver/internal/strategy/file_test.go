// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package strategy

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func newFileStrategy(name Name) Strategy {
	return New(name, Settings{
		Lifetime: 30 * time.Second, Interval: 5 * time.Second, MaxInterval: 30 * time.Second, AdaptiveInterval: time.Second,
		FileInterval: 200 * time.Millisecond, FileFallback: ShortLived,
	})
}

// TestFileReadsWhatGrows: at its interval while it does, not at all while it does not.
func TestFileReadsWhatGrows(t *testing.T) {
	for _, name := range []Name{File, Adaptive} {
		s := newFileStrategy(name)
		for _, step := range []struct {
			seen Observed
			want Plan
		}{
			{Observed{First: true}, Plan{File: true}},
			{Observed{Records: 3}, Plan{File: true, Wait: 200 * time.Millisecond}},
			{Observed{}, Plan{File: true, Rest: true}},
			{Observed{Event: true}, Plan{File: true}},
		} {
			step.seen.Files, step.seen.HasStream = FilesKept, true
			assert.Equal(t, step.want, s.Next(step.seen), "%s: %+v", name, step.seen)
		}
	}
}

// TestFilesThatCannotBeRead are tried again after a time that doubles up to five minutes, and
// meanwhile the container is read over the API.
func TestFilesThatCannotBeRead(t *testing.T) {
	for name, why := range map[Name]string{File: FallbackFile, Adaptive: ""} {
		s := newFileStrategy(name)
		now := time.Now()
		o := Observed{Now: now, First: true, Files: FilesKept, HasStream: true}
		assert.Equal(t, Plan{File: true}, s.Next(o))
		for _, retry := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			o.First, o.NoFile = false, true
			plan := s.Next(o)
			assert.True(t, plan.Follow, name)
			assert.Equal(t, why, plan.Fallback)
			near(t, retry, plan.Life)
			o.NoFile, o.Now = false, o.Now.Add(2*retry)
			assert.Equal(t, Plan{File: true, Fallback: FallbackFile}, s.Next(o), "whether it can is to be found out")
		}
		for range 20 {
			o.NoFile = true
			o.Now = o.Now.Add(time.Hour)
			s.Next(o)
		}
		assert.LessOrEqual(t, s.Next(o).Life, maxFileRetry+maxFileRetry/10)
		o.NoFile, o.Now = false, o.Now.Add(time.Hour)
		assert.True(t, s.Next(o).File)
		o.Records = 1
		assert.Equal(t, Plan{File: true, Wait: 200 * time.Millisecond}, s.Next(o), "they can be read")
	}
}

// TestAdaptiveTakesFilesThatStay and no others: it has ways that are as exact.
func TestAdaptiveTakesFilesThatStay(t *testing.T) {
	for files, reads := range map[Files][2]bool{ // by adaptive, by file
		FilesNone: {false, false}, FilesUnseen: {false, true}, FilesVanish: {false, true}, FilesKept: {true, true},
	} {
		for i, name := range []Name{Adaptive, File} {
			s := newFileStrategy(name)
			assert.Equal(t, reads[i], s.Next(Observed{First: true, Files: files, HasStream: true}).File, "%s: %v", name, files)
			assert.Equal(t, reads[i], s.(OfFiles).ReadsFiles(files), "%s: %v", name, files)
		}
	}
	s := newFileStrategy(Adaptive)
	assert.Equal(t, FallbackBudget, s.Next(Observed{First: true}).Fallback, "over the API it is as ever")
}
