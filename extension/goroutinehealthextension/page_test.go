// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
	"github.com/dockerlogs/otelcol-dockerlogs/internal/webui/webuitest"
)

// hour gives the process a past, in which from some minute on it leaks.
func hour(p *processHistory, needed, steady int, leakFrom, perMinute float64) {
	noise := rand.New(rand.NewPCG(3, 4))
	now := time.Now()
	for at := now.Add(-time.Hour); at.Before(now); at = at.Add(15 * time.Second) {
		minute := 60 - now.Sub(at).Minutes()
		excess := steady + noise.IntN(8) + int(max(0, minute-leakFrom)*perMinute)
		p.addPoint(at, needed+excess, excess)
	}
}

// TestPageInABrowser looks at the page as a person would. With
// DOCKERLOGS_SCREENSHOTS=directory it leaves pictures there.
func TestPageInABrowser(t *testing.T) {
	webuitest.Browser(t)
	for _, tt := range []struct {
		name    string
		make    func(*testing.T) *health
		shows   []string
		not     []string
		verdict string
	}{
		{
			name: "healthy", verdict: "healthy",
			make: func(t *testing.T) *health {
				p := new(processHistory)
				hour(p, 150, 38, 60, 0)
				h := newHealth(t, p, local)
				h.fake.containers = 50
				h.LinkPage("docker_logs", ":13135")
				return h
			},
			shows: []string{`href="http://127.0.0.1:13135/">Container logs</a>`, `data-level="healthy"`, "Healthy</b>", "150 needed by 50 captures", "<svg", "web-10", ">9e3779b10000<", "exporterhelper", "None. One is written"},
			not:   []string{"Critical</b>", "no answer"},
		},
		{
			name: "critical", verdict: "critical",
			make: func(t *testing.T) *health {
				p := new(processHistory)
				hour(p, 150, 38, 12, 43)
				p.addRestart(restart{At: time.Now().Add(-50 * time.Minute), Reason: "earlier"}, 0)
				h := newHealth(t, p, func(cfg *Config) {
					local(cfg)
					cfg.DumpDirectory, cfg.LeakInterval = filepath.Join(t.TempDir(), "dumps"), cfg.CollectionInterval
				})
				h.fake.containers = 50
				h.LinkPage("docker_logs", ":13135")
				h.LinkPage("docker_logs/2", ":13136")
				h.fake.above[readLoop] = 2100
				h.fake.above[census.Origin{Component: "<b>x</b>", Function: "example.com/x.(*T).run"}] = 3
				h.fake.proven = map[census.Origin]int{readLoop: 2088}
				return h
			},
			shows: []string{`href="http://127.0.0.1:13136/">Container logs: docker_logs/2</a>`, `data-level="critical"`, "Critical</b>", "created by net/http.(*Transport).dialConn", "&lt;b&gt;x&lt;/b&gt;", "critical 2,000", "2,088", ">restart<", "goroutines-2"},
			not:   []string{"<b>x</b>", "no answer"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := tt.make(t).start(t)
			require.Eventually(t, func() bool {
				f := h.latest.Load()
				return f.finding.Level.String() == tt.verdict && (h.cfg.DumpDirectory == "" || f.leaked != nil)
			}, 5*time.Second, 5*time.Millisecond)
			url := "http://" + h.addr.String() + "/"
			dom := webuitest.DOM(t, url)
			for _, s := range tt.shows {
				assert.Contains(t, dom, s)
			}
			for _, s := range tt.not {
				assert.NotContains(t, dom, s)
			}
			webuitest.Pictures(t, url, tt.name)
			require.NoError(t, h.Shutdown(t.Context()))
		})
	}
}
