// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package goroutinehealthextension

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dockerlogs/otelcol-dockerlogs/extension/goroutinehealthextension/internal/census"
)

// browser is chromium without a window. DOCKERLOGS_REQUIRE_BROWSER=1 makes it a
// failure that there is none.
func browser(t *testing.T) string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("DOCKERLOGS_REQUIRE_BROWSER") == "1" {
		t.Fatal("no chromium on the PATH, and DOCKERLOGS_REQUIRE_BROWSER=1")
	}
	t.Skip("no chromium on the PATH; apt-get install chromium")
	return ""
}

func browse(t *testing.T, url string, args ...string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser(t), append([]string{
		"--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run",
		"--user-data-dir=" + t.TempDir(), "--timeout=10000", "--virtual-time-budget=4000", "--window-size=1240,1500",
	}, append(args, url)...)...)
	out, err := cmd.Output()
	require.NoError(t, err)
	return string(out)
}

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
	browser(t)
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
				return h
			},
			shows: []string{`data-verdict="healthy"`, "Healthy</b>", "150 needed by 50 captures", "<svg", "web-10", ">9e3779b10000<", "exporterhelper", "None. One is written"},
			not:   []string{"Critical</b>", "no answer"},
		},
		{
			name: "critical", verdict: "critical",
			make: func(t *testing.T) *health {
				p := new(processHistory)
				hour(p, 150, 38, 12, 43)
				p.addRestart(restart{At: time.Now().Add(-50 * time.Minute), Reason: "earlier"})
				h := newHealth(t, p, func(cfg *Config) {
					local(cfg)
					cfg.DumpDirectory, cfg.LeakInterval = filepath.Join(t.TempDir(), "dumps"), cfg.CollectionInterval
				})
				h.fake.containers = 50
				h.fake.above[readLoop] = 2100
				h.fake.above[census.Origin{Component: "<b>x</b>", Function: "example.com/x.(*T).run"}] = 3
				h.fake.proven = map[census.Origin]int{readLoop: 2088}
				return h
			},
			shows: []string{`data-verdict="critical"`, "Critical</b>", "created by net/http.(*Transport).dialConn", "&lt;b&gt;x&lt;/b&gt;", "critical 2,000", "2,088", ">restart<", "goroutines-2"},
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
			dom, _, _ := strings.Cut(browse(t, url, "--dump-dom"), "<script>") // what is shown, not what could be
			for _, s := range tt.shows {
				assert.Contains(t, dom, s)
			}
			for _, s := range tt.not {
				assert.NotContains(t, dom, s)
			}
			if dir := os.Getenv("DOCKERLOGS_SCREENSHOTS"); dir != "" {
				browse(t, url, "--screenshot="+filepath.Join(dir, tt.name+".png"))
				browse(t, url, "--screenshot="+filepath.Join(dir, tt.name+"-dark.png"), "--force-dark-mode", "--blink-settings=preferredColorScheme=0")
				browse(t, url, "--screenshot="+filepath.Join(dir, tt.name+"-narrow.png"), "--window-size=520,2400")
			}
			require.NoError(t, h.Shutdown(t.Context()))
		})
	}
}
