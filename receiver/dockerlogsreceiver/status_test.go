// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package dockerlogsreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/dockerlogs/otelcol-dockerlogs/internal/enginetest"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/selector"
	"github.com/dockerlogs/otelcol-dockerlogs/receiver/dockerlogsreceiver/internal/status"
)

// show has the receiver keep what it shows, without listening: that would stop virtual time.
func (f *fixture) show() { f.r.board = status.New(f.r.look) }

// ask returns what the API answers.
func (f *fixture) ask(target string) string {
	f.t.Helper()
	w := httptest.NewRecorder()
	f.r.board.Handler().ServeHTTP(w, httptest.NewRequestWithContext(f.t.Context(), http.MethodGet, target, http.NoBody))
	return w.Body.String()
}

func (f *fixture) shownAll() (list status.List) {
	f.t.Helper()
	require.NoError(f.t, json.Unmarshal([]byte(f.ask("/api/v1/containers")), &list))
	return list
}

func (f *fixture) shown(name string) status.Detail {
	f.t.Helper()
	answer := f.ask("/api/v1/containers/" + name)
	var one status.One
	require.NoError(f.t, json.Unmarshal([]byte(answer), &one))
	require.Equal(f.t, name, one.Container.Name, answer)
	return one.Container
}

func kinds(d status.Detail) (list []string) {
	for _, event := range d.History {
		list = append(list, event.Kind)
	}
	return list
}

