// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/engine"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/position"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/strategy"
)

var (
	api  = strategy.Plan{}
	file = strategy.Plan{File: true}
)

// withFiles runs a test for each log driver whose files are read, on an engine that has them.
func withFiles(t *testing.T, spec enginetest.ContainerSpec, test func(*fixture)) {
	t.Helper()
	for _, driver := range []string{"json-file", "local", "fluentd"} {
		t.Run(driver, func(t *testing.T) { withFilesOf(t, driver, spec, test) })
	}
}

// withFilesOf is withFiles for one log driver.
func withFilesOf(t *testing.T, driver string, spec enginetest.ContainerSpec, test func(*fixture)) {
	t.Helper()
	spec.Driver = driver
	dir := t.TempDir()
	withEngine(t, spec, func(f *fixture) {
		f.shared.Files.DataRoot = func() string { return dir }
		defer func() { f.source.CloseFiles() }()
		test(f)
	}, enginetest.Files(dir))
}

// again goes on as after a restart: with what is stored of the position.
func (f *fixture) again() {
	f.t.Helper()
	f.source.CloseFiles()
	value, _ := f.source.Frontier().Take()
	frontier, err := position.Decode(value)
	require.NoError(f.t, err)
	f.source = New(f.shared, f.container.ID(), frontier)
	f.source.Restart()
}

// accept has the pipeline accept all that has been delivered.
func (f *fixture) accept() {
	f.source.Commit(f.delivered)
	f.delivered = nil
}

// complete reads and wants to come to the end of the log without a gap.
func (f *fixture) complete(plan strategy.Plan) {
	f.t.Helper()
	result := f.read(plan)
	assert.Equal(f.t, Complete, result.End, "%v", result.Err)
	assert.Empty(f.t, f.gaps)
}

func lineNumbers(from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprint("line ", i))
	}
	return list
}

// number writes the next n lines.
func (f *fixture) number(n int) { f.numberEvery(time.Millisecond, n) }

// numberEvery is number with a pause behind each line.
func (f *fixture) numberEvery(pause time.Duration, n int) {
	for range n {
		f.container.Write(enginetest.Stdout, fmt.Sprintf("line %d\n", f.container.Written()))
		time.Sleep(pause)
	}
}

func TestFile(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(300)
		f.complete(file)
		f.number(300)
		f.complete(file)
		f.complete(file)
		assert.Equal(f.t, lineNumbers(0, 600), f.taken)
	})
}

// TestFileAndAPI hands over between the two, within a process and across restarts, with and
// without what has been read having been accepted.
func TestFileAndAPI(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		for i := range 40 {
			f.number(7*i + 1)
			f.complete([]strategy.Plan{file, api}[i/2%2])
			f.accept()
			if i%3 == 0 {
				f.again()
			}
		}
		assert.Equal(f.t, lineNumbers(0, f.container.Written()), f.taken)
	})
}

// TestFileResumes: what was accepted is not read again, what was not is.
func TestFileResumes(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(1000)
		f.complete(file)
		f.accept()
		f.number(10)
		f.complete(file)
		f.again()
		f.taken = nil
		f.number(10)
		f.complete(file)
		assert.Equal(f.t, lineNumbers(1000, 1020), f.taken)
		assert.True(f.t, f.source.files.midway)
		assert.Less(f.t, f.source.files.lines.Frames(), 30, "the place is a seek")
	})
}

// TestFilePlaceIsGone: where the place is of another file the identities find it.
func TestFilePlaceIsGone(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(100)
		f.complete(file)
		f.accept()
		f.source.pos.Mark([]byte("a place of another version"))
		f.number(10)
		f.again()
		f.taken = nil
		f.complete(file)
		assert.Equal(f.t, lineNumbers(100, 110), f.taken)
		assert.False(f.t, f.source.files.midway)
	})
}

// TestFileRotatedWhileAway: files that are still there are read, and what is gone is one gap.
func TestFileRotatedWhileAway(t *testing.T) {
	spec := enginetest.ContainerSpec{DriverOpts: map[string]string{"max-file": "2"}}
	withFiles(t, spec, func(f *fixture) {
		f.number(100)
		f.complete(file)
		f.accept()
		f.source.CloseFiles()
		f.number(10)
		f.container.Rotate(50)
		f.number(10)
		f.complete(file)
		assert.Equal(f.t, lineNumbers(0, 120), f.taken)
		f.accept()
		f.source.CloseFiles()
		f.container.Rotate(50)
		f.number(10)
		f.container.Rotate(10)
		f.number(10)
		f.container.Rotate(10)
		result := f.read(file)
		assert.Equal(f.t, Complete, result.End, "%v", result.Err)
		assert.Equal(f.t, []Gap{GapRotated}, f.gaps)
		assert.Equal(f.t, lineNumbers(130, 140), f.taken[120:])
	})
}

