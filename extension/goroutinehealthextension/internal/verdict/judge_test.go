// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package verdict

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const every = 15 * time.Second

var limits = Limits{Warning: 1000, Critical: 2000, GrowthPerMinute: 10, Window: 5 * time.Minute, For: 5 * time.Minute}

// TestJudge has the verdict minute by minute of an excess that is a function of the
// minute: h, w or c for healthy, warning or critical, at the end of each minute.
func TestJudge(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 2))
	for name, tt := range map[string]struct {
		excess func(minute float64) int
		leaked func(minute float64) int
		want   string
	}{
		"nothing happens":                   {excess: func(float64) int { return 40 }, want: "hhhhhhhhhhhhhhhhhhhh"},
		"noise":                             {excess: func(float64) int { return 40 + noise.IntN(60) }, want: "hhhhhhhhhhhhhhhhhhhh"},
		"a step is no growth":               {excess: func(m float64) int { return 40 + step(m, 4, 900) }, want: "hhhhhhhhhhhhhhhhhhhh"},
		"a burst passes":                    {excess: func(m float64) int { return 40 + step(m, 4, 5000) - step(m, 4.5, 5000) }, want: "hhhhhhhhhhhhhhhhhhhh"},
		"slow growth is not reported":       {excess: func(m float64) int { return int(9 * m) }, want: "hhhhhhhhhhhhhhhhhhhh"},
		"32 per minute":                     {excess: func(m float64) int { return int(32 * m) }, want: "hhhhhhhwwwwwwwwwwwww"},
		"32 per minute, after calm":         {excess: func(m float64) int { return max(0, int(32*(m-6))) }, want: "hhhhhhhhhhhhhwwwwwww"},
		"growth that ends":                  {excess: func(m float64) int { return int(32 * min(m, 9)) }, want: "hhhhhhhwwwwwhhhhhhhh"},
		"32 per minute, to critical":        {excess: func(m float64) int { return 1700 + int(32*m) }, want: "wwwwwwwwwwcccccccccc"},
		"above warning":                     {excess: func(m float64) int { return step(m, 2, 1500) - step(m, 8, 1500) }, want: "hhwwwwwwhhhhhhhhhhhh"},
		"above critical":                    {excess: func(m float64) int { return step(m, 2, 2500) - step(m, 8, 2500) }, want: "hhcccccchhhhhhhhhhhh"},
		"from critical to warning":          {excess: func(m float64) int { return step(m, 2, 2500) - step(m, 8, 1300) }, want: "hhccccccwwwwwwwwwwww"},
		"around a threshold does not flap":  {excess: func(m float64) int { return 950 + noise.IntN(50) + step(m, 3, 70) - step(m, 6, 70) }, want: "hhhwwwwwwwwwwwwwwwww"},
		"a proven leak":                     {excess: func(float64) int { return 40 }, leaked: func(m float64) int { return step(m, 5, 3) }, want: "hhhhhwwwwwwwwwwwwwww"},
		"start of a thousand, not yet seen": {excess: func(m float64) int { return step(m, 1, 3000) - step(m, 1.5, 3000) }, want: "hhhhhhhhhhhhhhhhhhhh"},
	} {
		t.Run(name, func(t *testing.T) {
			j := New(limits)
			start := time.Date(2025, 11, 7, 12, 0, 0, 0, time.UTC)
			var got strings.Builder
			for i := range 80 {
				at := start.Add(time.Duration(i) * every)
				m := at.Sub(start).Minutes()
				leaked := 0
				if tt.leaked != nil {
					leaked = tt.leaked(m)
				}
				f := j.Observe(Sample{At: at, Excess: tt.excess(m)}, leaked)
				if i%4 == 3 {
					got.WriteString(f.Level.String()[:1])
				}
			}
			assert.Equal(t, tt.want[:20], got.String())
		})
	}
}

func step(now, at float64, height int) int {
	if now >= at {
		return height
	}
	return 0
}

func TestSlopeIsRobust(t *testing.T) {
	var samples []Sample
	start := time.Date(2025, 11, 7, 12, 0, 0, 0, time.UTC)
	for i := range 20 {
		s := Sample{At: start.Add(time.Duration(i) * every), Excess: 100 + 8*i}
		if i%5 == 4 {
			s.Excess += 4000 // a burst
		}
		samples = append(samples, s)
	}
	assert.InDelta(t, 32, slope(samples), 1)
	assert.Zero(t, slope(nil))
	assert.Zero(t, slope(samples[:1]))
	assert.InDelta(t, 32, slope(samples[:2]), 1e-9)
}

func TestLevelHasItsTime(t *testing.T) {
	j := New(limits)
	start := time.Date(2025, 11, 7, 12, 0, 0, 0, time.UTC)
	f := j.Observe(Sample{At: start, Excess: 10}, 0)
	require.Equal(t, start, f.Since)
	f = j.Observe(Sample{At: start.Add(every), Excess: 10}, 0)
	require.Equal(t, start, f.Since)
	f = j.Observe(Sample{At: start.Add(2 * every), Excess: 10}, 1)
	require.Equal(t, start.Add(2*every), f.Since)
	assert.False(t, f.Pressure(), "a leak is no reason to save on what works")
	assert.True(t, Finding{Above: 1000}.Pressure())
	assert.True(t, Finding{Growing: time.Minute}.Pressure())
}

func TestMost(t *testing.T) {
	before := map[string]int{"steady": 900, "leak": 10, "gone": 5}
	most, grown, ok := Most(before, map[string]int{"steady": 901, "leak": 330, "new": 7}, strings.Compare)
	assert.Equal(t, []any{"leak", 320, true}, []any{most, grown, ok})
	_, _, ok = Most(before, before, strings.Compare)
	assert.False(t, ok)
	most, _, _ = Most(nil, map[string]int{"b": 3, "a": 3}, strings.Compare)
	assert.Equal(t, "a", most)
}

func TestReason(t *testing.T) {
	s := &Suspect{Component: "docker_logs", Function: "net/http.(*persistConn).readLoop", Creator: "net/http.(*Transport).dialConn", Count: 1920, Grown: 380}
	for want, got := range map[string]string{
		"+41/min for 10 min, 380 of them in docker_logs, created by net/http.(*Transport).dialConn":                                                       Reason(Finding{Level: Warning, Growth: 41.2, Growing: 10 * time.Minute}, s, nil),
		"2,134 goroutines above what the captures need (critical from 2,000 on), 1,920 of them in docker_logs, created by net/http.(*Transport).dialConn": Reason(Finding{Level: Critical, Above: 2000, Excess: 2134}, s, nil),
		"1,100 goroutines above what the captures need (warning from 1,000 on), 7 of them in x, running x.run; +12/min for 90 min":                        Reason(Finding{Level: Warning, Above: 1000, Excess: 1100, Growth: 12, Growing: 90 * time.Minute}, &Suspect{Component: "x", Function: "x.run", Count: 7}, nil),
		"1 goroutine proven never to wake again, 1 of them in x, created by x.Start":                                                                      Reason(Finding{Level: Warning, Leaked: 1}, nil, &Suspect{Component: "x", Creator: "x.Start", Count: 1}),
		"+12/min for 3 h; 1,200,300 goroutines proven never to wake again":                                                                                Reason(Finding{Level: Warning, Growth: 12, Growing: 3 * time.Hour, Leaked: 1200300}, nil, nil),
		"38 goroutines above what the captures need, steady":                                                                                              Reason(Finding{Excess: 38, Growth: -0.2}, nil, nil),
	} {
		assert.Equal(t, want, got)
	}
}