// TestEachContainerIsExplained has one of each kind, captured or not.
func TestEachContainerIsExplained(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.show()
		f.cfg.Exclude = []Match{{Name: "nothing"}, {Name: "excluded*"}}
		f.cfg.Overrides = []Override{
			{Match: Match{Name: "excluded"}, RateLimit: &RateLimitConfig{RecordsPerSecond: 1}},
			{Match: Match{Name: "polled"}, Strategy: StrategyPolling},
		}
		f.engine.Add(enginetest.ContainerSpec{Name: "over", Image: "acme/job:1"}) // which has never run
		self := f.container("self")
		f.r.ownEvidence = func() evidence { return evidence{id: self.ID(), by: byGroup} }
		f.container("excluded-1")
		f.engine.Add(enginetest.ContainerSpec{Name: "labelled", Running: true, Labels: map[string]string{selector.LabelEnabled: "0"}})
		f.engine.Add(enginetest.ContainerSpec{Name: "unreadable", Running: true, Driver: "none"})
		f.engine.Add(enginetest.ContainerSpec{Name: "hybrid", Running: true, Labels: map[string]string{selector.LabelStrategy: "hybrid"}})
		followed, polled, rotated, ended := f.container("followed"), f.container("polled"), f.container("rotated"), f.container("ended")
		f.start()
		for _, c := range []*enginetest.Container{followed, polled, rotated, ended} {
			write(c, 1, 10)
		}
		f.eventually("all lines", func() bool { return len(f.sink.Bodies()) == 40 })
		ended.Stop(0)
		rotated.SetFaults(enginetest.Faults{Status: http.StatusInternalServerError})
		rotated.CutFollows()
		write(rotated, 11, 500)
		rotated.Rotate(50)
		f.pass(time.Minute)
		rotated.SetFaults(enginetest.Faults{})
		f.pass(time.Minute)

		all := f.shownAll()
		assert.Equal(t, status.Totals{Containers: 10, Captured: 4, Gaps: 2, Unreadable: 1, LeftOut: 3, Ended: 2}, all.Totals)
		assert.Len(t, all.Containers, 10)
		assert.Equal(t, "docker_logs", all.Receiver)
		assert.True(t, all.Engine.Connected)
		assert.Equal(t, "Docker Engine", all.Engine.Name)
		assert.Equal(t, status.DiscoveryEvents, all.Engine.Discovery)
		assert.Positive(t, all.Engine.RequestsPerMinute)
		assert.Equal(t, status.Accepting, all.Pipeline.State)

		for name, by := range map[string]string{
			"self": "self include_self", "excluded-1": "exclude exclude[1]", "unreadable": "driver driver none",
			"labelled": "label label " + selector.LabelEnabled + "=false",
		} {
			c := f.shown(name)
			require.NotNil(t, c.Reason, name)
			assert.Equal(t, by, c.Reason.Code+" "+c.Reason.By)
			assert.NotEmpty(t, c.Reason.Text)
			assert.NotEmpty(t, c.Reason.Remedy)
			assert.True(t, c.Running, name)
			want := status.LeftOut
			if name == "unreadable" {
				want = status.Unreadable
				assert.Equal(t, "none", c.Driver)
				assert.Equal(t, "unreadable", c.Gaps[0].Reason, "as the metric counts it")
			}
			assert.Equal(t, want, c.State, name)
			assert.Nil(t, c.WaitsFor, name)
		}

		c := f.shown("followed")
		assert.Equal(t, status.Following, c.State)
		assert.Equal(t, []string{"streaming", "default", "api"}, []string{c.Strategy, c.StrategyFrom, c.Source})
		assert.Equal(t, []any{int64(10), int64(len("line 1")*9 + len("line 10"))}, []any{c.Records, c.Bytes})
		assert.Zero(t, c.BehindSeconds)
		assert.False(t, c.LastRecord.IsZero())
		assert.Nil(t, c.Reason)
		assert.Equal(t, status.NeedLines, c.WaitsFor.What)
		assert.Equal(t, uint32(10), sum(c.Plot))
		assert.Equal(t, "json-file", c.Driver)
		assert.Equal(t, []string{status.KindOpened}, kinds(c))

		c = f.shown("polled")
		assert.Equal(t, status.Waiting, c.State)
		assert.Equal(t, []string{"polling", "overrides[1]"}, []string{c.Strategy, c.StrategyFrom})
		assert.Equal(t, status.NeedPoll, c.WaitsFor.What)
		assert.True(t, c.WaitsFor.Until.After(time.Now()))
		assert.Equal(t, "label", f.shown("hybrid").StrategyFrom)

		c = f.shown("rotated")
		assert.Equal(t, status.Following, c.State)
		assert.Equal(t, 1, c.GapCount)
		assert.Equal(t, "rotated", c.Gaps[0].Reason)
		assert.Equal(t, remedyRotated, c.Gaps[0].Remedy)
		assert.Contains(t, kinds(c), status.KindGap)
		assert.Contains(t, kinds(c), status.KindCut)
		assert.Positive(t, c.Reopens)

		c = f.shown("ended")
		assert.Equal(t, status.Ended, c.State)
		assert.False(t, c.Running)
		assert.Equal(t, int64(10), c.Records)
		assert.Equal(t, []string{status.KindOpened, status.KindEnded, status.KindRead}, without(kinds(c), status.KindCut))
		assert.Equal(t, status.Ended, f.shown("over").State)
		assert.Zero(t, f.shown("over").Since)

		// A pipeline that refuses.
		f.sink.Refuse(errors.New("data refused due to high memory usage"))
		write(followed, 11, 12)
		f.pass(10 * time.Second)
		c = f.shown("followed")
		assert.Equal(t, status.NeedPipeline, c.WaitsFor.What)
		assert.InDelta(t, 10, c.BehindSeconds, 1)
		all = f.shownAll()
		assert.Equal(t, status.Refusing, all.Pipeline.State)
		assert.Equal(t, "data refused due to high memory usage", all.Pipeline.Error)
		assert.InDelta(t, 10, all.Pipeline.OldestSeconds, 1)
		assert.Positive(t, all.Pipeline.WaitingBytes)
		assert.Equal(t, 1, all.Totals.Behind)
		f.sink.Refuse(nil)
		f.eventually("they are accepted", func() bool { return f.shownAll().Pipeline.State == status.Accepting })
		assert.Zero(t, f.shown("followed").BehindSeconds)

		// One that is left out is shown at once, and not beyond its end.
		late := f.container("excluded-2")
		f.pass(time.Second)
		assert.Equal(t, status.LeftOut, f.shown("excluded-2").State)
		late.Stop(0)
		f.pass(time.Second)
		assert.False(t, f.shown("excluded-2").Running)
		late.Remove()
		ended.Remove()
		f.pass(time.Second)
		assert.Equal(t, 9, f.shownAll().Totals.Containers)
		assert.Contains(t, f.ask("/api/v1/containers/excluded-2"), "there is no container")

		// The engine is away.
		f.engine.Down()
		f.pass(time.Minute)
		all = f.shownAll()
		assert.False(t, all.Engine.Connected)
		assert.NotEmpty(t, all.Engine.Error)
		c = f.shown("followed")
		assert.Equal(t, status.Waiting, c.State)
		assert.Equal(t, status.NeedEngine, c.WaitsFor.What)
		assert.Zero(t, c.BehindSeconds, "nothing is known of that it has not delivered")
		f.engine.Up()
		f.eventually("it is followed again", func() bool { return f.shown("followed").State == status.Following })
	})
}

