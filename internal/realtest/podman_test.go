// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package realtest

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/dockerd"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/loggen"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/logstest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver"
)

const (
	podmanImage = "localhost/writers:test"
	// podmanBurst writes so fast that Podman is asked while it writes to its file. It gives a
	// piece of a line for a line then (seen in raw answers of 4.3.1), and a follow leaves lines
	// out (of both), which come late if the next read still sees them.
	podmanBurst = "burst"
	// podmanRepeats is the container that writes podmanEqual again and again.
	podmanRepeats = "equal"
	podmanEqual   = "nothing new"
)

// TestRealPodman captures containers of Podman in all ways at once. The time stamps of
// Podman 4 are in whole seconds, so that fifty lines and more share one. Those of Podman 5
// are of what it reads at a time: many lines of a burst share one, and a line that it reads
// in two pieces has two.
func TestRealPodman(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	p := startPodman(t)
	var rows []*podmanRow
	for _, strategy := range strategies {
		row := newPodmanRow(strategy)
		row.receiver = startWith(t, p.host, func(cfg *dockerlogsreceiver.Config) {
			cfg.Strategy = strategy
			cfg.ShortLived.Lifetime = time.Second
			cfg.Polling = dockerlogsreceiver.PollingConfig{Interval: 300 * time.Millisecond, MaxInterval: 700 * time.Millisecond}
			cfg.Hybrid.Interval = 300 * time.Millisecond
		}, row.books)
		rows = append(rows, row)
	}

	written := map[string]int{podmanRepeats: 400}
	runs := map[string]int{"steady": 1, podmanBurst: 1, "long": 1, "restarted": 2}
	start := func(o loggen.Options) {
		for _, row := range rows {
			row.books.expect(o)
		}
		written[o.Source] = runs[o.Source] * int(o.Lines)
		p.start(o.Source, "/loggen", o.Args()...)
	}
	start(loggen.Options{Source: "steady", Lines: 300, Rate: 50, StderrShare: 0.3})
	start(loggen.Options{Source: podmanBurst, Lines: 6000, BurstSize: 3000, BurstEvery: time.Second})
	start(loggen.Options{Source: "long", Lines: 20, Rate: 10, StderrShare: 0.5, Sizes: between(50_000, 50_000)})
	start(loggen.Options{Source: "restarted", Lines: 60, Rate: 50, UntilSignal: true})
	p.start(podmanRepeats, "/repeat", strconv.Itoa(written[podmanRepeats]), podmanEqual)
	for _, row := range rows {
		row.await(t, "restarted", 60)
	}
	p.run("stop", "restarted")
	p.run("start", "restarted")

	for _, row := range rows {
		for name, n := range written {
			if name != podmanBurst || !row.follows() {
				row.await(t, name, n)
			}
		}
	}
	p.run("stop", "restarted")
	p.run("wait", "steady", podmanBurst, "long", podmanRepeats)
	for _, row := range rows {
		logstest.Eventually(t, fmt.Sprintf("%s has read all to the end", row.strategy), func() bool {
			return row.metric("captures") == 0 && row.metric("buffered_bytes") == 0
		})
	}
	for _, row := range rows {
		row.stop()
		row.record(t, p, written, runs)
		row.judge(t, written, runs)
	}
}

// podmanPatience allows for a follow of Podman's that stalls, and is found out by the
// check of a silent follow.
const podmanPatience = 4 * time.Minute

// podmanRow is a receiver with one strategy, and a ledger that also knows podmanEqual.
type podmanRow struct {
	*receiver
	strategy dockerlogsreceiver.Strategy
	books    *ledger
	// The ledger guards these while the receiver runs.
	equal    int            // records of podmanEqual
	runtimes map[string]int // records by container.runtime.name
}

func newPodmanRow(strategy dockerlogsreceiver.Strategy) *podmanRow {
	row := &podmanRow{strategy: strategy, books: newLedger(), runtimes: make(map[string]int)}
	row.books.Patience = podmanPatience
	row.books.Observe = func(resource pcommon.Map, record plog.LogRecord) {
		row.runtimes[logstest.Text(resource, "container.runtime.name")]++
		if logstest.Text(resource, "container.name") == podmanRepeats && string(logstest.Body(record)) == podmanEqual {
			row.equal++
			return
		}
		row.books.check(resource, record)
	}
	return row
}

