// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/webui"
)

// mock is a server with the page and with an API whose answers the test makes.
type mock struct {
	url        string
	Answer     // what all answers have
	containers []Container
	growing    int // index of a container that has a record more in every answer; -1 for none
	failAfter  int // answers; -1 has all fail

	mu      sync.Mutex
	asked   map[string]bool // paths
	answers int
}

// newMock has n containers, of every state. A tenth of them is in trouble. What a test
// changes is changed before the server starts, whose goroutines read it.
func newMock(t *testing.T, n int, changes ...func(*mock)) *mock {
	m := &mock{growing: -1, asked: map[string]bool{}}
	now := time.Now().UTC()
	since := now.Add(-2 * time.Hour)
	m.Answer = Answer{
		Now: now, Receiver: "docker_logs", Version: "0.1.0", HealthPage: ":13134",
		Engine: Engine{
			Name: "Docker Engine", Host: "node-1", Version: "28.5.2", APIVersion: "1.51", Runtime: "docker", Connected: true, Since: since,
			Discovery: DiscoveryEvents, RequestsPerMinute: 12.3,
		},
		Pipeline: Pipeline{State: Accepting, Since: since},
	}
	for i := range n {
		m.containers = append(m.containers, newContainer(i, now, since))
	}
	for _, change := range changes {
		change(m)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", page)
	mux.HandleFunc("GET /api/v1/containers", m.serveList)
	mux.HandleFunc("GET /api/v1/containers/{id}", m.serveOne)
	mux.HandleFunc("GET /observed", pageWith(observer))
	mux.HandleFunc("GET /framed", pageWith(""))
	mux.HandleFunc("GET /phone", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, phone) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.mu.Lock()
		m.asked[r.URL.Path] = true
		m.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	m.url = server.URL + "/"
	return m
}

var services = [][2]string{
	{"web", "nginx:1.27"},
	{"api", "ghcr.io/acme/api:4.12.0"},
	{"worker", "ghcr.io/acme/worker:4.12.0"},
	{"postgres", "postgres:17"},
	{"cache", "valkey/valkey:8"},
	{"mail", "axllent/mailpit:v1.21"},
	{"search", "opensearch:2.19"},
}

func newContainer(i int, now, since time.Time) Container {
	service := services[i%len(services)]
	busy := 2 + 60*math.Pow(math.Sin(float64(i)*1.7), 4)
	c := Container{
		ID: fmt.Sprintf("%08x%056x", uint32(i+1)*2654435761, i), Name: fmt.Sprintf("%s-%d", service[0], i/len(services)+1), Image: service[1], Driver: "json-file",
		Running: true, State: Following, StateSince: since, Strategy: "adaptive", StrategyFrom: "default", Source: "api", Since: since,
		LastRecord: now.Add(-time.Duration(i%40) * time.Second), Reopens: i % 4, WaitsFor: waits(NeedLines),
	}
	for s := range plotSlots {
		v := busy * (1.2 + math.Sin(float64(s)/float64(4+i%9)+float64(i)) + .5*math.Sin(float64(s*s+i)))
		c.Plot = append(c.Plot, uint32(max(0, v)))
		c.Records += 12 * int64(c.Plot[s])
	}
	for _, v := range c.Plot[plotSlots-rateSlots:] {
		c.RecordsPerSecond += float64(v) / 60
	}
	c.Records += int64(i)
	c.Bytes, c.BytesPerSecond = 93*c.Records, 93*c.RecordsPerSecond
	silent := func() {
		c.Plot, c.Records, c.Bytes, c.RecordsPerSecond, c.BytesPerSecond, c.LastRecord = nil, 0, 0, 0, 0, time.Time{}
	}
	refuse := func(state State, reason Reason) {
		silent()
		c.State, c.Reason, c.Since, c.Source, c.Strategy, c.StrategyFrom, c.WaitsFor = state, &reason, time.Time{}, "", "", "", nil
	}
	switch kind := i % 50; {
	case kind == 1:
		refuse(LeftOut, Reason{
			Code: "exclude", By: "exclude[1]", Text: "exclude[1] of the configuration matches it",
			Remedy: "make that entry match less, or give the container the label io.opentelemetry.docker_logs.enabled=true",
		})
	case kind == 2 && i < 300:
		c.Driver = "syslog"
		refuse(Unreadable, Reason{
			Code: "driver", By: "driver syslog", Text: "the engine cannot read what this log driver has taken",
			Remedy: "use the log driver local, json-file or journald, or enable dual logging",
		})
	case kind == 3 && i < 400:
		c.State, c.BehindSeconds, c.WaitsFor = Waiting, 725, waits(NeedSlot)
	case kind == 4 && i < 200:
		gap := Gap{
			Time: now.Add(-25 * time.Minute), Reason: "rotated", Text: "lines of this container may be missing: the engine has rotated away all that had been read before",
			Remedy: "raise max-size and max-file of the container's log driver",
		}
		c.GapCount, c.Gaps = 2, []Gap{gap, gap}
	case kind == 5:
		silent()
	case kind == 6:
		c.State, c.Running, c.WaitsFor, c.Plot, c.RecordsPerSecond, c.BytesPerSecond, c.LastRecord = Ended, false, nil, nil, 0, 0, now.Add(-40*time.Minute)
	case kind == 7:
		c.State, c.WaitsFor = Waiting, waits(NeedPoll)
		c.WaitsFor.Until = now.Add(5 * time.Second)
	case kind == 8:
		silent()
		c.State, c.WaitsFor = Opening, nil
	case kind == 9:
		c.State, c.WaitsFor = Delayed, waits(NeedRateLimit)
	case kind == 10:
		c.State, c.WaitsFor = Reading, nil
	case kind == 11:
		c.Name = fmt.Sprintf("<b>bold</b>-%d", i)
	case kind == 12:
		refuse(LeftOut, Reason{
			Code: "label", By: "label io.opentelemetry.docker_logs.enabled=false", Text: "its own label says so",
			Remedy: "make the container anew without that label",
		})
	case kind == 13: // it has not run since the Collector has
		silent()
		c.State, c.Running, c.WaitsFor, c.Since = Ended, false, nil, time.Time{}
	}
	return c
}

func waits(need Need) *Waits { return &Waits{What: need, Text: needTexts[need]} }

// find returns the index of the first container that is so.
func (m *mock) find(is func(Container) bool) int { return slices.IndexFunc(m.containers, is) }

func (m *mock) list() List {
	l := List{Answer: m.Answer, Matched: len(m.containers), Containers: append([]Container{}, m.containers...)}
	for _, c := range m.containers {
		l.Totals.count(c)
	}
	return l
}

func (m *mock) respond(w http.ResponseWriter, value any) {
	m.mu.Lock()
	m.answers++
	failed := m.failAfter < 0 || m.failAfter > 0 && m.answers > m.failAfter
	m.mu.Unlock()
	if failed {
		http.Error(w, "an error of the test", http.StatusInternalServerError)
		return
	}
	webui.Answer(w, http.StatusOK, value)
}

func (m *mock) serveList(w http.ResponseWriter, _ *http.Request) {
	m.mu.Lock()
	if m.growing >= 0 {
		m.containers[m.growing].Records++
	}
	l := m.list()
	m.mu.Unlock()
	m.respond(w, l)
}

func (m *mock) serveOne(w http.ResponseWriter, r *http.Request) {
	i := m.find(func(c Container) bool { return strings.HasPrefix(c.ID, r.PathValue("id")) })
	if i < 0 {
		webui.Answer(w, http.StatusNotFound, Problem{fmt.Sprintf("there is no container %q; it may have been removed", r.PathValue("id"))})
		return
	}
	c := m.containers[i]
	event := func(minutes int, kind, text string) Event {
		return Event{Time: m.Now.Add(-time.Duration(minutes) * time.Minute), Kind: kind, Text: text}
	}
	history := []Event{event(122, KindStarted, "the container was started")}
	switch {
	case c.Reason != nil:
		history = append(history, event(121, KindLeftOut, c.Reason.Text))
	default:
		history = append(history, event(120, KindOpened, "the capture of its log begins"),
			event(95, KindCut, "the connection to the engine ended; the log is opened again"),
			event(70, KindFellBack, "it is polled: the process has too many goroutines to follow it"), event(64, KindRecovered, "it is followed again"))
		history[2].Times = 3
	}
	for _, gap := range c.Gaps {
		history = append(history, Event{Time: gap.Time, Kind: KindGap, Text: gap.Text})
	}
	m.respond(w, One{Answer: m.Answer, Container: Detail{Container: c, History: history}})
}

// paths returns what has been asked for.
func (m *mock) paths() (list []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for path := range m.asked {
		list = append(list, path)
	}
	slices.Sort(list)
	return list
}

// pageWith serves the page with a script of the test's, and to frames too.
func pageWith(script string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		plain := httptest.NewRecorder()
		page.ServeHTTP(plain, r)
		_, _ = fmt.Fprint(w, strings.Replace(plain.Body.String(), "</body>", script+"</body>", 1))
	}
}

