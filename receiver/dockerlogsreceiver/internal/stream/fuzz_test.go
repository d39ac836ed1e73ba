// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bytes"
	"io"
	"math"
	"os"
	"path/filepath"
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
// The seeds are streams captured from real engines, see testdata/README.md
// at the top of the repository.
func FuzzReader(f *testing.F) {
	captured, err := filepath.Glob("../../../../testdata/golden/*.bin")
	require.NoError(f, err)
	require.NotEmpty(f, captured)
	for _, name := range captured {
		body, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(body, strings.HasPrefix(filepath.Base(name), "tty"), uint16(20_000), uint64(1))
	}
	f.Add([]byte(chunks(1, stamp(1), strings.Repeat("long", 10_000), 8192)), false, uint16(100), uint64(2))
	f.Add([]byte(frame(1, stamp(1)+strings.Repeat("long", 200)))[:600], false, uint16(100), uint64(5))
	f.Add([]byte(stamp(1)+"cut"+stamp(2)+"next\r\n"), true, uint16(100), uint64(3))
	f.Add([]byte("\x03\x00\x00\x00\xff\xff\xff\xff"), false, uint16(0), uint64(4))
	f.Fuzz(func(t *testing.T, body []byte, tty bool, limit uint16, seed uint64) {
		read := func(src io.Reader, buffer int) (got []line, frames int, err error) {
			d := newReaderSize(buffer, src, tty, int(limit))
			for {
				var rec Record
				if rec, err = d.Next(); err != nil {
					break
				}
				require.LessOrEqual(t, len(rec.Body), int(limit))
				got = append(got, copyOf(rec))
			}
			for rec, ok := d.Flush(math.MaxInt64); ok; rec, ok = d.Flush(math.MaxInt64) {
				got = append(got, copyOf(rec))
			}
			for i := range d.partial {
				require.LessOrEqual(t, cap(d.partial[i].body), 2*(int(limit)+1024))
			}
			require.Len(t, d.buf, buffer)
			return got, d.Frames(), err
		}
		want, frames, end := read(bytes.NewReader(body), testBuffer)
		got, gotFrames, gotEnd := read(&splitReader{data: body, seed: seed}, minBuffer)
		require.Equal(t, want, got)
		require.Equal(t, frames, gotFrames)
		require.Equal(t, end, gotEnd)
	})
}
