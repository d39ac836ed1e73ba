// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/webui/webuitest"
)

var (
	tableRows = regexp.MustCompile(`(?s)<tbody.*</tbody>`)
	rowName   = regexp.MustCompile(`<td role="cell" class="c-name name"><button type="button">(.*?)</button>`)
)

// shownNames returns the containers of the table, from its top down.
func shownNames(dom string) (list []string) {
	for _, m := range rowName.FindAllStringSubmatch(tableRows.FindString(dom), -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	return list
}

func assertShows(t *testing.T, dom string, shows ...string) {
	for _, s := range shows {
		assert.Contains(t, dom, s)
	}
}

func following(c Container) bool { return c.State == Following && c.Records > 0 && c.GapCount == 0 }
func leftOut(c Container) bool   { return c.State == LeftOut }
func late(c Container) bool      { return c.BehindSeconds > 0 }
func gappy(c Container) bool     { return c.GapCount > 0 }

func TestPageOfAThousandContainers(t *testing.T) {
	webuitest.Browser(t)
	m := newMock(t, 1000)
	totals := m.list().Totals
	dom := webuitest.DOM(t, m.url)
	assert.Len(t, shownNames(dom), 1000)
	for label, total := range map[string]int{
		"Captured": totals.Captured, "Behind": totals.Behind, "With gaps": totals.Gaps, "Unreadable": totals.Unreadable, "Left out": totals.LeftOut, "Ended": totals.Ended,
	} {
		assertShows(t, dom, fmt.Sprintf(`<b>%d</b><span>%s</span>`, total, label))
	}
	assertShows(t, dom, ">live<", "<b>1,000</b>", "Docker Engine 28.5.2", "accepts records", `href="http://127.0.0.1:13134/"`,
		"exclude[1] of the configuration matches it", "Up to date", "Behind 12 min", "waits for its turn to read",
		`class="c-gaps n bad">2<`, `aria-sort="ascending"`, "&lt;b&gt;bold&lt;/b&gt;")
	assert.NotContains(t, dom, "<b>bold</b>")
	assert.Equal(t, []string{"/", "/api/v1/containers"}, m.paths(), "the page loads something else")
}

func TestPageShowsWhatItsAddressSays(t *testing.T) {
	webuitest.Browser(t)
	m := newMock(t, 100)
	wanted := func(in func(Container) bool) (list []string) {
		for _, c := range m.containers {
			if in(c) {
				list = append(list, c.Name)
			}
		}
		return list
	}

	assert.ElementsMatch(t, wanted(leftOut), shownNames(webuitest.DOM(t, m.url+"#show=left_out&sort=name")))

	want := wanted(func(c Container) bool { return strings.HasPrefix(c.Name, "web-1") && c.Image == "nginx:1.27" })
	require.NotEmpty(t, want)
	assert.ElementsMatch(t, want, shownNames(webuitest.DOM(t, m.url+"#q=WEB-1+nginx")))

	dom := webuitest.DOM(t, m.url+"#sort=-lines")
	assertShows(t, dom, `aria-sort="descending"`)
	most := slices.SortedFunc(slices.Values(m.containers), func(a, b Container) int { return cmp.Compare(b.Records, a.Records) })
	require.Len(t, shownNames(dom), 100)
	for i := range 10 {
		assert.Equal(t, most[i].Name, shownNames(dom)[i])
	}

	dom = webuitest.DOM(t, m.url+"#q=postgres-of-another-host")
	assert.Empty(t, shownNames(dom))
	assertShows(t, dom, "0 of 100 shown", "docker ps --all")
}

func TestPageOfOneContainer(t *testing.T) {
	webuitest.Browser(t)
	m := newMock(t, 100)
	for name, tt := range map[string]struct {
		is    func(Container) bool
		shows []string
	}{
		"left out": {leftOut, []string{
			"No, it is left out.", "Because exclude[1] of the configuration matches it.", "To have it captured: make that entry match less, or give the container the label",
		}},
		"unreadable": {func(c Container) bool { return c.State == Unreadable }, []string{
			"No, they cannot be read.", "Because the engine cannot read what this log driver has taken.", "To have it captured: use the log driver local",
		}},
		"behind": {late, []string{"Yes, by 12 min.", "It waits for one of the reads that are under way to end.", "No gap is known."}},
		"gaps": {gappy, []string{
			"Yes, 2 gaps.", "the engine has rotated away", "So that it does not happen again: raise max-size", ">fell back</span>", "it is polled: the process has too many goroutines", "the log is opened again (3 times)",
		}},
		"silent":    {func(c Container) bool { return c.State == Following && c.Records == 0 }, []string{"It has written nothing since", "start_at: beginning"}},
		"following": {following, []string{"The pipeline has accepted them all.", "The pipeline has accepted every line of it that has been read."}},
		"ended":     {func(c Container) bool { return c.State == Ended && c.Records > 0 }, []string{"Yes, up to its end."}},
		"never ran": {func(c Container) bool { return c.State == Ended && c.Since.IsZero() }, []string{"Not now: it does not run."}},
	} {
		t.Run(name, func(t *testing.T) {
			_, view, _ := strings.Cut(webuitest.DOM(t, m.url+"#id="+m.containers[m.find(tt.is)].ID), "<dialog")
			assertShows(t, view, append(tt.shows, ` open=""`)...)
		})
	}
	assertShows(t, webuitest.DOM(t, m.url+"#id=feed"), `there is no container "feed"; it may have been removed`)
}

func TestPageOfTroubles(t *testing.T) {
	webuitest.Browser(t)
	for name, tt := range map[string]struct {
		change func(*mock)
		shows  []string
	}{
		"the engine is away": {
			func(m *mock) { m.Engine.Connected, m.Engine.Error = false, "connection refused" },
			[]string{`<section class="card verdict" data-level="critical">`, "The engine does not answer</b><span id=\"since\">for 2 h</span>", "connection refused. Reading goes on where it ended"},
		},
		"the pipeline refuses": {
			func(m *mock) {
				m.Pipeline = Pipeline{State: Refusing, Since: m.Now.Add(-10 * time.Second), Error: "sending queue is full", WaitingBytes: 1 << 20, OldestSeconds: 14}
			},
			[]string{`<section class="card verdict" data-level="warning">`, "The pipeline refuses records</b>", "sending queue is full. The engine keeps the lines", "1.0 MiB, the oldest for 14 s"},
		},
		"events are denied": {func(m *mock) { m.Engine.Discovery = DiscoveryListing }, []string{"listing, as events are denied"}},
		"all is well": {
			func(m *mock) {
				m.containers = slices.DeleteFunc(m.containers, func(c Container) bool { return !following(c) })
			},
			[]string{`<section class="card verdict" data-level="healthy">`, "All is captured</b>", "the pipeline has accepted every line so far."},
		},
		"no containers":           {func(m *mock) { m.containers = nil }, []string{"No containers</b>", "The engine has no containers."}},
		"no answer any more":      {func(m *mock) { m.failAfter = 1 }, []string{">no answer</span><span> since ", ">web-1<"}},
		"never an answer":         {func(m *mock) { m.failAfter = -1 }, []string{">no answer</span>"}},
		"no page of health":       {func(m *mock) { m.HealthPage = "" }, []string{`<a id="health" hidden="">`}},
		"a page of health by TLS": {func(m *mock) { m.HealthPage = "https://node-1:13134/" }, []string{`href="https://node-1:13134/"`}},
	} {
		t.Run(name, func(t *testing.T) {
			assertShows(t, webuitest.DOM(t, newMock(t, 30, tt.change).url), tt.shows...)
		})
	}
}

// A page that wrote everything again every two seconds would not stay fluid, and would end
// every selection.
func TestPageWritesOnlyWhatHasChanged(t *testing.T) {
	webuitest.Browser(t)
	m := newMock(t, 1000, func(m *mock) { m.growing = m.find(following) })
	written := regexp.MustCompile(`data-written="([^"]*)"`).FindStringSubmatch(webuitest.DOM(t, m.url+"observed"))
	require.NotNil(t, written, "nothing is written after the first answer")
	assert.Equal(t, m.containers[m.growing].Name, written[1])
}

func TestPageFitsAPhone(t *testing.T) {
	webuitest.Browser(t)
	m := newMock(t, 100)
	for _, fragment := range []string{"", "#id=" + m.containers[m.find(gappy)].ID} {
		assertShows(t, webuitest.DOM(t, m.url+"phone"+fragment), `data-rows="100"`, `data-width="390"`)
	}
}

func TestPagePictures(t *testing.T) {
	webuitest.Browser(t)
	m := newMock(t, 1000)
	id := func(is func(Container) bool) string { return "#id=" + m.containers[m.find(is)].ID }
	webuitest.Pictures(t, m.url, "status")
	webuitest.Pictures(t, m.url+id(gappy), "status-container")
	webuitest.Pictures(t, m.url+id(leftOut), "status-left-out")
	webuitest.Pictures(t, m.url+"phone", "status-phone")
	webuitest.Pictures(t, m.url+"phone"+id(late), "status-phone-container")
}