// observer has the document say which rows are written to once all are there, and the page has
// drawn the plots of those that are near.
const observer = `<script>
const body = document.getElementById('rows');
const observe = () => {
  const written = new Set();
  new MutationObserver(changes => {
    for (const c of changes) {
      const row = c.target.parentElement.closest('tr');
      written.add(row ? row.querySelector('button').textContent : 'all');
    }
    document.body.dataset.written = [...written].join();
  }).observe(body, {subtree: true, childList: true, attributes: true, characterData: true});
  refresh();
};
new MutationObserver((_, first) => {
  first.disconnect();
  new IntersectionObserver((_, seen) => {
    seen.disconnect();
    setTimeout(observe); // behind the page's own observer, which is told in the same task
  }).observe(body);
}).observe(body, {childList: true});
</script>`

// phone has the page in a frame as wide as a phone: no window of the browser is so narrow.
const phone = `<!doctype html><html><body style="margin:0"><iframe style="border:0;width:390px;height:1500px"></iframe><i>
</i><script>
const frame = document.querySelector('iframe');
frame.src = 'framed' + location.hash;
setInterval(() => {
  const inside = frame.contentDocument, open = inside.querySelector('dialog[open]');
  document.body.dataset.rows = inside.querySelectorAll('#rows tr').length;
  document.body.dataset.width = Math.max(inside.documentElement.scrollWidth, open ? open.scrollWidth : 0);
}, 100);
</script></body></html>`