func sum(counts []uint32) (n uint32) {
	for _, count := range counts {
		n += count
	}
	return n
}

func without(list []string, left string) (rest []string) {
	for _, entry := range list {
		if entry != left {
			rest = append(rest, entry)
		}
	}
	return rest
}

// TestIncludeIsExplained: no entry matches, which none of them says.
func TestIncludeIsExplained(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.show()
		f.cfg.Include = []Match{{Name: "web"}}
		f.container("web")
		db := f.container("db")
		f.start()
		f.pass(time.Minute)
		assert.Equal(t, "include", f.shown("db").Reason.By)
		db.Rename("web-2")
		f.pass(time.Second)
		assert.Equal(t, status.LeftOut, f.shown("web-2").State)
		assert.Contains(t, kinds(f.shown("web-2")), status.KindRenamed)
	})
}

// TestWaysAreTold: how adaptive reads a container that writes much, and then does not.
func TestWaysAreTold(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.show()
		f.cfg.Strategy = StrategyAdaptive
		f.cfg.RateLimit.OnExcess = OnExcessDrop
		f.cfg.Overrides = []Override{{Match: Match{Name: "limited"}, RateLimit: &RateLimitConfig{RecordsPerSecond: 1, OnExcess: OnExcessDrop}}}
		busy, limited := f.container("busy"), f.container("limited")
		f.start()
		for i := range 60 {
			write(busy, 100*i+1, 100*i+100)
			write(limited, 5*i+1, 5*i+5)
			f.pass(time.Second)
		}
		c := f.shown("busy")
		assert.Contains(t, kinds(c), status.KindFellBack)
		assert.InDelta(t, 100, c.RecordsPerSecond, 5)
		f.pass(10 * time.Minute)
		assert.Contains(t, kinds(f.shown("busy")), status.KindRecovered)
		assert.Equal(t, f.metric("rate_limited_records"), f.shown("limited").RateLimited)
		assert.Positive(t, f.shown("limited").RateLimited)
	})
}

// TestNothingThatAContainerWroteIsShown nor its environment, nor a label, whatever quotes it.
func TestNothingThatAContainerWroteIsShown(t *testing.T) {
	const marker = "s3cr3t-marker"
	inBubble(t, func(f *fixture) {
		f.show()
		f.cfg.EnvVars = map[string]string{"TOKEN": "token"}
		f.cfg.ContainerLabels = map[string]string{"*": ""}
		f.cfg.Multiline.LineStartPattern = "^x"
		spec := enginetest.ContainerSpec{
			Name: "web", Running: true, Env: []string{"TOKEN=" + marker, marker + "=1"},
			Labels: map[string]string{"label": marker, marker: "1", selector.LabelStrategy: marker, selector.LabelEnabled: marker},
		}
		c := f.engine.Add(spec)
		spec.Name, spec.Driver = "unreadable", "none"
		f.engine.Add(spec)
		spec.Name, spec.Driver, spec.Labels = "left-out", "", map[string]string{selector.LabelEnabled: "false", marker: marker}
		f.engine.Add(spec)
		f.sink.Refuse(fmt.Errorf("entry refused: %q of stream {token=%q}", "x "+marker+" 1", marker))
		f.start()
		never := func(when string) {
			t.Helper()
			for _, target := range []string{"", "/web", "/unreadable", "/left-out", "?name=web&state=" + string(f.shown("web").State)} {
				answer := f.ask("/api/v1/containers" + target)
				assert.Contains(t, answer, `"now"`)
				assert.NotContains(t, answer, marker, when)
				assert.NotContains(t, answer, "TOKEN", when)
			}
		}
		for i := range 20 {
			c.Write(stdout, fmt.Sprintln("x", marker, i))
			f.pass(time.Second)
		}
		assert.Equal(t, status.Refusing, f.shownAll().Pipeline.State)
		assert.Contains(t, f.shownAll().Pipeline.Error, "entry refused")
		never("while the pipeline refuses")
		f.sink.Refuse(nil)
		f.pass(time.Minute)
		assert.Positive(t, f.shown("web").Records)
		never("once it accepts")

		c.SetFaults(enginetest.Faults{Status: http.StatusInternalServerError, Message: "cannot read: " + marker})
		c.CutFollows()
		f.pass(time.Minute)
		assert.Contains(t, kinds(f.shown("web")), status.KindCut)
		never("while the engine fails")
		c.SetFaults(enginetest.Faults{})
		c.ErrorAt(c.Written()+1, "bad record: "+marker)
		c.Write(stdout, "x "+marker+"\nx y\n")
		f.pass(time.Minute)
		never("with a bad record")
		c.Stop(0)
		f.pass(time.Minute)
		never("at its end")
	})
}

