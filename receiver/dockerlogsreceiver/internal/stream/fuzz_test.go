// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// splitReader gives the bytes in pieces whose lengths a seed decides.
type splitReader struct {
	data []byte
	seed uint64
}

func (s *splitReader) Read(b []byte) (int, error) {
	if len(s.data) == 0 {
		return 0, io.EOF
	}
	s.seed = s.seed*6364136223846793005 + 1442695040888963407
	n := copy(b[:min(len(b), 1+int(s.seed>>33)%97)], s.data)
	s.data = s.data[n:]
	return n, nil
}

// FuzzReader holds that the records do not depend on how the bytes arrive, nor on the
// size of the buffer, that nothing panics, and that no line is longer and no buffer larger than allowed.
// The seeds are the beginnings of streams captured from real engines, see testdata/README.md
// at the top of the repository: go test runs large ones so slowly, and shortens them for so
// long, that it changes none.
func FuzzReader(f *testing.F) {
	captured, err := filepath.Glob("../../../../testdata/golden/*.bin")
	require.NoError(f, err)
	require.NotEmpty(f, captured)
	for _, name := range captured {
		body, err := os.ReadFile(name)
		require.NoError(f, err)
		body = body[:min(len(body), 2<<10)]
		f.Add(body, strings.HasPrefix(filepath.Base(name), "tty"), uint16(20_000), uint64(1))
	}
	f.Add([]byte(chunks(1, stamp(1), strings.Repeat("long", 10_000), 8192)), false, uint16(100), uint64(2))
	f.Add([]byte(frame(1, stamp(1)+strings.Repeat("long", 200)))[:600], false, uint16(100), uint64(5))
	f.Add([]byte(stamp(1)+"cut"+stamp(2)+"next\r\n"), true, uint16(100), uint64(3))
	f.Add([]byte("\x03\x00\x00\x00\xff\xff\xff\xff"), false, uint16(0), uint64(4))
	// Plain comparisons: those of testify would take most of the time.
	f.Fuzz(func(t *testing.T, body []byte, tty bool, limit uint16, seed uint64) {
		read := func(src io.Reader, buffer int) (got []line, frames int, err error) {
			d := newReaderSize(buffer, src, tty, int(limit))
			for {
				var rec Record
				if rec, err = d.Next(); err != nil {
					break
				}
				if len(rec.Body) > int(limit) {
					t.Fatalf("a line has %d bytes", len(rec.Body))
				}
				got = append(got, copyOf(rec))
			}
			for rec, ok := d.Flush(math.MaxInt64); ok; rec, ok = d.Flush(math.MaxInt64) {
				got = append(got, copyOf(rec))
			}
			for _, p := range d.partial {
				if cap(p.body) > 2*(int(limit)+1024) {
					t.Fatalf("a line that is not whole takes %d bytes", cap(p.body))
				}
			}
			if len(d.buf) != buffer {
				t.Fatalf("the buffer has %d bytes", len(d.buf))
			}
			return got, d.Frames(), err
		}
		want, frames, end := read(bytes.NewReader(body), testBuffer)
		got, gotFrames, gotEnd := read(&splitReader{data: body, seed: seed}, minBuffer)
		if !slices.Equal(want, got) || frames != gotFrames || !reflect.DeepEqual(end, gotEnd) {
			t.Fatalf("at once: %v, %d frames, %v; in pieces: %v, %d frames, %v", want, frames, end, got, gotFrames, gotEnd)
		}
	})
}