// TestFileRecordsAreThose of the API: the same identities, in the same order.
func TestFileRecordsAreThoseOfTheAPI(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 1024)
	for _, tty := range []bool{false, true} {
		withFiles(t, enginetest.ContainerSpec{TTY: tty}, func(f *fixture) {
			at := time.Now()
			for i, text := range []string{
				"plain\n", "\n", "\ttab \"quotes\" \\ \u2028 \x7f é\n", " spaces \n", "cr\r\n", long + "\n", long + long + "end\n",
				long[:16383] + "\n", long + "\r\n", long[:16383] + "\r\n", strings.Repeat(long, 70) + "beyond the limit\n",
			} {
				f.container.Write([]enginetest.Stream{enginetest.Stdout, enginetest.Stderr}[i%2], text)
				time.Sleep(time.Millisecond)
			}
			if !tty { // chunks of two streams, one between those of the other
				f.container.WriteChunk(at.Add(time.Hour), enginetest.Stdout, long, false)
				f.container.WriteChunk(at.Add(2*time.Hour), enginetest.Stderr, long, false)
				f.container.WriteChunk(at.Add(time.Hour), enginetest.Stdout, "of stdout", true)
				f.container.WriteChunk(at.Add(2*time.Hour), enginetest.Stderr, "of stderr", true)
			}
			f.container.Write(enginetest.Stdout, "the last words")
			f.container.Exit(0)
			time.Sleep(time.Second)

			f.complete(api)
			want, ids := brief(f.taken), f.delivered
			f.taken, f.delivered = nil, nil
			f.source = New(f.shared, f.container.ID(), position.Start(0))
			f.complete(file)
			require.Equal(f.t, want, brief(f.taken))
			for i := range ids {
				assert.Equal(f.t, ids[i].ID, f.delivered[i].ID, want[i])
			}
		})
	}
}

// brief shortens lines for a message.
func brief(lines []string) (list []string) {
	for _, line := range lines {
		list = append(list, fmt.Sprintf("%d: %.20q", len(line), line))
	}
	return list
}

// TestFileHalfLine: a line of which one chunk is there is read once, whole, also after a
// restart in its middle.
func TestFileHalfLine(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		long := strings.Repeat("x", 16384)
		f.number(10)
		at := time.Now()
		f.container.WriteChunk(at, enginetest.Stderr, long, false)
		f.number(1)
		f.complete(file)
		f.accept()
		for _, restart := range []bool{false, true} {
			f.taken = nil
			if restart {
				f.again()
			}
			f.container.WriteChunk(at, enginetest.Stderr, "end", true)
			f.complete(file)
			assert.Equal(f.t, brief([]string{long + "end"}), brief(f.taken))
			f.accept()
			at = at.Add(time.Hour)
			f.container.WriteChunk(at, enginetest.Stderr, long, false)
			f.complete(file)
		}
	})
}

func TestFileDamage(t *testing.T) {
	for name, test := range map[string]struct {
		damage func(t *testing.T, path string)
		want   Gap
	}{
		"torn": {func(t *testing.T, path string) {
			t.Helper()
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = f.WriteString(`{"log":"half a rec`)
			require.NoError(t, errors.Join(err, f.Close()))
		}, GapUnreadableRecord},
		"hole": {func(t *testing.T, path string) {
			t.Helper()
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.NoError(t, os.Truncate(path, info.Size()+300))
		}, GapUnreadableRecord},
		"truncated": {func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.Truncate(path, 0))
		}, GapRotated},
	} {
		t.Run(name, func(t *testing.T) {
			withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
				f.number(100)
				f.complete(file)
				test.damage(f.t, f.path())
				f.number(10)
				result := f.read(file)
				assert.Equal(f.t, Complete, result.End, "%v", result.Err)
				assert.Equal(f.t, []Gap{test.want}, f.gaps)
				assert.Equal(f.t, lineNumbers(0, 110), f.taken)
				f.complete(file)
			})
		})
	}
}