// TestRecordsThatAreDroppedAreShown where the pipeline refuses them for good.
func TestRecordsThatAreDroppedAreShown(t *testing.T) {
	inBubble(t, func(f *fixture) {
		f.show()
		f.cfg.RetryOnFailure.Enabled = false
		c := f.followed()
		f.sink.Refuse(errors.New("no"))
		write(c, 1, 3)
		f.pass(time.Minute)
		assert.EqualValues(t, 3, f.shown("web").Dropped)
		assert.Contains(t, kinds(f.shown("web")), status.KindDropped)
	})
}

// TestStatusIsServed over the network, on the loopback and beyond.
func TestStatusIsServed(t *testing.T) {
	for _, test := range []struct {
		endpoint string
		auth     bool
		warnings int
	}{{"localhost:0", false, 0}, {"0.0.0.0:0", false, 1}, {"0.0.0.0:0", true, 0}} {
		t.Run(fmt.Sprint(test.endpoint, " auth=", test.auth), func(t *testing.T) {
			f := newFixture(t)
			f.cfg.Status.NetAddr.Endpoint = test.endpoint
			guard, health := component.MustNewID("guard"), &page{}
			f.withExtensions(map[component.ID]component.Component{guard: &doorman{}, component.MustNewID("goroutine_health"): health})
			if test.auth {
				auth := map[string]any{"auth": map[string]any{"authenticator": "guard"}}
				require.NoError(t, confmap.NewFromStringMap(auth).Unmarshal(&f.cfg.Status))
			}
			f.container("web")
			f.start()
			assert.Equal(t, test.warnings, f.logged(zap.WarnLevel, "answers whoever can reach this address"))
			addr := f.logs.FilterMessageSnippet("is shown").All()[0].ContextMap()["address"].(string)
			_, port, err := net.SplitHostPort(addr)
			require.NoError(t, err)
			get := func(path, credential string) (int, string) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:"+port+path, http.NoBody)
				require.NoError(t, err)
				req.Header.Set("Authorization", credential)
				client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
				resp, err := client.Do(req)
				require.NoError(t, err)
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				return resp.StatusCode, string(body)
			}
			f.eventually("the container", func() bool {
				code, body := get("/api/v1/containers", "please")
				return code == http.StatusOK && strings.Contains(body, `"name":"web"`) && strings.Contains(body, `"health_page":":13134"`)
			})
			code, _ := get("/", "please")
			assert.Equal(t, http.StatusOK, code)
			code, _ = get("/", "no")
			assert.Equal(t, test.auth, code == http.StatusUnauthorized)
			host, _, _ := net.SplitHostPort(test.endpoint)
			want := map[string]string{"localhost": "http://localhost:" + port + "/", "0.0.0.0": ":" + port}[host]
			assert.Equal(t, want, health.links["docker_logs"])
			f.stop()
			assert.Empty(t, health.links["docker_logs"])
			_, err = net.DialTimeout("tcp", "localhost:"+port, time.Second)
			assert.Error(t, err, "it is closed")
		})
	}
}

func TestStatusEndpointThatIsTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "localhost:0")
	require.NoError(t, err)
	defer taken.Close()
	f := newFixture(t)
	f.cfg.Status.NetAddr.Endpoint = taken.Addr().String()
	assert.ErrorContains(t, f.r.Start(t.Context(), f.host), "status: endpoint: listen tcp "+taken.Addr().String())
}

// doorman lets in who says please.
type doorman struct {
	component.StartFunc
	component.ShutdownFunc
}

func (doorman) Authenticate(ctx context.Context, sources map[string][]string) (context.Context, error) {
	for name, values := range sources {
		if strings.EqualFold(name, "authorization") && values[0] == "please" {
			return ctx, nil
		}
	}
	return ctx, errors.New("say please")
}

// page is an extension that serves a page.
type page struct {
	component.StartFunc
	component.ShutdownFunc
	links map[string]string // addresses of others' pages, by component
}

func (*page) HealthPage() string { return ":13134" }

func (p *page) LinkPage(component, address string) { p.links = map[string]string{component: address} }