// await waits for n records of a container.
func (row *podmanRow) await(t *testing.T, name string, n int) {
	t.Helper()
	began := time.Now()
	row.Await(t, name, n)
	if took := time.Since(began); took > logstest.Patience {
		t.Logf("%s: the lines of %s took %v; %d follows were found dead", row.strategy, name, took.Round(time.Second), row.metric("reopens", "reason=dead"))
	}
}

// follows reports whether the strategy follows, at least at first.
func (row *podmanRow) follows() bool {
	return row.strategy != dockerlogsreceiver.StrategyPolling && row.strategy != dockerlogsreceiver.StrategyHybrid
}

// torn is how many records are pieces of lines. Few of them show whose.
func (row *podmanRow) torn() int {
	tallies := row.lines.Tallies()
	return int(tallies[""].Damaged + tallies[podmanBurst].Damaged)
}

// podmanScenarios are the rows of docs/conformance.md, by container.
var podmanScenarios = []struct{ container, scenario string }{
	{podmanBurst, "bursts of 3,000 lines"},
	{"steady", "50 lines/s"},
	{"long", "lines of 50 kB on both streams"},
	{"restarted", "restarted"},
}

// record books what the row saw.
func (row *podmanRow) record(t *testing.T, p *podman, written, runs map[string]int) {
	t.Helper()
	for _, s := range podmanScenarios {
		seen := row.seen(s.container, written[s.container])
		if s.container == podmanBurst {
			seen.Damaged = row.torn()
		}
		seen.Repeated -= seen.Written - seen.Written/runs[s.container] // each run writes the same
		record(t, p, row.strategy, s.scenario, seen)
	}
	record(t, p, row.strategy, "a hundred equal lines a second", cell{
		Written: written[podmanRepeats], Lost: max(0, written[podmanRepeats]-row.equal),
		Repeated: max(0, row.equal-written[podmanRepeats]), Gaps: row.gapsOf(podmanRepeats),
	})
}

// judge checks the books once the receiver has stopped.
func (row *podmanRow) judge(t *testing.T, written, runs map[string]int) {
	t.Helper()
	tallies := row.lines.Tallies()
	for name, n := range runs {
		tally, again := tallies[name], uint64(written[name]-written[name]/n)
		assert.Equal(t, again, tally.Repeated, "%s: repeated lines of %s", row.strategy, name)
		if tally.Repeated -= again; tally.Repeated == 0 && name != podmanBurst {
			assert.NoError(t, tally.Err(), "%s: %s", row.strategy, name)
		}
	}
	burst, torn := tallies[podmanBurst], row.torn()
	if burst.Lost+burst.OutOfOrder > 0 || torn > 0 {
		t.Logf("%s: of %s %d lines are lost, %d late, %d records pieces of lines: %v", row.strategy, podmanBurst, burst.Lost, burst.OutOfOrder, torn, tallies[""].Examples)
	}
	if !row.follows() {
		assert.Zero(t, burst.Lost, "%s: lost lines of %s", row.strategy, podmanBurst)
	}
	written = maps.Clone(written)
	written[podmanBurst] += torn - int(burst.Lost)
	assert.Zero(t, row.lines.Blank(), "%s: blank lines", row.strategy)
	assert.Equal(t, written[podmanRepeats], row.equal, "%s: equal lines", row.strategy)
	total := 0
	for name, n := range written {
		assert.Equal(t, n, row.Count(name), "%s: records of %s", row.strategy, name)
		total += n
	}
	assert.Equal(t, total, row.Count(""), "%s: records of all containers", row.strategy)
	assert.Zero(t, row.SameUID(), "%s: records that share a log.record.uid", row.strategy)
	assert.Equal(t, map[string]int{"podman": total}, row.runtimes, "%s: records by container.runtime.name", row.strategy)
	assert.Zero(t, row.metric("gaps"), "%s: gaps", row.strategy)
}

// podman is an engine of the test's own.
type podman struct {
	t      testing.TB
	room   *dockerd.Room
	binary string // as the room sees it
	env    []string
	host   string
}