func (f *fixture) path() string {
	details, err := f.client.Inspect(f.t.Context(), f.container.ID())
	require.NoError(f.t, err)
	path, _, _ := f.shared.Files.of(&details)
	return path
}

// TestFileIsNotOurs: files that do not hold what the engine answers are another engine's.
func TestFileIsNotOurs(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		result := f.read(file)
		assert.Equal(f.t, NoFile, result.End)
		f.number(10)
		path := f.path()
		whole, err := os.ReadFile(path)
		require.NoError(f.t, err)
		require.NoError(f.t, os.WriteFile(path, whole[:len(whole)/2], 0o600))
		result = f.read(file)
		assert.Equal(f.t, NoFile, result.End)
		require.ErrorIs(f.t, result.Err, errOther)
		assert.Empty(f.t, f.taken)
		require.NoError(f.t, os.WriteFile(path, whole, 0o600))
		f.complete(file)
		assert.Equal(f.t, lineNumbers(0, 10), f.taken)
	})
	for name, spoil := range map[string]func(f *fixture){
		"nowhere":     func(f *fixture) { f.shared.Files.DataRoot = func() string { return "" } },
		"not mounted": func(f *fixture) { f.shared.Files.Root = filepath.Join(f.t.TempDir(), "nothing") },
		"a directory": func(f *fixture) {
			require.NoError(f.t, os.Remove(f.path()))
			require.NoError(f.t, os.Mkdir(f.path(), 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
				f.number(1)
				spoil(f)
				result := f.read(file)
				assert.Equal(f.t, NoFile, result.End)
				require.Error(f.t, result.Err)
				f.complete(api)
				assert.Equal(f.t, lineNumbers(0, 1), f.taken)
			})
		})
	}
}

// TestFileMounted: the engine's data root may have another path here.
func TestFileMounted(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		root := f.shared.Files.DataRoot()
		f.shared.Files.Root, f.shared.Files.DataRoot = root, func() string { return "/var/lib/docker" }
		f.number(10)
		f.complete(file)
		assert.Equal(f.t, lineNumbers(0, 10), f.taken)
	})
}

// TestFileBehindTheAPI: files that end before what the API has shown are not the container's.
func TestFileBehindTheAPI(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(100)
		f.complete(file)
		f.source.CloseFiles()
		whole, err := os.ReadFile(f.path())
		require.NoError(f.t, err)
		f.number(10)
		f.complete(api)
		require.NoError(f.t, os.WriteFile(f.path(), whole, 0o600))
		result := f.read(file)
		assert.Equal(f.t, NoFile, result.End)
		require.ErrorIs(f.t, result.Err, errFileBehind)
		assert.Equal(f.t, lineNumbers(0, 110), f.taken)
	})
}

// TestFileOfARemovedContainer is read to its end, with the line that has none.
func TestFileOfARemovedContainer(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(10)
		details, err := f.client.Inspect(f.t.Context(), f.container.ID())
		require.NoError(f.t, err)
		f.source.Read(f.t.Context(), &details, file, f)
		f.number(10)
		f.container.Write(enginetest.Stdout, "last words")
		f.container.Remove()
		result := f.source.Read(f.t.Context(), &details, file, f)
		assert.Equal(f.t, Complete, result.End, "%v", result.Err)
		require.NoError(f.t, f.source.FlushUnterminated(f.t.Context(), f))
		assert.Equal(f.t, append(lineNumbers(0, 20), "last words"), f.taken)
	})
}

// TestFileStopsWithThePipeline: what was read and not taken is read again.
func TestFileOutputFails(t *testing.T) {
	withFiles(t, enginetest.ContainerSpec{}, func(f *fixture) {
		f.number(2500)
		f.flush = func(context.Context) error { return errors.New("no") }
		assert.Equal(f.t, Stopped, f.read(file).End)
		f.flush = nil
		f.again()
		f.taken = nil
		f.complete(file)
		assert.Equal(f.t, lineNumbers(0, 2500), slices.Clone(f.taken))
	})
}

// TestFilesSeen: where there is nothing to be read, it is not looked for at every turn.
func TestFilesSeen(t *testing.T) {
	withEngine(t, enginetest.ContainerSpec{}, func(f *fixture) {
		root := filepath.Join(t.TempDir(), "docker")
		files := &Files{DataRoot: func() string { return root }}
		assert.False(t, files.Seen())
		require.NoError(t, os.MkdirAll(filepath.Join(root, "containers"), 0o700))
		assert.False(t, files.Seen(), "it has just been looked for")
		time.Sleep(unseenFor)
		assert.True(t, files.Seen())
		files.Forget()
		assert.True(t, files.Seen())
	})
}

// TestFilesAreUnderTheRoot: an engine that lies about its root, or about a container's id,
// leads to no file outside of them.
func TestFilesAreUnderTheRoot(t *testing.T) {
	for _, dataRoot := range []string{"/var/lib/docker", "/var/lib/docker/", "/", "/var/lib/../../etc", "../.."} {
		for _, id := range []string{"abc", "../../../etc", "..", "/etc/passwd", ""} {
			for _, driver := range []string{"json-file", "local", "syslog"} {
				files := &Files{Root: "/hostfs", DataRoot: func() string { return dataRoot }}
				path, _, _ := files.of(&engine.Container{Summary: engine.Summary{ID: id}, Driver: driver})
				assert.True(t, strings.HasPrefix(path, "/hostfs/"), "%s %s: %s", dataRoot, id, path)
			}
		}
	}
	files := &Files{DataRoot: func() string { return "/var/lib/docker/" }}
	path, _, _ := files.of(&engine.Container{Summary: engine.Summary{ID: "abc"}, Driver: "json-file"})
	assert.Equal(t, "/var/lib/docker/containers/abc/abc-json.log", path)
	files.Root = "/hostfs"
	path, _, _ = files.of(&engine.Container{Summary: engine.Summary{ID: "../../abc"}, Driver: "json-file"})
	assert.Equal(t, "/hostfs/containers/abc/abc-json.log", path)
}

func TestKeepsOneFile(t *testing.T) {
	for _, test := range []struct {
		driver, size, files string
		want                bool
	}{
		{"json-file", "", "", false}, // it never rotates
		{"json-file", "-1", "1", false},
		{"json-file", "1m", "", true},
		{"json-file", "1m", "1", true},
		{"json-file", "1m", "2", false},
		{"local", "", "", false},
		{"local", "", "1", true},
		{"local", "1m", "5", false},
		{"fluentd", "1m", "1", false},
	} {
		c := &engine.Container{Driver: test.driver, LogOptions: map[string]string{}}
		if test.size != "" {
			c.LogOptions["max-size"] = test.size
		}
		if test.files != "" {
			c.LogOptions["max-file"] = test.files
		}
		assert.Equal(t, test.want, KeepsOneFile(c), "%+v", test)
	}
}

func TestBeforeRotation(t *testing.T) {
	const never = time.Duration(math.MaxInt64)
	start := time.Now()
	small := map[string]string{"max-size": "1m", "max-file": "3"}
	for name, test := range map[string]struct {
		driver  string
		options map[string]string
		reads   []int64 // bytes, a tenth of a second apart
		want    time.Duration
	}{
		"as fast as it is written": {"json-file", small, []int64{1, 3_000_001}, 25 * time.Millisecond},
		"slow":                     {"json-file", small, []int64{1, 12_001}, 6250 * time.Millisecond},
		"faster than any reader":   {"json-file", small, []int64{1, 900_000_000}, leastWait},
		"one file":                 {"json-file", map[string]string{"max-size": "1m"}, []int64{1, 3_000_001}, leastWait},
		"no rotation":              {"json-file", nil, []int64{1, 3_000_001}, never},
		"no rotation, as options":  {"json-file", map[string]string{"max-size": "-1"}, []int64{1, 3_000_001}, never},
		"local":                    {"local", nil, []int64{1, 10_000_001}, 250 * time.Millisecond},
		"the cache of another":     {"fluentd", small, []int64{1, 10_000_001}, 250 * time.Millisecond},
		"silent":                   {"json-file", small, []int64{3_000_000, 3_000_000}, never},
		"silent for hours before":  {"json-file", small, []int64{1, 1, 3_001}, 250 * time.Millisecond}, // in a millisecond
	} {
		t.Run(name, func(t *testing.T) {
			s := &Source{files: &openFiles{pace: pace{since: start}}}
			for i, bytes := range test.reads {
				now := start.Add(time.Duration(i+1) * 100 * time.Millisecond)
				s.files.pace.begin(now)
				s.files.pace.end(now, bytes)
			}
			got := s.BeforeRotation(&engine.Container{Driver: test.driver, LogOptions: test.options})
			assert.InDelta(t, test.want, got, float64(time.Microsecond))
		})
	}
	assert.Equal(t, never, new(Source).BeforeRotation(&engine.Container{}), "no files are open")
}