// findPodman returns the root file system and the path there of the Podman that DOCKERLOGS_PODMAN names: 4 or 5, which
// make engines brings. Without, it is the machine's own.
func findPodman(t testing.TB) (rootfs, binary string) {
	t.Helper()
	version := os.Getenv("DOCKERLOGS_PODMAN")
	if version == "" {
		binary, err := exec.LookPath("podman")
		if err != nil {
			t.Skipf("no Podman: %v", err)
		}
		return "", binary
	}
	return dockerd.RequireRootfs(t, "podman-"+version), "/usr/bin/podman"
}

// startPodman starts Podman's service, with a configuration, locks and storage that no
// other Podman knows of, and an image with the programs that write.
func startPodman(t testing.TB) *podman {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a private Podman")
	}
	rootfs, binary := findPodman(t)
	room, err := dockerd.OpenRoom(t.Context(), rootfs)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, room.Close()) })
	file := func(name, text string) string {
		path := filepath.Join(room.Dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	runtime := "crun"
	if _, err := os.Stat(filepath.Join("/", rootfs, "usr/sbin/runc")); err == nil {
		runtime = "runc" // which also takes both versions of cgroups at a time
	}
	p := &podman{t: t, room: room, binary: binary, host: "unix://" + filepath.Join(room.Dir, "s")}
	p.env = append(os.Environ(),
		"CONTAINERS_CONF="+file("containers.conf", fmt.Sprintf(podmanConf, runtime, filepath.Join(room.Dir, "tmp"))),
		"CONTAINERS_STORAGE_CONF="+file("storage.conf", fmt.Sprintf(podmanStorage, filepath.Join(room.Dir, "root"), filepath.Join(room.Dir, "run"))))

	image := filepath.Join(room.Dir, "image.tar")
	require.NoError(t, writePodmanImage(image, map[string]string{
		"loggen": dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/cmd/loggen"),
		"repeat": dockerd.Binary(t, "github.com/dockerlogs/otelcol-dockerlogs/internal/realtest/testdata/repeat"),
	}))
	p.run("import", "--quiet", "--change", `ENTRYPOINT ["/loggen"]`, image, podmanImage)

	var log bytes.Buffer
	service := p.command(context.Background(), "system", "service", "--time=0", p.host)
	service.Stdout, service.Stderr = &log, &log
	wait, err := room.Start(service)
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, room.Close())
		_ = wait() // says that it was killed
		if t.Failed() {
			t.Logf("the end of the service's log:\n%s", log.Bytes()[max(0, log.Len()-4096):])
		}
	})
	logstest.Eventually(t, "Podman's service answers", func() bool {
		conn, err := net.Dial("unix", strings.TrimPrefix(p.host, "unix://"))
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return p
}

// Version says what the engine is.
func (p *podman) Version(ctx context.Context) (string, error) {
	e, err := dockerd.Connect(ctx, p.host)
	if err != nil {
		return "", err
	}
	version, err := e.Version(ctx)
	return version, errors.Join(err, e.Close())
}

// The configuration of a Podman that also runs within a container.
const (
	podmanConf = `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "none"
[engine]
runtime = %q
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = %q
`
	podmanStorage = `[storage]
driver = "vfs"
graphroot = %q
runroot = %q
`
)

// writePodmanImage makes a tar of programs.
func writePodmanImage(path string, programs map[string]string) error {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for name, source := range programs {
		program, err := os.ReadFile(source)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(program)), Mode: 0o755}); err != nil {
			return err
		}
		if _, err := w.Write(program); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(path, layer.Bytes(), 0o600)
}

func (p *podman) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.binary, args...)
	cmd.Env = p.env
	return cmd
}

// run runs a command of Podman's to its end.
func (p *podman) run(args ...string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), logstest.Patience)
	defer cancel()
	require.NoError(p.t, p.room.Run(p.command(ctx, args...)))
}

// start runs a container.
func (p *podman) start(name, program string, args ...string) {
	p.t.Helper()
	p.run(append([]string{"run", "--detach", "--cgroup-parent", p.room.Cgroup, "--name", name, "--entrypoint", program, podmanImage}, args...)...)
}
